package remote

import (
	"testing"
	"time"

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
