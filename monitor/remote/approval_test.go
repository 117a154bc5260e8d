package remote

import (
	"fmt"
	"testing"
	"time"

	"wsync/monitor/watch"
)

// What comes after the user's word was not meant by it, also under the same name.
func TestApprovalIsNotForWhatComesLater(t *testing.T) {
	s := newSchedule(t, nil)
	approve := func(names ...string) {
		s.holds.add(holdOf(names...), s.now, s.newID(s.now))
		s.release(true, s.now)
	}
	approve("a/f", "a/g", "b/f", "c")
	before := s.holds.approvals.current()
	s.Mark("a", watch.Entry|watch.Tree, s.seq, s.now)
	s.Mark("b/new", watch.Entry, s.seq, s.now)
	s.Mark("b", watch.Meta, s.seq, s.now)
	s.Moved("d", "c", watch.Entry|watch.Content, false, s.seq, s.now)
	covers := func(want map[string]bool) {
		t.Helper()
		for name, want := range want {
			if s.holds.approvals.current().Covers(name) != want {
				t.Errorf("%s is approved: %v", name, !want)
			}
		}
	}
	covers(map[string]bool{"a": false, "a/f": false, "a/g": false, "b/f": true, "b": true, "c": false})
	if !before.Covers("a/f") {
		t.Error("what a transfer has is changed")
	}
	approve("a/f")
	covers(map[string]bool{"a/f": true, "a/g": false, "c": false})
	approve("x")
	covers(map[string]bool{"a/f": true, "x": true})
}

// Nothing is remembered for ever, nor without bound.
func TestApprovalEnds(t *testing.T) {
	var a approvals
	if a.current().Covers("a") {
		t.Error("nobody has approved anything")
	}
	a.give(holdOf("a").Names, start)
	for open, want := range map[bool]bool{true: true, false: false} {
		b := a
		if b.end(func() bool { return open }, start.Add(2*approvalTime)); b.current().Covers("a") != want {
			t.Errorf("open: %v, approved: %v", open, !want)
		}
	}
	a.give(holdOf(numbered("f", cameLimit+2)...).Names, start)
	for i := range cameLimit + 1 {
		a.touch(fmt.Sprint("f", i))
	}
	if a.current().Covers("f0") || a.current().Covers(fmt.Sprint("f", cameLimit+1)) || a.came != nil {
		t.Error("more is remembered than there may be")
	}
	a.give(holdOf("a").Names, start.Add(time.Second))
}
