package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// unapproved are the deletions that were held when the user asked to try again.
func TestWhatWasHeldIsOwedAfterARetry(t *testing.T) {
	s := heldSchedule(t, 10)
	s.Define(Definition{Remote: s.remote, Settings: report.Settings{HoldDeletionsShare: 0.5, HoldDeletionsCount: 100}, Orders: report.Orders{Retry: 1}}, 5, s.now)
	if s.holds.held != nil {
		t.Fatal("it is held as before")
	}
	s.holds.add(holdOf("f0"), s.now, s.newID(s.now))
	if s.release(true, s.now); !s.Unapproved() {
		t.Error("one of ten is approved, and the others count as approved")
	}
	s.holds.add(holdOf(numbered("f", 10)[1:]...), s.now, s.newID(s.now))
	if s.release(true, s.now); s.Unapproved() {
		t.Error("all are approved, and do not count as approved")
	}
}

// What a pass leaves alone may be what was held.
func TestAPassThatLeavesSomethingOutSettlesNothing(t *testing.T) {
	s := newSchedule(t, nil)
	s.holds.earlier = true
	pass := func(except ...string) {
		s.now = s.now.Add(time.Minute)
		s.Everything(PassVerify, s.seq, s.now, s.now)
		sending := s.Send(noRepositories{}, s.seq, true, s.now)
		sending.Order.Except = except
		s.End(sending, Outcome{}, nil, s.now)
	}
	if pass("fails"); !s.Unapproved() {
		t.Error("what fails was left alone")
	}
	if pass(); s.Unapproved() {
		t.Error("nothing is left that was held")
	}
}

// The user has seen what one destination holds, and not what another does.
func TestApprovalOfOneDestinationIsNoneOfAnother(t *testing.T) {
	s := newSchedule(t, nil)
	s.adoption = adoption{}
	pass := func(out Outcome) *Sending {
		s.now = s.now.Add(time.Hour)
		s.Everything(PassVerify, s.seq, s.now, s.now)
		sending := s.Send(noRepositories{}, s.seq, true, s.now)
		s.End(sending, out, nil, s.now)
		return sending
	}
	h := holdOf("theirs")
	h.All, h.Pass = true, &dirty.Entry{Seq: 1, Since: start}
	if s := pass(Outcome{Hold: h}); s.Order.MayAdopt {
		t.Error("nobody was asked")
	}
	s.release(true, s.now)
	if s := pass(Outcome{Failure: &Failure{Kind: Trouble}, Replaced: true}); !s.Order.MayAdopt {
		t.Error("approved, and not adopted")
	}
	if s := pass(Outcome{}); !s.Order.Adopt || s.Order.MayAdopt {
		t.Errorf("another destination: %+v", s.Order)
	}
}

// What a pass leaves alone is held as before, if it was.
func TestHoldOfAPassThatLeavesSomethingOut(t *testing.T) {
	for _, except := range [][]string{nil, {"d"}} {
		s := newSchedule(t, nil)
		s.holds.add(holdOf("d/f", "other"), s.now, s.newID(s.now))
		s.now = s.now.Add(time.Minute)
		s.Everything(PassVerify, s.seq, s.now, s.now)
		sending := s.Send(noRepositories{}, s.seq, true, s.now)
		sending.Order.Except = except
		h := holdOf("other")
		h.Pass = &dirty.Entry{Seq: 1, Since: start}
		s.End(sending, Outcome{Hold: h}, nil, s.now)
		if n, want := s.holds.Names.Len(), 1+len(except); n != want {
			t.Errorf("except %q: %d names are held, want %d", except, n, want)
		}
	}
}

// What an earlier monitor held is held when all that was held since is there again.
func TestWhatAnEarlierMonitorHeldStaysHeld(t *testing.T) {
	s := newSchedule(t, nil)
	s.holds.earlier = true
	s.holds.add(holdOf("f"), s.now, s.newID(s.now))
	s.holds.touch("f")
	look, ok := s.LookAtHold(s.now)
	if !ok {
		t.Fatal("nobody looks")
	}
	if s.Returned(look, map[string]bool{"f": false}, s.now); s.holds.held != nil {
		t.Fatal("it is held, and there again")
	}
	if !s.Unapproved() {
		t.Error("nobody has approved what was held before")
	}
	h := holdOf("f")
	h.Partial = true
	s.holds.add(h, s.now, s.newID(s.now))
	if s.release(true, s.now); !s.Unapproved() {
		t.Error("what was approved is not what was held before")
	}
	s.holds.add(holdOf("f", "g"), s.now, s.newID(s.now))
	if s.release(true, s.now); s.Unapproved() {
		t.Error("all that a full pass has found is approved")
	}
}
