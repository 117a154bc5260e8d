package remote

import (
	"testing"
	"time"

	"wsync/monitor/watch"
)

func TestBurstEnd(t *testing.T) {
	s := newSchedule(t, nil)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	end := func() time.Time { return s.burst.end(s.ripening(), s.changed, s.now) }
	s.change(watch.Content, numbered("d/", burstCount)...)
	if !end().IsZero() {
		t.Error("few changes are a burst")
	}
	s.change(watch.Content, "one/more")
	if end := end(); !end.Equal(at(burstQuiet)) {
		t.Errorf("a burst may go after %v", end.Sub(start))
	}
	// The next change prolongs it, but not for ever.
	s.now = at(burstQuiet / 2)
	s.change(watch.Content, "and/another")
	if end := end(); !end.Equal(s.now.Add(burstQuiet)) {
		t.Errorf("a burst that goes on may go after %v", end.Sub(start))
	}
	s.now = at(burstLimit)
	s.change(watch.Content, "and/on")
	if end := end(); !end.Equal(at(burstLimit)) {
		t.Errorf("a burst without an end may go after %v", end.Sub(start))
	}
	if step, due := s.Next(s.now, nil); step != Send {
		t.Errorf("it is due after %v", due.Sub(start))
	}
	s.set.Take(at(burstLimit))
	if !end().IsZero() {
		t.Error("a burst that is taken goes on")
	}
	s.change(watch.Content, numbered("d/", burstCount+1)...)
	if !end().Equal(s.now.Add(burstQuiet)) {
		t.Error("the next burst is not one of its own")
	}
	s.Everything(PassVerify, 1, s.now, s.now)
	if !end().IsZero() {
		t.Error("a full pass waits for a burst")
	}
}

// Removals that nothing follows any more go at once, whatever was changing when
// they were taken.
func TestCalm(t *testing.T) {
	s := newSchedule(t, nil)
	s.change(watch.Entry, "f")
	since := s.now
	if got := s.Calm(since, s.now); got.Settled || got.Quiet {
		t.Error("settled at once")
	}
	if got := s.Calm(since, s.now.Add(settleTime)); !got.Settled || !got.Quiet {
		t.Error("not settled after a quiet moment")
	}
	for _, test := range []struct {
		after time.Duration
		want  Calm
	}{{settleTime, Calm{}}, {settleLimit, Calm{true, false}}, {quietLimit, Calm{true, true}}} {
		s.now = since.Add(test.after)
		s.change(watch.Entry, "g") // something comes or goes all the time
		if got := s.Calm(since, s.now); got != test.want {
			t.Errorf("after %v: %+v, expected %+v", test.after, got, test.want)
		}
	}
	// What is only written to holds nothing up.
	s.now = s.now.Add(settleTime)
	s.change(watch.Content|watch.Meta, "g")
	if got := s.Calm(s.now, s.now); !got.Settled {
		t.Error("a removal waits for what is written to a file")
	}
}
