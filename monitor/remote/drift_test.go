package remote

import (
	"testing"
	"time"
)

// drifting is a schedule whose destination is looked at, after a first pass.
func drifting(t *testing.T) *schedule {
	t.Helper()
	s := newSchedule(t, nil)
	s.drift.interval = time.Minute
	if step, _ := s.Next(s.now, nil); step == LookForDrift {
		t.Error("it is looked at before there was a pass")
	}
	s.pass(t)
	return s
}

// pass makes the full pass that is due.
func (s *schedule) pass(t *testing.T) {
	t.Helper()
	s.Everything(PassStart, s.seq, s.now, s.now)
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	if sending == nil || sending.Order.Batch.Everything == nil {
		t.Fatal("no pass")
	}
	s.End(sending, Outcome{}, nil, s.now)
}

// lookThere makes the look that is due now, and reports whether a pass follows.
func (s *schedule) lookThere(t *testing.T, drifted bool) (pass bool) {
	t.Helper()
	if step, at := s.Next(s.now, nil); step != LookForDrift {
		t.Fatalf("no look is due before %v", at.Sub(s.now))
	}
	return s.Looked(s.BeginLook(), drifted, s.seq+1, s.now)
}

func TestLooksWhileNothingIsSent(t *testing.T) {
	s := drifting(t)
	if step, at := s.Next(s.now, nil); step != Sleep || !at.Equal(s.now.Add(time.Minute)) {
		t.Errorf("a look is due after %v", at.Sub(s.now))
	}
	s.now = s.now.Add(time.Minute)
	if s.lookThere(t, false) {
		t.Error("a pass though nothing has drifted")
	}
	s.now = s.now.Add(time.Minute)
	if !s.lookThere(t, true) || !s.Account().Everything {
		t.Error("no pass though something has drifted")
	}
	s.pass(t)
	// There was nothing to repair: the next one does not follow at once.
	s.passes.vain, s.now = 3, s.now.Add(time.Minute)
	if s.lookThere(t, true) || s.Account().Everything {
		t.Error("a pass follows at once each time")
	}
}

// What was seen while something was sent may have been that.
func TestLookBesideATransfer(t *testing.T) {
	s := drifting(t)
	s.now = s.now.Add(time.Minute)
	l := s.BeginLook()
	s.change(made, "a")
	s.now = s.now.Add(time.Second)
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	if s.Looked(l, true, s.seq, s.now) {
		t.Error("our own work is drift")
	}
	l = s.BeginLook()
	s.End(sending, Outcome{}, nil, s.now)
	if s.Looked(l, true, s.seq, s.now) {
		t.Error("our own work is drift, when it is done")
	}
}

// A wait until all is verified waits for a look, and for the pass that follows it.
func TestVerifiedAfterALook(t *testing.T) {
	for _, drifted := range []bool{false, true} {
		s := drifting(t)
		s.passes.vain = 3
		s.barriers.Wanted = 1
		s.AddBarrier(1, 5, s.now)
		s.seq = 6
		if s.Answer(); s.barriers.Acknowledged != 1 || s.barriers.Verified != 0 {
			t.Errorf("acknowledged %d, verified %d before a look", s.barriers.Acknowledged, s.barriers.Verified)
		}
		if pass := s.lookThere(t, drifted); pass != drifted {
			t.Errorf("drifted %v: a pass %v", drifted, pass)
		}
		if s.Answer(); (s.barriers.Verified == 1) == drifted {
			t.Errorf("drifted %v: verified %d", drifted, s.barriers.Verified)
		}
		if drifted {
			sending := s.Send(noRepositories{}, s.seq, true, s.now)
			s.End(sending, Outcome{Drift: 1}, nil, s.now)
			if s.Answer(); s.barriers.Verified != 1 {
				t.Error("not verified after the pass")
			}
		}
	}
}

// Where there is always something to send, the transfers look.
func TestVerifiedWhileChangesGoOn(t *testing.T) {
	s := drifting(t)
	s.barriers.Wanted = 1
	s.AddBarrier(1, 5, s.now)
	s.seq = 6
	look := s.BeginLook()
	s.change(made, "a")
	s.now = s.now.Add(time.Second)
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	s.End(sending, Outcome{}, nil, s.now)
	s.Looked(look, false, s.seq, s.now)
	if s.Answer(); s.barriers.Verified != 1 {
		t.Error("the look is disturbed, and so is the next")
	}
}
