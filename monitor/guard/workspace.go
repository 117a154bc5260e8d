package guard

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsync/monitor/exclude"
)

// Directory is a Workspace on disk. What is excluded counts as little as if it were
// not there.
type Directory struct {
	Root  string
	Tools *Tools
	Rules exclude.Rules
}

// Empty implements Workspace.
func (w Directory) Empty() (bool, error) {
	d, err := os.Open(w.Root)
	if err != nil {
		return false, err
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(64)
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !w.Rules.Excludes(e.Name(), e.IsDir()) }) {
			return false, nil
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
}

// Left implements Workspace.
func (w Directory) Left(limit int) int {
	n := 0
	filepath.WalkDir(w.Root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == w.Root {
			return nil
		}
		name := filepath.ToSlash(strings.TrimPrefix(p[len(w.Root):], string(filepath.Separator)))
		if w.Rules.Excludes(name, e.IsDir()) || w.Tools.cache(name) {
			return skip(e)
		}
		if n++; n >= limit {
			return filepath.SkipAll
		}
		if e.Name() == gitName {
			return skip(e) // what is in it does not count
		}
		return nil
	})
	return n
}

// skip passes over an entry of a walk and what is in it.
func skip(e fs.DirEntry) error {
	if e.IsDir() {
		return filepath.SkipDir
	}
	return nil
}
