package monitor

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"wsync/monitor/dirty"
)

// A rename may be repeated on the remote only if the remote has at the old name
// what was renamed here. A transfer that looked at one of the names after the
// rename has put something else there, although the event was still on its way:
// so it is not enough that none is under way when the event comes. Each transfer
// is kept in mind until the watcher has told all that changed before its end.

// endedLimit bounds the transfers that are kept in mind one by one.
const endedLimit = 32

// ended is a transfer that is over.
type ended struct {
	id    uint64
	batch dirty.Batch
}

// noteEnd keeps a transfer in mind, with the obstacles that it came upon, and
// returns how to forget it: to be called when all that changed until now is
// marked. The caller holds mu.
func (w *worker) noteEnd(batch dirty.Batch, obstacles []*dirty.Entry) (forget func()) {
	if len(obstacles) > 0 {
		batch.Entries = append(slices.Clip(batch.Entries), obstacles...)
		w.set.SettleMoves() // of those that came meanwhile
	}
	w.endings++
	id := w.endings
	if len(w.ended) < endedLimit {
		w.ended = append(w.ended, ended{id, batch})
	} else {
		// The watcher is busy; until it is done nothing is repeated.
		w.ended = []ended{{id, dirty.Batch{Everything: &dirty.Entry{}}}}
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for len(w.ended) > 0 && w.ended[0].id <= id {
			w.ended = w.ended[1:]
		}
	}
}

// findObstacles finds what is in the way to the paths of entries: what they lie
// below, and is a directory no more. A plan lists that instead, so that a path
// through it does not lead on the remote where it did.
func (t *transfer) findObstacles(entries []*dirty.Entry) {
	seen := make(map[string]bool)
	for _, e := range entries {
		for dir := dirty.Parent(e.Path); dir != "" && !seen[dir]; dir = dirty.Parent(dir) {
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
	touched := func(b dirty.Batch) bool { return b.Touches(from) || b.Touches(to) }
	if touched(w.inFlight) || touched(w.confirming) {
		return false
	}
	for _, e := range w.ended {
		if touched(e.batch) {
			return false
		}
	}
	return true
}
