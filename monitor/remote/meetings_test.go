package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// metBy is the outcome of a transfer that another mirror stops.
func metBy(ids ...string) Outcome {
	return Outcome{Failure: &Failure{Kind: Met, Other: &Meeting{IDs: ids}}}
}

// A user may let another mirror go while a transfer is under way that does not know
// of it, while changes come that are sent before the pass which met it, and while the
// remote is offline. What comes back afterwards is another matter.
func TestTakeOver(t *testing.T) {
	for name, test := range map[string]struct {
		// before is how the transfer ends that is under way when the user speaks.
		before Outcome
		// after are the outcomes of those that follow.
		after []Outcome
		// change has a path change before each of them.
		change bool
	}{
		"a moment before the next look":  {metBy("x"), []Outcome{{}}, false},
		"offline for a while":            {metBy("x"), []Outcome{{Failure: &Failure{Kind: Offline}}, {}}, false},
		"changes come":                   {metBy("x"), []Outcome{{}}, true},
		"something is to be looked at":   {metBy("x"), []Outcome{{Again: dirty.Batch{Everything: &dirty.Entry{Seq: 1}}}, {}}, false},
		"nothing is there of it already": {Outcome{Failure: &Failure{Kind: Offline}}, []Outcome{{}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchedule(t, nil)
			s.Everything(PassStart, 1, s.now, s.now)
			send := func() *Sending {
				t.Helper()
				for range 10 {
					s.now = s.now.Add(time.Minute)
					if sending := s.Send(noRepositories{}, s.seq, true, s.now); sending != nil {
						return sending
					}
				}
				t.Fatal("nothing is due")
				return nil
			}
			s.End(send(), metBy("x"), nil, s.now)
			id := s.Status(s.now).Held.ID
			running := send()
			if test.change {
				s.change(watch.Entry, "a")
			}
			s.order(report.Orders{Approve: id}, 1, s.now)
			s.End(running, test.before, nil, s.now)
			for _, out := range test.after {
				sending := send()
				if len(sending.Order.TakeOver) != 1 {
					t.Fatalf("a transfer is not told what to take over: %+v", sending.Order)
				}
				s.End(sending, out, nil, s.now)
			}
			s.Everything(PassVerify, 2, s.now, s.now)
			sending := send()
			if sending.Order.TakeOver != nil {
				t.Error("approved for ever")
			}
			s.End(sending, metBy("x"), nil, s.now)
			if held := s.Status(s.now).Held; held == nil || held.ID == id {
				t.Errorf("held %+v", held)
			}
		})
	}
}

// A user who has detached the other one and resumes is told nothing of it while the next
// look is under way.
func TestResumeAfterAMeeting(t *testing.T) {
	s := newSchedule(t, nil)
	s.Everything(PassStart, 1, s.now, s.now)
	s.end(metBy("x"))
	if state := s.Status(s.now).State; state != report.Halted {
		t.Errorf("%s", state)
	}
	s.order(report.Orders{Retry: 1}, 1, s.now)
	if status := s.Status(s.now); status.State == report.Halted || status.Held != nil {
		t.Errorf("%+v", status)
	}
}
