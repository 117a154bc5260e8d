package monitor

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

func TestSlot(t *testing.T) {
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for n, wait := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 20: time.Minute, 1 << 30: time.Minute} {
		times := make(map[time.Time]bool)
		for range 1000 {
			now := start.Add(rand.N(wait))
			at := slot(now, 123*time.Millisecond, n, maxBackoff)
			if d := at.Sub(now); d < wait/2 || d > wait/2+wait {
				t.Errorf("failure %d waits %v, expected about %v", n, d, wait)
			}
			times[at] = true
		}
		if len(times) > 2 {
			t.Errorf("failure %d: what fails within %v is tried again at %d times", n, wait, len(times))
		}
	}
	if a, b := slot(start, 0, 7, maxBackoff), slot(start, time.Second, 7, maxBackoff); a.Equal(b) {
		t.Error("remotes come back together")
	}
}

// simulation drives a worker's schedule through time without a remote: each
// transfer takes a moment, and ends as judge says.
type simulation struct {
	*bench
	judge     func(batch dirty.Batch, confirm bool) outcome
	transfers int
	sent      time.Time // when the path other was last
}

// until carries out all that is due before end.
func (s *simulation) until(end time.Time) {
	for idle := 0; ; {
		at, ok := s.due(s.now)
		if !ok || at.After(end) {
			s.now = end
			return
		}
		if at.After(s.now) {
			s.now = at
		}
		batch := s.set.Take(s.now)
		confirm := batch.Empty()
		if confirm {
			batch = s.confirmations.Take(s.now)
		}
		if batch.Empty() { // at the end of a wait, once
			if idle++; idle > 10 {
				s.t.Fatal("a transfer of nothing is due again and again")
			}
			continue
		}
		idle = 0
		s.transfers++
		s.now = s.now.Add(50 * time.Millisecond)
		s.confirmations.End()
		out := s.judge(batch, confirm)
		s.settle(batch, confirm, out, remote.PassEvents, s.now)
		if !confirm && out.err == nil && slices.ContainsFunc(batch.Entries, func(e *dirty.Entry) bool { return e.Path == "other" }) {
			s.sent = s.now
		}
	}
}

// failAll is the outcome in which all paths below a directory fail, and all
// others do not.
func failAll(batch dirty.Batch, dir string) (out outcome) {
	for _, e := range batch.Entries {
		if relpath.Below(e.Path, dir) {
			failed := *e
			failed.Attempts, failed.Problem = e.Attempts+1, "Permission denied (13)"
			out.failed = append(out.failed, &failed)
		}
	}
	return out
}

// What fails for ever is tried ever more rarely, however many paths it is and
// whatever else succeeds or changes, and holds up nothing.
func TestEveryRetryBacksOff(t *testing.T) {
	const other = time.Second // between changes that succeed
	trouble := outcome{err: errors.New("rsync failed with an unknown code")}
	for name, test := range map[string]struct {
		begin  func(s *simulation)
		change func(s *simulation) // comes with each that succeeds
		judge  func(batch dirty.Batch, confirm bool) outcome
		// most transfers in the first minute and in each later one, beside those
		// for the others
		first, later int
	}{
		"paths": {
			begin: func(s *simulation) {
				for i, name := range numbered("locked/f", 800) {
					s.until(s.now.Add(time.Duration(i%2) * time.Millisecond))
					s.change(watch.Entry, name)
				}
			},
			judge: func(batch dirty.Batch, _ bool) outcome { return failAll(batch, "locked") },
			first: 20, later: 2,
		},
		"a path that changes all the time": {
			change: func(s *simulation) { s.bench.change(watch.Content, "locked/f") },
			judge:  func(batch dirty.Batch, _ bool) outcome { return failAll(batch, "locked") },
			first:  20, later: 12,
		},
		"paths that are to be done again": {
			begin: func(s *simulation) { s.change(made, "again/f", "again/g") },
			judge: func(batch dirty.Batch, _ bool) (out outcome) {
				for _, e := range batch.Entries {
					if relpath.Below(e.Path, "again") {
						out.again.Entries = append(out.again.Entries, e)
					}
				}
				return out
			},
			first: freeRounds + 10, later: 2,
		},
		"a pass": {
			begin: func(s *simulation) { s.markEverything(remote.PassVerify, 1, s.now, s.now) },
			judge: func(batch dirty.Batch, _ bool) outcome {
				if batch.Everything != nil {
					return trouble
				}
				return outcome{}
			},
			first: 10, later: 2,
		},
		"a pass that is to be done again": {
			begin: func(s *simulation) { s.markEverything(remote.PassVerify, 1, s.now, s.now) },
			judge: func(batch dirty.Batch, _ bool) (out outcome) {
				out.again.Everything = batch.Everything
				return out
			},
			first: freeRounds + 10, later: 2,
		},
		"a confirmation": {
			judge: func(batch dirty.Batch, confirm bool) outcome {
				if confirm {
					return trouble
				}
				return outcome{direct: toConfirm(batch.Entries)}
			},
			first: 10, later: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &simulation{bench: newBench(t), judge: test.judge}
			s.sent = s.now
			if test.begin != nil {
				test.begin(s)
			}
			var minutes []int
			for range 10 {
				s.transfers = 0
				for range time.Minute / other {
					s.change(made, "other")
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
