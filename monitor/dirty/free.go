package dirty

import (
	"time"

	"wsync/monitor/watch"
)

// What can go while another transfer is under way, in part.

// TakeFree removes and returns what is ripe at now and free. The moves come before
// all entries, so that nothing is while a name of one is not.
func (s *Set) TakeFree(now time.Time, free func(path string) bool) Batch {
	if !s.movesFree(free) {
		return Batch{}
	}
	b := Batch{Moves: s.moves}
	s.moves = nil
	for p, e := range s.entries {
		if !e.NotBefore.After(now) && free(p) {
			b.Entries = append(b.Entries, s.take(p, now))
		}
	}
	return b
}

// RipeFree returns when something is ripe that is free; ok is false if nothing
// will be.
func (s *Set) RipeFree(free func(path string) bool) (at time.Time, ok bool) {
	if !s.movesFree(free) {
		return time.Time{}, false
	}
	visit := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	for _, m := range s.moves {
		visit(m.Since)
	}
	for p, e := range s.entries {
		if e.NotBefore.Before(Never) && free(p) {
			visit(e.NotBefore)
		}
	}
	return at, ok
}

func (s *Set) movesFree(free func(path string) bool) bool {
	for _, m := range s.moves {
		if !free(m.From) || !free(m.To) {
			return false
		}
	}
	return true
}

// take removes and returns an entry, of a transfer that begins at now.
func (s *Set) take(p string, now time.Time) *Entry {
	e := s.entries[p]
	e.Deferred = false
	delete(s.entries, p)
	if e.Change&watch.Open != 0 {
		s.writing[p] = writing{sent: now}
	}
	return e
}
