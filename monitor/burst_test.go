package monitor

import (
	"testing"
	"time"

	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

func TestBurstEnd(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	b := newBench(t)
	b.now = now
	b.change(watch.Content, numbered("d/", burstCount)...)
	if end := b.burstEnd(now); !end.IsZero() {
		t.Error("few changes are a burst")
	}
	b.change(watch.Content, "one/more")
	if end := b.burstEnd(now); !end.Equal(at(burstQuiet)) {
		t.Errorf("a burst may go after %v", end.Sub(now))
	}
	// The next change prolongs it, but not for ever.
	b.now = at(burstQuiet / 2)
	b.change(watch.Content, "and/another")
	if end := b.burstEnd(b.now); !end.Equal(b.now.Add(burstQuiet)) {
		t.Errorf("a burst that goes on may go after %v", end.Sub(now))
	}
	b.now = at(burstLimit)
	b.change(watch.Content, "and/on")
	if end := b.burstEnd(b.now); !end.Equal(at(burstLimit)) {
		t.Errorf("a burst without an end may go after %v", end.Sub(now))
	}
	if due, ok := b.due(b.now); !ok || due.After(b.now) {
		t.Errorf("it is due after %v, %v", due.Sub(now), ok)
	}
	b.set.Take(at(burstLimit))
	if end := b.burstEnd(b.now); !end.IsZero() {
		t.Error("a burst that is taken goes on")
	}
	b.change(watch.Content, numbered("d/", burstCount+1)...)
	if end := b.burstEnd(b.now); !end.Equal(b.now.Add(burstQuiet)) {
		t.Error("the next burst is not one of its own")
	}
	b.markEverything(remote.PassVerify, 1, b.now, b.now)
	if end := b.burstEnd(b.now); !end.IsZero() {
		t.Error("a full pass waits for a burst")
	}
}

// Removals that nothing follows any more go at once, whatever was changing when
// they were taken.
func TestSettled(t *testing.T) {
	b := newBench(t)
	b.change(watch.Entry, "f")
	ask := b.settled(b.set.Take(b.now), b.now)
	if got := ask(); got.settled || got.quiet {
		t.Error("settled at once")
	}
	b.mu.Lock()
	b.changedAt = b.changedAt.Add(-settleTime)
	b.mu.Unlock()
	if got := ask(); !got.settled || !got.quiet {
		t.Error("not settled after a quiet moment")
	}
	b.now = b.now.Add(time.Hour)
	b.change(watch.Content, "g")
	if ask().settled {
		t.Error("settled although something changes")
	}
	batch := b.set.Take(b.now)
	for _, test := range []struct {
		after time.Duration
		want  calm
	}{{settleLimit, calm{true, false}}, {quietLimit, calm{true, true}}} {
		taken := b.now.Add(test.after)
		b.mu.Lock()
		b.changedAt = taken // something changes all the time
		b.mu.Unlock()
		if got := b.settled(batch, taken)(); got != test.want {
			t.Errorf("after %v: %+v, expected %+v", test.after, got, test.want)
		}
	}
}
