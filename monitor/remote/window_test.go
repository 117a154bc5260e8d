package remote

import (
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// windowed has a window that opens in two hours.
func windowed(t *testing.T, waiting string) (s *schedule, opens time.Time) {
	t.Helper()
	s = newSchedule(t, nil)
	opens = s.now.Truncate(time.Hour).Add(2 * time.Hour)
	r := s.remote
	r.Window = config.Window(opens.Format("15:04") + "-" + opens.Add(time.Hour).Format("15:04"))
	r.WindowFor = waiting
	s.redefine(r)
	return s, opens
}

// redefine has the remote defined anew.
func (s *schedule) redefine(r config.Remote) {
	s.Define(Definition{Remote: r, Settings: report.Settings{FullPassInterval: 24 * time.Hour, HoldDeletionsShare: 0.5, HoldDeletionsCount: 100}}, s.seq, s.now)
}

// What is large waits for the window, is shown, and keeps a barrier open; what is small
// does not. It waits no longer when there is another window.
func TestLargeWaitsForTheWindow(t *testing.T) {
	for name, end := range map[string]func(s *schedule, opens time.Time){
		"it opens": func(s *schedule, opens time.Time) { s.now = opens },
		"another one": func(s *schedule, opens time.Time) {
			r := s.remote
			r.Window = ""
			s.redefine(r)
		},
		"it has changed": func(s *schedule, opens time.Time) { s.change(watch.Content, "large") },
	} {
		s, opens := windowed(t, "")
		s.change(watch.Content, "large", "small")
		s.now = s.now.Add(time.Second)
		first := s.Send(noRepositories{}, s.seq, true, s.now)
		if first == nil || !first.Order.Shut {
			t.Fatal("the order does not say that the window is shut")
		}
		var large dirty.Batch
		for _, e := range first.Order.Batch.Entries {
			if e.Path == "large" {
				large.Entries = append(large.Entries, e)
			}
		}
		s.AddBarrier(1, s.seq, s.now)
		s.End(first, Outcome{Large: large}, nil, s.now)
		if s.Answer(); s.barriers.Acknowledged != 0 {
			t.Error("a barrier is reached although something waits")
		}
		status := s.Status(s.now)
		if w := status.Window; w == nil || w.Paths != 1 || w.All || !w.Until.Equal(opens) || !status.OnlyWindow() {
			t.Errorf("%s: %+v", name, status.Window)
		}
		if step, _ := s.Next(s.now, nil); step != Sleep {
			t.Errorf("%s: it is sent while the window is shut", name)
		}
		end(s, opens)
		s.now = s.now.Add(time.Second)
		if s.Status(s.now).Window != nil {
			t.Errorf("%s: then it waits all the same", name)
		}
		second := s.Send(noRepositories{}, s.seq, true, s.now)
		if second == nil || pathsOf(second.Order.Batch) != "/large" || second.Order.Shut != (name == "it has changed") {
			t.Fatalf("%s: then sends %+v", name, second)
		}
		s.End(second, Outcome{}, nil, s.now)
		if s.Answer(); s.barriers.Acknowledged != 1 {
			t.Errorf("%s: the barrier is not reached", name)
		}
	}
}

// A pass leaves the old name of what waits alone.
func TestPassLeavesWhatWasRenamed(t *testing.T) {
	s, opens := windowed(t, "")
	s.set.AwaitWindow(dirty.Batch{Entries: []*dirty.Entry{{Path: "old", MovedTo: "large", Change: made, Seq: 9, Since: s.now}}}, opens)
	s.Everything(PassVerify, 5, s.now, s.now)
	pass := s.Send(noRepositories{}, s.seq, true, s.now)
	if pass == nil || !slices.Contains(pass.Order.Except, "old") {
		t.Fatalf("%+v", pass)
	}
	s.AddBarrier(1, 5, s.now)
	s.End(pass, Outcome{}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("the pass stands for what it has left")
	}
}

// With window-for=all nothing begins before it opens, and what is under way goes on.
func TestAllWaitsForTheWindow(t *testing.T) {
	s, opens := windowed(t, config.WindowForAll)
	s.change(watch.Content, "a")
	s.now = s.now.Add(time.Second)
	step, at := s.Next(s.now, nil)
	if step != Sleep || at.After(opens) {
		t.Errorf("step %d at %v", step, at)
	}
	status := s.Status(s.now)
	if w := status.Window; w == nil || !w.All || w.Paths != 1 || !w.Until.Equal(opens) || !status.OnlyWindow() {
		t.Errorf("%+v", status.Window)
	}
	s.now = opens
	if step, _ := s.Next(s.now, nil); step != Send {
		t.Error("nothing is sent although it is open")
	}
	under := s.Send(noRepositories{}, s.seq, true, s.now)
	if under == nil || under.Order.Shut {
		t.Fatalf("%+v", under)
	}
	s.now = opens.Add(2 * time.Hour)
	s.change(watch.Content, "b")
	s.OnlyRsync(under, true, s.now)
	s.now = s.now.Add(time.Second)
	if step, _ := s.Next(s.now, nil); step != Sleep {
		t.Error("something begins although it is shut")
	}
	if status := s.Status(s.now); status.OnlyWindow() || status.Transfer == nil {
		t.Error("what is under way has ended")
	}
}
