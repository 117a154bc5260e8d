package remote

import (
	"fmt"
	"testing"
	"time"

	"wsync/monitor/guard"
	"wsync/monitor/watch"
)

// rename has a machine follow a rename that could be repeated.
func (s *schedule) rename(from, to string) {
	s.seq++
	s.Moved(from, to, watch.Entry|watch.Content, true, s.seq, s.now)
}

// What goes to one name after the other is gone, but for the last.
func TestRenamesToOneName(t *testing.T) {
	s := newSchedule(t, nil)
	s.limits = guard.Limits{Share: 0.5, Count: 100}
	repeated := func() (moves int) {
		for s.set.Len() > 0 {
			sending := s.Send(noRepositories{}, s.seq, false, s.now)
			for _, e := range sending.Order.Batch.Entries {
				if e.MovedTo != "" {
					t.Errorf("%q counts as renamed to %q", e.Path, e.MovedTo)
				}
			}
			moves += len(sending.Order.Batch.Moves)
			s.End(sending, Outcome{}, nil, s.now).Marked()
			s.now = s.now.Add(time.Millisecond)
		}
		return moves
	}
	moves := 0
	for i := range 20 {
		s.rename(fmt.Sprint("f", i), "t")
		moves += repeated()
	}
	if moves != 11 {
		t.Errorf("%d renames are repeated: the first one, and ten that may be no accident", moves)
	}
	if n := s.recent.count(s.now).Counted; n != 10 {
		t.Errorf("%d deletions are remembered", n)
	}
}

// A save by a new file replaces what is there, and is no deletion; nor is what happens in
// the directories of tools, or after a while.
func TestRenamesThatLoseNothing(t *testing.T) {
	s := newSchedule(t, nil)
	s.limits = guard.Limits{Share: 0.5, Count: 100}
	for i := range 20 {
		s.rename("a", "t")
		s.rename("t", "a") // it is gone from there
		s.rename(fmt.Sprint("dir/.git/", i), "dir/.git/index")
		s.rename(fmt.Sprint("old", i), "log")
		s.now = s.now.Add(2 * deletionWindow)
	}
	for i := range 20 {
		s.rename(fmt.Sprint("g", i), "u")
		s.Mark("u", watch.Entry, s.seq, s.now)
		s.Mark("new", watch.Entry, s.seq, s.now)
		s.rename("new", "v")
	}
	if n := s.recent.count(s.now).Counted; n != 0 {
		t.Errorf("%d deletions are remembered", n)
	}
}

// Of what waits, only the last one is there under its new name.
func TestRenamesToOneNameThatWait(t *testing.T) {
	s := newSchedule(t, nil)
	s.paused = true
	for _, name := range []string{"a", "b", "c"} {
		s.Moved(name, "t", watch.Entry|watch.Content, false, s.seq, s.now)
	}
	s.paused = false
	for _, e := range s.set.Take(s.now).Entries {
		if want := map[string]string{"c": "t"}[e.Path]; e.MovedTo != want {
			t.Errorf("%q counts as renamed to %q", e.Path, e.MovedTo)
		}
	}
}

// The names are not remembered without bound.
func TestArrivalsAreBounded(t *testing.T) {
	var a arrivals
	for i := range 3 * arrivalLimit {
		a.note(fmt.Sprint("a", i), start)
		a.renamed(fmt.Sprint("b", i), fmt.Sprint("c", i), start)
	}
	if len(a) != arrivalLimit {
		t.Errorf("there are %d", len(a))
	}
}
