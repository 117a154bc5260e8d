package directory

import (
	"slices"
	"sync"
)

// looksRoom is how many directories are remembered to be looked at before that means
// the whole tree.
const looksRoom = 4096

// Looks are the directories that a watcher was asked to look at and has not begun
// with. All methods may be called from any goroutine.
type Looks struct {
	mu   sync.Mutex
	dirs []string // guarded by mu
}

// Add asks for directories to be looked at.
func (l *Looks) Add(dirs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, dir := range dirs {
		if !slices.Contains(l.dirs[max(0, len(l.dirs)-8):], dir) {
			l.dirs = append(l.dirs, dir)
		}
	}
	if len(l.dirs) > looksRoom {
		l.dirs = []string{""}
	}
}

// Any reports whether there is one.
func (l *Looks) Any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.dirs) > 0
}

// Take returns them, the root alone if it is among them, and none is left.
func (l *Looks) Take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirs := l.dirs
	l.dirs = nil
	if slices.Contains(dirs, "") {
		return []string{""}
	}
	return dirs
}
