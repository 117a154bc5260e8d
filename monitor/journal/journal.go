// Package journal keeps events on disk, one in JSON a line, for days: a Writer appends
// them, and a Cursor reads them and goes on with what comes. Writer and reader are
// different processes, which share nothing but the files.
//
// A series of files has one writer. Its files are numbered and never renamed: the writer
// goes on in the next one when one is full or old, and removes the first ones. What a
// killed writer has not written whole is a torn line, which every reader skips.
package journal

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsync/monitor/report"
)

// Directory is where the journals of a workspace are, in the run directory of its monitor.
const Directory = "events"

// The series of a workspace. What is sent all the time has one of its own, and cannot push
// out what was deleted.
const (
	SeriesSent    = "sent"
	SeriesMonitor = "monitor"
	SeriesDaemon  = "daemon"
)

// Series are all of a workspace.
var Series = []string{SeriesSent, SeriesMonitor, SeriesDaemon}

// SeriesOf is the series in which a monitor writes an event.
func SeriesOf(e report.Event) string {
	if e.Kind == report.EventSent || e.Kind == report.EventFullPass {
		return SeriesSent
	}
	return SeriesMonitor
}

// Bounds are those of a series on disk.
type Bounds struct {
	// FileSize is the size in bytes from which the next file is begun, and FileAge the
	// age of its first event from which it is.
	FileSize int64
	FileAge  time.Duration
	// Size is that of all files in bytes, and Age the age of the last event of a file;
	// beyond one of them the first files are removed.
	Size int64
	Age  time.Duration
}

// DefaultBounds are those of each series. A file may exceed its size by one event.
var DefaultBounds = Bounds{FileSize: 2 << 20, FileAge: 3 * 24 * time.Hour, Size: 16 << 20, Age: 30 * 24 * time.Hour}

// file is one of a series.
type file struct {
	number int
	size   int64
	last   time.Time // of its last event, by the time of the file
}

// full reports whether the next file is to be begun after a file with a size, whose first
// event was written at first.
func (b Bounds) full(size int64, first, now time.Time) bool {
	return size >= b.FileSize || size > 0 && now.Sub(first) >= b.FileAge
}

// surplus are the first of files, in their order, that are to be removed. The last one
// stays, which is being written.
func (b Bounds) surplus(files []file, now time.Time) (surplus []file) {
	var total int64
	for _, f := range files {
		total += f.size
	}
	for i, f := range files {
		if i == len(files)-1 || total <= b.Size && now.Sub(f.last) < b.Age {
			return files[:i]
		}
		total -= f.size
	}
	return nil
}

// path is the file of a series with a number.
func path(dir, series string, number int) string {
	return filepath.Join(dir, series+"-"+strconv.Itoa(number)+".jsonl")
}

// numberOf is the number of the file of a series that has a name; ok is false for another
// file.
func numberOf(series, name string) (number int, ok bool) {
	digits, prefixed := strings.CutPrefix(name, series+"-")
	digits, suffixed := strings.CutSuffix(digits, ".jsonl")
	number, err := strconv.Atoi(digits)
	return number, prefixed && suffixed && err == nil && number > 0
}

// files are those of a series, in their order.
func files(dir, series string) (all []file, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		number, ok := numberOf(series, e.Name())
		if !ok {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, file{number, info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b file) int { return a.number - b.number })
	return all, nil
}
