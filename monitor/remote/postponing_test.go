package remote

import (
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// delayed is a schedule of a remote with a delay, whose transfers leave what is not due and
// settle the rest, and the paths that were let go.
func delayed(t *testing.T) (s *schedule, went map[string]time.Time) {
	went = make(map[string]time.Time)
	s = newSchedule(t, nil)
	var order *Order // of the transfer that is judged
	s.judge = func(batch dirty.Batch, _ bool) (out Outcome) {
		for _, e := range batch.Entries {
			if order = &s.running.Order; order.Deletes(e.Path) {
				went[e.Path] = s.now
				out.Settled = append(out.Settled, e.Path)
			} else {
				out.Left = append(out.Left, Gone{Path: e.Path})
			}
		}
		return out
	}
	r := s.remote
	r.DeleteAfter = config.Delay(time.Hour)
	s.redefine(r)
	s.until(s.now.Add(time.Minute))
	return s, went
}

// What is left is clean, is shown, and is let go when it is due and not before, also by the
// machine that comes after.
func TestPostponed(t *testing.T) {
	s, went := delayed(t)
	began := s.now
	s.change(made, "gone")
	s.until(s.now.Add(time.Minute))
	s.AddBarrier(1, s.seq, s.now)
	if s.Answer(); s.barriers.Acknowledged != 1 {
		t.Error("who waits, waits for what is to be deleted later")
	}
	status := s.Status(s.now)
	if p := status.Postponed; p == nil || p.Count != 1 || p.First.Before(began.Add(time.Hour)) || status.State != report.InSync {
		t.Fatalf("postponed %+v, %s", p, status.State)
	}
	due := status.Postponed.First
	s.Everything(PassVerify, s.seq, s.now, s.now)
	s.change(made, "gone") // nothing begins anew
	s.until(due.Add(-time.Minute))
	if !s.Status(s.now).Postponed.First.Equal(due) || len(went) != 0 {
		t.Errorf("due %v, before %v, gone %v", s.Status(s.now).Postponed.First, due, went)
	}
	next := NewMachine(Options{Postponed: s.Postponed(), Random: s.options.Random, Words: s.options.Words}, s.now)
	next.Define(Definition{Remote: s.remote, Settings: report.Settings{FullPassInterval: 24 * time.Hour}}, s.seq, s.now)
	next.Arm()
	s.Machine = next
	s.until(due.Add(time.Minute))
	if at := went["gone"]; at.Before(due) || s.Status(s.now).Postponed != nil || s.Postponed().Len() != 0 {
		t.Errorf("gone at %v, due at %v, postponed %+v", at, due, s.Postponed())
	}
}

// A name that is held by a guard when it is due may go when it is let go.
func TestPostponedIsHeld(t *testing.T) {
	s, went := delayed(t)
	s.change(made, "gone")
	s.until(s.now.Add(time.Minute))
	s.now = s.now.Add(2 * time.Hour)
	s.Next(s.now, func() uint64 { return s.seq })
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	if sending == nil {
		t.Fatal("nothing is sent of what is due")
	}
	hold := &Hold{Entries: sending.Order.Batch.Entries}
	hold.Names.Add("gone", true)
	s.End(sending, Outcome{Hold: hold}, nil, s.now)
	if s.holds.held == nil || s.Status(s.now).Postponed != nil {
		t.Fatalf("held %v, postponed %+v", s.holds.held, s.Status(s.now).Postponed)
	}
	s.release(true, s.now)
	s.until(s.now.Add(time.Minute))
	if _, ok := went["gone"]; !ok {
		t.Error("what was approved begins to wait anew")
	}
}

// A rename is not repeated where the old name is to stay, and is remembered as one.
func TestPostponedRename(t *testing.T) {
	s, _ := delayed(t)
	s.Moved("a", "b", watch.Entry|watch.Content, true, s.seq+1, s.now)
	if moves := s.set.Moves(); len(moves) > 0 {
		t.Errorf("%v is to be repeated", moves)
	}
	s.postponing.set(NewPostponed([]Postponement{{Gone{Path: "c", MovedTo: "d"}, s.now}}, false))
	s.wakePostponed(func() uint64 { return s.seq }, s.now)
	for e := range s.set.All() {
		if e.Path == "c" && e.MovedTo == "d" {
			return
		}
	}
	t.Error("what was renamed is not known any more when it is due")
}
