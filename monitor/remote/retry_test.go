package remote

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

func TestSlot(t *testing.T) {
	for n, wait := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 20: time.Minute, 1 << 30: time.Minute} {
		times := make(map[time.Time]bool)
		for range 1000 {
			now := start.Add(rand.N(wait))
			at := (&retry{phase: 123 * time.Millisecond}).slot(now, n, MaxBackoff)
			if d := at.Sub(now); d < wait/2 || d > wait/2+wait {
				t.Errorf("failure %d waits %v, expected about %v", n, d, wait)
			}
			times[at] = true
		}
		if len(times) > 2 {
			t.Errorf("failure %d: what fails within %v is tried again at %d times", n, wait, len(times))
		}
	}
	if a, b := new(retry).slot(start, 7, MaxBackoff), (&retry{phase: time.Second}).slot(start, 7, MaxBackoff); a.Equal(b) {
		t.Error("remotes come back together")
	}
}

// schedule drives a machine through time without a remote: each transfer takes a
// moment, and ends as judge says.
type schedule struct {
	*Machine
	t         *testing.T
	now       time.Time
	seq       uint64
	judge     func(batch dirty.Batch, confirm bool) Outcome
	transfers int
	sent      time.Time // when the path other was last
}

// change marks paths.
func (s *schedule) change(change watch.Change, paths ...string) {
	for _, p := range paths {
		s.seq++
		s.Mark(p, change, s.seq, s.now)
	}
}

// until carries out all that is due before end.
func (s *schedule) until(end time.Time) {
	for idle := 0; ; {
		step, at := s.Next(s.now, func() uint64 { return s.seq })
		if step == Sleep && at.After(end) {
			s.now = end
			return
		}
		if at.After(s.now) {
			s.now = at
		}
		if step != Send {
			continue
		}
		sending := s.Send(noRepositories{}, s.seq, true, s.now)
		if sending == nil { // at the end of a wait, once
			if idle++; idle > 10 {
				s.t.Fatal("a transfer of nothing is due again and again")
			}
			continue
		}
		idle = 0
		s.transfers++
		s.now = s.now.Add(50 * time.Millisecond)
		out := s.judge(sending.Order.Batch, sending.Order.Confirm)
		batch, confirm := sending.Order.Batch, sending.Order.Confirm
		s.End(sending, out, nil, s.now).Marked()
		if !confirm && out.Failure == nil && slices.ContainsFunc(batch.Entries, func(e *dirty.Entry) bool { return e.Path == "other" }) {
			s.sent = s.now
		}
	}
}

func newSchedule(t *testing.T, judge func(batch dirty.Batch, confirm bool) Outcome) *schedule {
	return &schedule{Machine: testMachine(), t: t, now: start, judge: judge}
}

// failAll is the outcome in which all paths below a directory fail, and all
// others do not.
func failAll(batch dirty.Batch, dir string) (out Outcome) {
	for _, e := range batch.Entries {
		if relpath.Below(e.Path, dir) {
			failed := *e
			failed.Attempts, failed.Problem = e.Attempts+1, "Permission denied (13)"
			out.Failed = append(out.Failed, &failed)
		}
	}
	return out
}

// What fails for ever is tried ever more rarely, however many paths it is and
// whatever else succeeds or changes, and holds up nothing.
func TestEveryRetryBacksOff(t *testing.T) {
	const other = time.Second // between changes that succeed
	trouble := Outcome{Failure: &Failure{Message: "rsync failed with an unknown code"}}
	for name, test := range map[string]struct {
		begin  func(s *schedule)
		change func(s *schedule) // comes with each that succeeds
		judge  func(batch dirty.Batch, confirm bool) Outcome
		// most transfers in the first minute and in each later one, beside those
		// for the others
		first, later int
	}{
		"paths": {
			begin: func(s *schedule) {
				for i, name := range numbered("locked/f", 800) {
					s.until(s.now.Add(time.Duration(i%2) * time.Millisecond))
					s.change(watch.Entry, name)
				}
			},
			judge: func(batch dirty.Batch, _ bool) Outcome { return failAll(batch, "locked") },
			first: 20, later: 2,
		},
		"a path that changes all the time": {
			change: func(s *schedule) { s.change(watch.Content, "locked/f") },
			judge:  func(batch dirty.Batch, _ bool) Outcome { return failAll(batch, "locked") },
			first:  20, later: 12,
		},
		"paths that are to be done again": {
			begin: func(s *schedule) { s.change(wholly&^watch.Tree, "again/f", "again/g") },
			judge: func(batch dirty.Batch, _ bool) (out Outcome) {
				for _, e := range batch.Entries {
					if relpath.Below(e.Path, "again") {
						out.Again.Entries = append(out.Again.Entries, e)
					}
				}
				return out
			},
			first: freeRounds + 10, later: 2,
		},
		"a pass": {
			begin: func(s *schedule) { s.Everything(PassVerify, 1, s.now, s.now) },
			judge: func(batch dirty.Batch, _ bool) Outcome {
				if batch.Everything != nil {
					return trouble
				}
				return Outcome{}
			},
			first: 10, later: 2,
		},
		"a pass that is to be done again": {
			begin: func(s *schedule) { s.Everything(PassVerify, 1, s.now, s.now) },
			judge: func(batch dirty.Batch, _ bool) (out Outcome) {
				out.Again.Everything = batch.Everything
				return out
			},
			first: freeRounds + 10, later: 2,
		},
		"a confirmation": {
			judge: func(batch dirty.Batch, confirm bool) Outcome {
				if confirm {
					return trouble
				}
				return Outcome{Unconfirmed: toConfirm(batch.Entries)}
			},
			first: 10, later: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchedule(t, test.judge)
			s.sent = s.now
			if test.begin != nil {
				test.begin(s)
			}
			var minutes []int
			for range 10 {
				s.transfers = 0
				for range time.Minute / other {
					s.change(wholly&^watch.Tree, "other")
					if test.change != nil {
						test.change(s)
					}
					changed := s.now
					s.until(changed.Add(other))
					if waited := s.now.Sub(s.sent); waited > 3*time.Second {
						t.Fatalf("others are held up for %v", waited)
					}
				}
				minutes = append(minutes, s.transfers-int(time.Minute/other))
			}
			if minutes[0] > test.first || slices.Max(minutes[2:]) > test.later {
				t.Errorf("transfers in each minute: %v", minutes)
			}
			if slices.Max(minutes[7:]) == 0 {
				t.Errorf("nothing is tried any more: %v", minutes)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	r := testMachine().retry
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 19: time.Minute, 20: time.Minute, 1 << 30: time.Minute} {
		shortest, longest := want, time.Duration(0)
		for range 2000 {
			d := r.backoff(n, MaxBackoff)
			shortest, longest = min(shortest, d), max(longest, d)
		}
		if longest > want || shortest < want-want/5 || longest-shortest < want/10 {
			t.Errorf("failure %d waits %v to %v, expected up to %v", n, shortest, longest, want)
		}
	}
	if d := r.backoff(100, Attention.limit()); d > attentionBackoff || d < attentionBackoff*4/5 {
		t.Errorf("attention waits %v", d)
	}
}

func TestEager(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 5 * time.Second, 6: 5 * time.Second, 1 << 30: 5 * time.Second} {
		if got := eager(n); got != want {
			t.Errorf("after %d failures: %v", n, got)
		}
	}
}

func TestJittered(t *testing.T) {
	r := testMachine().retry
	for _, d := range []time.Duration{time.Hour, time.Second, 1, 0} {
		for range 2000 {
			if got := r.jittered(d); got < d-d/10 || got > d+d/10+1 {
				t.Fatalf("%v became %v", d, got)
			}
		}
	}
}

// A full pass leaves paths alone that fail: what it is for is not done without them.
func TestPassAndFailingPaths(t *testing.T) {
	s := newSchedule(t, nil)
	s.seq++
	s.Everything(PassStart, s.seq, s.now, s.now)
	s.AddBarrier(1, s.seq, s.now)
	s.change(watch.Content, "d/a")
	s.now = s.now.Add(time.Second)
	first := s.Send(noRepositories{}, s.seq, true, s.now)
	out := failAll(first.Order.Batch, "d")
	out.Again.Everything = first.Order.Batch.Everything
	if len(out.Failed) != 1 {
		t.Fatalf("%+v", out)
	}
	s.End(first, out, nil, s.now)
	second := s.Send(noRepositories{}, s.seq, true, s.now)
	if got := second.Order.Except; second.Order.Batch.Everything == nil || !slices.Equal(got, []string{"d/a"}) {
		t.Fatalf("the pass leaves %q alone", got)
	}
	s.End(second, Outcome{}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("a barrier is reached without the path that fails")
	}
}
