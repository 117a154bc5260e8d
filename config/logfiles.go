package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// logSuffix is that of logs.
const logSuffix = ".log"

// backupPattern matches what the names of rotated logs add to that of the log.
var backupPattern = regexp.MustCompile(`-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[-.0-9a-z]*\.log(\.gz)?$`)

// LogOf returns the name of the log, without its suffix, that a file in a directory of logs
// is, or was before it was rotated.
func LogOf(file string) (name string, ok bool) {
	if at := backupPattern.FindStringIndex(file); at != nil {
		return file[:at[0]], at[0] > 0
	}
	return strings.CutSuffix(file, logSuffix)
}

// LogFiles are the files of the log at path that exist: the rotated ones, the oldest
// first, and then the log itself.
func LogFiles(path string) (files []string) {
	dir, log := filepath.Split(path)
	name := strings.TrimSuffix(log, logSuffix)
	entries, _ := os.ReadDir(dir)
	exists := false
	for _, e := range entries {
		if e.Name() == log {
			exists = true
		} else if of, ok := LogOf(e.Name()); ok && of == name {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(files) // their names have the times
	if exists {
		files = append(files, path)
	}
	return files
}
