package monitor

import (
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"

	"wsync/monitor/dirty"
)

// links remembers which paths were seen to be one of several names of a file, by
// a look at them or by the scan of a full pass. A change of such a file is told
// of one name only, of the one by which it was opened, and that may be gone or
// another file's by then: all there is to see is that something happened to a
// path that once was a name of a file that has, or had, others. Its methods may
// be called from any goroutine.
type links struct {
	mu    sync.Mutex // guards everything below
	paths map[string]bool
	// many: there were too many to remember, so that any path may be one.
	many bool
}

// linksLimit bounds the paths that are remembered.
const linksLimit = 50000

// look takes in what is at a path, and tells whether it has other names.
func (l *links) look(name string, info fs.FileInfo) bool {
	if !info.Mode().IsRegular() {
		return false
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Nlink < 2 {
		return false
	}
	l.add(name)
	return true
}

// add remembers a path.
func (l *links) add(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paths == nil {
		l.paths = make(map[string]bool)
	}
	if len(l.paths) >= linksLimit {
		l.many = true
		return
	}
	l.paths[name] = true
}

// scan finds the files that have several names below root. A link makes itself
// known by its new name only: what was there before has no event of its own. A
// file whose other names are elsewhere does not matter, and there may be very
// many of them: package managers link what they install.
func (l *links) scan(root string) {
	type file struct{ device, inode uint64 }
	names := make(map[file]string)
	filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // rsync says what cannot be read
		}
		info, err := e.Info()
		if err != nil {
			return nil // it is gone
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Nlink < 2 {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return nil
		}
		name = filepath.ToSlash(name)
		f := file{uint64(st.Dev), st.Ino}
		other, known := names[f]
		if !known {
			names[f] = name
			return nil
		}
		l.add(other)
		l.add(name)
		return nil
	})
}

// any tells that one of the entries may be about a file with several names.
func (l *links) any(entries []*dirty.Entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.many {
		return len(entries) > 0
	}
	for _, e := range entries {
		if len(l.paths) == 0 {
			return false
		}
		if l.paths[e.Path] {
			return true
		}
	}
	return false
}

// moved gives the paths at and below from the names that they have after a
// rename. The old ones stay: what is open keeps its name.
func (l *links) moved(from, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var renamed []string
	for p := range l.paths {
		if p == from || dirty.Below(p, from) {
			renamed = append(renamed, to+p[len(from):])
		}
	}
	for _, p := range renamed {
		if len(l.paths) >= linksLimit {
			l.many = true
			return
		}
		l.paths[p] = true
	}
}
