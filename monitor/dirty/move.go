package dirty

import (
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Move is a rename within the tree that can be repeated on the remote, because
// nothing is open there that would make the two sides mean different things by
// its names: see Set.Move. Moves are repeated in their order, and before the
// entries of their batch, which name all paths as they are afterwards.
type Move struct {
	From, To string
	// Dir: a directory was renamed, with all below it.
	Dir   bool
	Seq   uint64
	Since time.Time
}

// The bounds of Set.Move. What is beyond is cheaper to transfer than to keep
// account of.
const (
	moveLimit   = 256
	rekeyLimit  = 2000
	stateChange = watch.Entry | watch.Tree
)

// Move takes in that an entry of the tree was renamed within it, as a rename
// that the remote can repeat, and gives the dirty paths below it their new
// names. It returns false, and does nothing, when the remote may not have at
// from what was renamed, or what is at to may be in the way: then both names
// are to be marked.
func (s *Set) Move(from, to string, dir bool, seq uint64, now time.Time) bool {
	if s.everything != nil || len(s.moves) >= moveLimit || len(s.entries) > rekeyLimit {
		return false
	}
	var below []*Entry
	for p, e := range s.entries {
		switch {
		case p == from:
			if e.Failing() || e.Change&stateChange != 0 {
				return false
			}
			below = append(below, e)
		case relpath.Below(p, from):
			if e.Failing() {
				return false
			}
			below = append(below, e)
		case relpath.Below(from, p) || relpath.Below(to, p):
			if e.Change&stateChange != 0 {
				return false
			}
		case p == to:
			if dir || e.Failing() || e.Change&watch.Tree != 0 {
				return false
			}
		case relpath.Below(p, to):
			return false
		}
	}
	for _, e := range below {
		delete(s.entries, e.Path)
		e.Path = to + e.Path[len(from):]
	}
	for _, e := range below {
		if f, ok := s.entries[e.Path]; ok { // only to itself can have one
			absorb(f, e)
			f.Change |= e.Change
			continue
		}
		s.entries[e.Path] = e
	}
	for p, sent := range s.writing {
		if p == from || relpath.Below(p, from) {
			delete(s.writing, p)
			s.writing[to+p[len(from):]] = sent
		}
	}
	s.moves = append(s.moves, Move{From: from, To: to, Dir: dir, Seq: seq, Since: now})
	return true
}

// Rekey gives what the set has of from and below it the name that it has after
// a move. Unlike Move it only follows what happens elsewhere.
func (s *Set) Rekey(from, to string) {
	var below []*Entry
	for p, e := range s.entries {
		if p == from || relpath.Below(p, from) {
			below = append(below, e)
		}
	}
	for _, e := range below {
		delete(s.entries, e.Path)
		e.Path = to + e.Path[len(from):]
		if f, ok := s.entries[e.Path]; ok {
			absorb(f, e)
			f.Change |= e.Change
			continue
		}
		s.entries[e.Path] = e
	}
}

// Touches reports whether the batch has something to do with a path or with what is
// above or below it.
func (b Batch) Touches(p string) bool {
	if b.Everything != nil {
		return true
	}
	related := func(q string) bool { return p == q || relpath.Below(p, q) || relpath.Below(q, p) }
	for _, e := range b.Entries {
		if related(e.Path) {
			return true
		}
	}
	for _, m := range b.Moves {
		if related(m.From) || related(m.To) {
			return true
		}
	}
	return false
}

// States are the entries that say the same as the move for a transfer that
// cannot repeat it: look at both names.
func (m Move) States() (to, from *Entry) {
	change := watch.Entry | watch.Content
	if m.Dir {
		change |= watch.Tree
	}
	to = &Entry{Path: m.To, Change: change, Seq: m.Seq, Since: m.Since, NotBefore: m.Since}
	from = &Entry{Path: m.From, Change: change, Seq: m.Seq, Since: m.Since, NotBefore: m.Since, MovedTo: m.To}
	return to, from
}

// WithoutMoves is the batch with its moves turned into entries.
func (b Batch) WithoutMoves() Batch {
	if len(b.Moves) == 0 {
		return b
	}
	s := NewSet()
	for _, m := range b.Moves {
		to, from := m.States()
		s.Restore(Batch{Entries: []*Entry{to, from}}, m.Since)
	}
	s.Restore(Batch{Entries: b.Entries}, b.Moves[0].Since)
	without := Batch{Everything: b.Everything}
	for _, e := range s.entries {
		without.Entries = append(without.Entries, e)
	}
	return without
}
