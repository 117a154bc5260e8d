package dirty

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wsync/monitor/watch"
)

// parked is a set with an entry that cannot be on the remote.
func parked(path string) *Set {
	s := NewSet()
	e := &Entry{Path: path, Change: entry, Seq: 1, Since: start, Attempts: 1, Reason: BadName, Problem: "no"}
	s.Restore(Batch{Entries: []*Entry{e}}, Never)
	return s
}

// What cannot be there waits for a full pass, and comes with it.
func TestParked(t *testing.T) {
	s := parked("a:b")
	if at, ok := s.Ripe(); ok {
		t.Errorf("ripe at %v", at)
	}
	if b := s.Take(at(1000 * time.Hour)); !b.Empty() {
		t.Errorf("taken: %q", paths(b))
	}
	s.MarkEverything(2, start, start)
	b := s.Take(start)
	if got := paths(b); !slices.Equal(got, []string{"a:b"}) {
		t.Fatalf("with a full pass %q are taken", got)
	}
	s.Restore(Batch{Entries: b.Entries}, Never)
	if len(s.Parked()) != 1 {
		t.Error("it is not parked again")
	}
}

// It is tried again when it changes, and when a directory above does.
func TestUnparked(t *testing.T) {
	for _, changed := range []string{"d/a:b", "d"} {
		s := parked("d/a:b")
		s.Mark(changed, entry|watch.Tree, 2, start)
		if len(s.Parked()) != 0 {
			t.Errorf("still parked after a change of %s", changed)
		}
		if b := s.Take(at(RetryWait)); !slices.Contains(paths(b), "d/a:b") {
			t.Errorf("after a change of %s only %q are taken", changed, paths(b))
		}
	}
}

// It counts for nothing where that is asked for, as long as it does not change.
func TestSkipParked(t *testing.T) {
	s := parked("a:b")
	if _, _, open := s.Oldest(); s.Len() != 1 || !open {
		t.Error("what is parked does not count")
	}
	s.SkipParked(true)
	if _, _, open := s.Oldest(); s.Len() != 0 || open {
		t.Error("what is to be skipped counts")
	}
	s.Mark("a:b", entry, 2, start)
	if _, _, open := s.Oldest(); s.Len() != 1 || !open {
		t.Error("what has changed does not count")
	}
}

// It folds into nothing, which would fail for its sake.
func TestParkedDoesNotFold(t *testing.T) {
	for name, path := range map[string]func(i int) string{
		"into a directory": func(i int) string { return fmt.Sprintf("d/%d", i) },
		"into a full pass": func(i int) string { return fmt.Sprint(i) },
	} {
		s := parked("d/a:b")
		for i := range Limit + 1 {
			s.Mark(path(i), closed, uint64(i+2), start)
		}
		if left := s.Parked(); len(left) != 1 || left[0].Path != "d/a:b" {
			t.Errorf("%s: %d are parked", name, len(left))
		}
		for _, e := range s.Take(start).Entries {
			if e.Path != "d/a:b" && e.Failing() {
				t.Errorf("%s: %s fails", name, e.Path)
			}
		}
	}
}
