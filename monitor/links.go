package monitor

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"wsync/monitor/dirty"
)

// links remembers which paths were seen to be one of several names of a file, by
// a look at them or by the scan of a full pass. A change of such a file is told
// of one name only, of the one by which it was opened, and that may be gone or
// another file's by then: all there is to see is that something happened to a
// path that once was a name of a file that has, or had, others. The lanes of a
// workspace share what each of them has seen, and what is seen when an event comes:
// one of them may be busy while a name comes and goes. Its methods may be called
// from any goroutine.
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

// notice looks at a path of the workspace at root that something has happened to.
func (l *links) notice(root, name string) {
	if info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name))); err == nil {
		l.look(name, info)
	}
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
func (l *links) scan(ctx context.Context, root string) {
	type file struct{ device, inode uint64 }
	names := make(map[file]string)
	walkFiles(ctx, root, "", func(name string, e fs.DirEntry) bool {
		info, err := e.Info()
		if err != nil {
			return true // it is gone
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Nlink < 2 {
			return true
		}
		f := file{uint64(st.Dev), st.Ino}
		other, known := names[f]
		if !known {
			names[f] = name
			return true
		}
		l.add(other)
		l.add(name)
		return true
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

// moved gives the paths at and, with dir, below from the names that they have
// after a rename. The old ones stay: what is open keeps its name.
func (l *links) moved(from, to string, dir bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.many {
		return
	}
	var renamed []string
	if l.paths[from] {
		renamed = append(renamed, to)
	}
	if dir {
		for p := range l.paths {
			if dirty.Below(p, from) {
				renamed = append(renamed, to+p[len(from):])
			}
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
