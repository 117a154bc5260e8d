package monitor

import (
	"errors"
	"io/fs"
	"syscall"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// noteEnd keeps a transfer in mind, with the obstacles that it came upon, and
// returns how to forget it: to be called when all that changed until now is
// marked. The caller holds mu.
func (w *worker) noteEnd(batch dirty.Batch, obstacles []*dirty.Entry) (forget func()) {
	if len(obstacles) > 0 {
		w.set.SettleMoves() // of those that came meanwhile
	}
	id := w.endings.Add(batch, obstacles)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.endings.Forget(id)
	}
}

// findObstacles finds what is in the way to the paths of entries: what they lie
// below, and is a directory no more. A plan lists that instead, so that a path
// through it does not lead on the remote where it did.
func (t *transfer) findObstacles(entries []*dirty.Entry) {
	seen := make(map[string]bool)
	for _, e := range entries {
		for dir := relpath.Parent(e.Path); dir != "" && !seen[dir]; dir = relpath.Parent(dir) {
			seen[dir] = true
			info, err := t.lane.lstat(dir)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir() {
				t.out.obstacles = append(t.out.obstacles, &dirty.Entry{Path: dir})
			}
		}
	}
}

// canMove tells that a rename may be repeated on the remote; the caller holds
// mu.
func (w *worker) canMove(from, to string) bool {
	if w.hold != nil || w.failures > 0 || w.lane.directly() == nil {
		return false
	}
	touched := func(path string) bool {
		return w.inFlight.Touches(path) || w.confirmations.Touches(path) || w.endings.Touch(path)
	}
	return !touched(from) && !touched(to)
}
