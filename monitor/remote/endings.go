package remote

import (
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// endingsLimit bounds the transfers that are kept in mind one by one.
const endingsLimit = 32

// Endings are transfers that are over, of which it is not sure yet that they saw
// nothing newer than the last mark.
//
// A rename may be repeated on the remote only if the remote has at the old name
// what was renamed here. A transfer that looked at one of the names after the
// rename has put something else there, although the event was still on its way:
// so it is not enough that none is under way when the event comes. Each transfer
// is kept in mind until the watcher has told all that changed before its end.
//
// For the same reason the remote may have, above a path, what was there when the
// transfer looked, such as a symbolic link, although a directory is there again.
type Endings struct {
	last  uint64
	ended []ending
}

type ending struct {
	id    uint64
	batch dirty.Batch
	paths map[string]bool // of the batch, found when they are asked for
}

// Add keeps a transfer in mind that came upon obstacles: what its paths lie below,
// and is a directory no more. It returns the number to Forget it by.
func (e *Endings) Add(batch dirty.Batch, obstacles []*dirty.Entry) (id uint64) {
	batch.Entries = append(slices.Clip(batch.Entries), obstacles...)
	e.last++
	if len(e.ended) < endingsLimit {
		e.ended = append(e.ended, ending{id: e.last, batch: batch})
	} else {
		// The watcher is busy; until it is done nothing is repeated.
		e.ended = []ending{{id: e.last, batch: dirty.Batch{Everything: &dirty.Entry{}}}}
	}
	return e.last
}

// Forget takes in that all is marked that changed before transfer id had ended.
func (e *Endings) Forget(id uint64) {
	for len(e.ended) > 0 && e.ended[0].id <= id {
		e.ended = e.ended[1:]
	}
}

// Touch reports whether one of the transfers had something to do with a path, or
// with what is above or below it.
func (e *Endings) Touch(path string) bool {
	return slices.ContainsFunc(e.ended, func(t ending) bool { return t.batch.Touches(path) })
}

// Overtook reports whether one of the transfers may have put something else than a
// directory above a path, of which the mark is to come.
func (e *Endings) Overtook(path string) bool {
	for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
		for i := range e.ended {
			if e.ended[i].had(dir) {
				return true
			}
		}
	}
	return false
}

// had reports whether the transfer had something to do with a path itself.
func (t *ending) had(path string) bool {
	if t.paths == nil {
		t.paths = make(map[string]bool)
		for _, e := range t.batch.Entries {
			t.paths[e.Path] = true
		}
		for _, m := range t.batch.Moves {
			t.paths[m.From], t.paths[m.To] = true, true
		}
	}
	return t.batch.Everything != nil || t.paths[path]
}
