package remote

import (
	"testing"
	"time"
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
