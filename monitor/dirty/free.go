package dirty

import (
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// What can go while another transfer is under way, in part.

// TakeFree removes and returns what is ripe at now and free. The moves come before
// all entries, so that nothing is while a name of one is not.
func (s *Set) TakeFree(now time.Time, free func(path string) bool) Batch {
	if at, ok := s.movesFreeAt(free); !ok || at.After(now) {
		return Batch{}
	}
	b := Batch{Moves: s.moves}
	s.moves = nil
	for p, e := range s.entries {
		if at, ok := s.freeAt(p, e.NotBefore, free); ok && !at.After(now) {
			b.Entries = append(b.Entries, s.take(p, now))
		}
	}
	return b
}

// RipeFree returns when something is ripe that is free; ok is false if nothing
// will be.
func (s *Set) RipeFree(free func(path string) bool) (at time.Time, ok bool) {
	moves, movesFree := s.movesFreeAt(free)
	if !movesFree {
		return time.Time{}, false
	}
	if len(s.moves) > 0 {
		return moves, true
	}
	for p, e := range s.entries {
		if ripe, is := s.freeAt(p, e.NotBefore, free); is && ripe.Before(Never) && (!ok || ripe.Before(at)) {
			at, ok = ripe, true
		}
	}
	return at, ok
}

// freeAt is when a path may go that is ripe at a time; ok is false if it may not.
// What is above it may be something else on the remote, a symbolic link above all:
// then it comes first, or with it.
func (s *Set) freeAt(p string, ripe time.Time, free func(path string) bool) (at time.Time, ok bool) {
	if !free(p) {
		return time.Time{}, false
	}
	for dir := relpath.Parent(p); dir != ""; dir = relpath.Parent(dir) {
		if d := s.entries[dir]; d != nil && d.Change&stateChange != 0 {
			if !free(dir) {
				return time.Time{}, false
			}
			ripe = later(ripe, d.NotBefore)
		}
	}
	return ripe, true
}

// movesFreeAt is when all moves may go, which is at once if there are none.
func (s *Set) movesFreeAt(free func(path string) bool) (at time.Time, ok bool) {
	for _, m := range s.moves {
		for _, name := range []string{m.From, m.To} {
			ripe, is := s.freeAt(name, m.Since, free)
			if !is {
				return time.Time{}, false
			}
			at = later(at, ripe)
		}
	}
	return at, true
}

// take removes and returns an entry, of a transfer that begins at now.
func (s *Set) take(p string, now time.Time) *Entry {
	e := s.entries[p]
	e.Deferred, e.Windowed = false, false
	delete(s.entries, p)
	if e.Change&watch.Open != 0 {
		s.writing[p] = writing{sent: now}
	}
	return e
}
