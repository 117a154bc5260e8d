package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// What somebody waits for may be among what a remote has lost, though it had arrived when
// the loss was found.
func TestWhoWaitsWaitsForWhatWasLost(t *testing.T) {
	s := newSchedule(t, nil)
	s.change(watch.Content, "a")
	s.now = s.now.Add(time.Second)
	first := s.Send(noRepositories{}, s.seq, false, s.now)
	s.change(watch.Content, "b")
	s.AddBarrier(1, s.seq-1, s.now) // it came when only a had changed
	s.End(first, Outcome{}, nil, s.now)
	s.now = s.now.Add(time.Second)
	second := s.Send(noRepositories{}, s.seq, false, s.now)
	s.End(second, Outcome{Failure: &Failure{Kind: Trouble, Message: "the destination is another"}, Causes: Lost, Replaced: true}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("answered, and a is lost")
	}
}

// What goes while a pass that failed waits does not know what there is.
func TestChangesBesideAPassThatFails(t *testing.T) {
	s := newSchedule(t, nil)
	s.Everything(PassEvents, s.seq, s.now, s.now)
	pass := s.Send(noRepositories{}, s.seq, true, s.now)
	s.change(watch.Content, "d/f")
	s.now = s.now.Add(time.Second)
	s.End(pass, Outcome{Failure: &Failure{Kind: Attention, Message: "no space left on device"}}, nil, s.now)
	if s.canMove("a", "b") {
		t.Error("a rename is repeated")
	}
	var next *Sending
	for range 100 {
		s.now = s.now.Add(100 * time.Millisecond)
		if step, _ := s.Next(s.now, func() uint64 { return s.seq }); step == Send {
			next = s.Send(noRepositories{}, s.seq, true, s.now)
			break
		}
	}
	if next == nil || next.Order.Batch.Everything != nil || !next.Order.Uncompared {
		t.Errorf("%+v", next)
	}
}

// A pass because events were lost leaves alone what is below a path that fails: whoever
// tries that again has to look at all of it.
func TestWhatAPassLeavesAloneIsLookedAtWhole(t *testing.T) {
	s := newSchedule(t, nil)
	s.set.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: "d", Change: watch.Content, Seq: 1, Since: start, Attempts: 1}}}, s.now.Add(time.Hour))
	s.Everything(PassEvents, 2, s.now, s.now)
	s.now = s.now.Add(time.Second)
	pass := s.Send(noRepositories{}, 2, true, s.now)
	if len(pass.Order.Except) != 1 {
		t.Fatalf("it leaves %q alone", pass.Order.Except)
	}
	s.End(pass, Outcome{}, nil, s.now)
	if e := s.set.Failing(); len(e) != 1 || e[0].Change&watch.Tree == 0 {
		t.Errorf("%+v", e)
	}
}
