package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
)

// A pass that has more reasons than one is made for the one that explains most.
func TestPassReason(t *testing.T) {
	var p Passes
	p.Because(PassVerify, false)
	p.Because(PassEvents, true)
	p.Because(PassVerify, true)
	if p.Reason() != PassEvents {
		t.Errorf("reason %d", p.Reason())
	}
	p.Because(PassVerify, false)
	if p.Reason() != PassVerify {
		t.Errorf("reason %d, of a pass that is over", p.Reason())
	}
}

func TestPassInterval(t *testing.T) {
	var p Passes
	if _, ok := p.Next(); ok || p.TakeNext(start) {
		t.Error("a pass is due before there was one")
	}
	p.Done(PassStart, 5, start, time.Hour)
	p.Done(PassVerify, 3, start, time.Hour)
	if p.Drift != 3 || !p.Last.Equal(start) {
		t.Errorf("%+v", p)
	}
	if at, ok := p.Next(); !ok || !at.Equal(start.Add(time.Hour)) {
		t.Errorf("next at %v, %v", at, ok)
	}
	if p.TakeNext(start.Add(time.Hour-1)) || !p.TakeNext(start.Add(time.Hour)) || p.TakeNext(start.Add(time.Hour)) {
		t.Error("not due once, after the interval")
	}
}

// What somebody else seems to have changed is passed over at once, but ever more
// rarely where there is nothing to repair; other passes count for nothing then.
func TestPassesInVain(t *testing.T) {
	var p Passes
	at := start
	pass := func(reason PassReason, repaired int) { p.Done(reason, repaired, at, time.Hour) }
	pass(PassStart, 5)
	if !p.Noticed(at) {
		t.Error("the first one is not due at once")
	}
	pass(PassLost, 3)
	if !p.Noticed(at) || p.Drift != 3 {
		t.Errorf("after one that repaired something: %+v", p)
	}
	pass(PassLost, 0)
	if p.Noticed(at) {
		t.Error("due at once after one in vain")
	}
	if next, _ := p.Next(); !next.Equal(start.Add(vainInterval)) {
		t.Errorf("next at %v", next)
	}
	at = at.Add(vainInterval)
	if !p.Noticed(at) {
		t.Error("not due after the interval")
	}
	pass(PassLost, 0)
	pass(PassEvents, 7)
	at = at.Add(vainInterval)
	if p.Noticed(at) || p.Drift != 3 {
		t.Errorf("the interval did not grow: %+v", p)
	}
	for range 100 {
		pass(PassLost, 0)
	}
	if p.Noticed(at.Add(time.Hour)) {
		t.Error("the interval did not go on growing")
	}
	pass(PassVerify, 1)
	if !p.Noticed(at) {
		t.Error("not due at once after one that repaired something")
	}
}

// A shorter interval counts from the last pass, a longer one from the next.
func TestSetInterval(t *testing.T) {
	start := time.Unix(1e9, 0)
	p := Passes{Interval: time.Hour}
	p.SetInterval(2 * time.Hour) // before there was any
	if _, ok := p.Next(); ok || p.Interval != 2*time.Hour {
		t.Errorf("%+v", p)
	}
	for _, test := range []struct{ interval, next time.Duration }{
		{time.Minute, time.Minute},
		{time.Hour, time.Minute},
		{time.Second, time.Second},
		{time.Second, time.Second},
	} {
		if test.interval == time.Minute {
			p.Done(PassVerify, 0, start, p.Interval)
		}
		p.SetInterval(test.interval)
		if next, ok := p.Next(); !ok || !next.Equal(start.Add(test.next)) || p.Interval != test.interval {
			t.Errorf("%v: next %v, %+v", test.interval, next, p)
		}
	}
}

// The pass that follows one that is held is for what that was for: files that may have changed
// without a difference in size and time are read by it, too.
func TestPassThatWasHeldIsMadeUpFor(t *testing.T) {
	s := newSchedule(t, nil)
	s.clean.asOf = start.Add(-time.Hour)
	pass := func(reason PassReason, out Outcome) *Sending {
		s.now = s.now.Add(time.Minute)
		s.Everything(reason, s.seq, s.now, s.now)
		sending := s.Send(noRepositories{}, s.seq, true, s.now)
		s.End(sending, out, nil, s.now)
		return sending
	}
	h := holdOf("gone")
	h.Pass = &dirty.Entry{Seq: 1, Since: start}
	pass(PassStart, Outcome{Hold: h})
	if sending := pass(PassVerify, Outcome{}); sending.reason != PassStart || sending.Order.Since.IsZero() {
		t.Errorf("reason %v, files since %v", sending.reason, sending.Order.Since)
	}
	s.release(true, s.now)
	if sending := pass(PassVerify, Outcome{}); sending.reason != PassVerify {
		t.Errorf("a later one has the reason %v", sending.reason)
	}
}
