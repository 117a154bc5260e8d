package remote

import (
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// comparing is a machine that has sent all there was, and is asked to compare.
func comparing(ids ...string) *Machine {
	m := testMachine()
	m.set.Take(start)
	m.passes.Done(PassStart, 0, start, time.Hour)
	m.defineComparisons(wanted(ids...))
	return m
}

func wanted(ids ...string) (all []report.Comparison) {
	for _, id := range ids {
		all = append(all, report.Comparison{ID: id})
	}
	return all
}

// step is what is to be done at a time.
func (m *Machine) step(now time.Time) Step {
	step, _ := m.Next(now, func() uint64 { return 1 })
	return step
}

// TestComparisonsTakeTurns: neither do changes that go on keep a comparison waiting, nor
// its steps a change.
func TestComparisonsTakeTurns(t *testing.T) {
	m := comparing("a")
	var steps []Step
	for range 4 {
		m.set.Mark("f", watch.Content, 1, start)
		step := m.step(start)
		steps = append(steps, step)
		switch step {
		case Compare:
			m.EndStep(m.Compare(1, start), StepEnd{}, 9, start)
		case Send:
			m.End(m.Send(noRepositories{}, 1, false, start), Outcome{}, nil, start)
		}
	}
	if want := []Step{Compare, Send, Compare, Send}; !slices.Equal(steps, want) {
		t.Errorf("%v, want %v", steps, want)
	}
	m.EndStep(m.Compare(1, start), StepEnd{Status: report.ComparisonStatus{State: report.ComparisonDone}}, 9, start)
	if m.step(start) == Compare {
		t.Error("a comparison that is done goes on")
	}
}

// TestComparisonIsSuspended: it stands still as long as nobody waits for it, and nothing
// of what it knows is lost.
func TestComparisonIsSuspended(t *testing.T) {
	m := comparing("a")
	s := m.Compare(1, start)
	suspended := []report.Comparison{{ID: "a", Suspended: true}}
	if m.defineComparisons(suspended) {
		t.Error("its step is cancelled")
	}
	m.EndStep(s, StepEnd{Status: report.ComparisonStatus{Files: 5}}, 9, start)
	if m.step(start) == Compare || m.Compare(1, start) != nil {
		t.Error("it goes on though nobody waits for it")
	}
	m.comparisons.touch("f", watch.Content, start)
	m.defineComparisons(append(suspended, wanted("b")...))
	if s = m.Compare(1, start); s == nil || s.Order.Comparison.ID != "b" {
		t.Fatal("another one waits for it")
	}
	m.EndStep(s, StepEnd{Status: report.ComparisonStatus{State: report.ComparisonDone}}, 9, start)
	m.defineComparisons(wanted("a"))
	if got := m.Status(start).Comparisons[0]; got.State != report.ComparisonRunning || got.Files != 5 {
		t.Errorf("%+v", got)
	}
	if s = m.Compare(1, start); s == nil || s.Order.Comparison.ID != "a" || s.Order.Comparison.Suspended {
		t.Fatal("it does not go on")
	}
	if known, ok := m.Known("a"); !ok {
		t.Error("nothing is known")
	} else if state, _ := known.State("f"); state != report.StatePending {
		t.Errorf("what changed meanwhile is %s", state)
	}
}

// TestComparisonOfAnotherRoot: what was compared with another directory says nothing of
// this one.
func TestComparisonOfAnotherRoot(t *testing.T) {
	m := comparing("a")
	m.root = &config.RootIdentity{Inode: 1}
	m.EndStep(m.Compare(1, start), StepEnd{Status: report.ComparisonStatus{Files: 5}}, 9, start)
	d := Definition{Remote: m.remote, Comparisons: []report.Comparison{{ID: "a", Suspended: true}, {ID: "b"}}}
	d.Root = &config.RootIdentity{Inode: 1}
	m.Define(d, 9, start)
	if got := m.Status(start).Comparisons; got[0].State != report.ComparisonRunning {
		t.Errorf("the same directory: %+v", got)
	}
	d.Comparisons[0].Suspended = false
	m.Define(d, 9, start)
	s := m.Compare(1, start)
	d.Root = &config.RootIdentity{Inode: 2}
	m.Define(d, 9, start)
	m.EndStep(s, StepEnd{Status: report.ComparisonStatus{Files: 9}}, 9, start)
	if got := m.Status(start).Comparisons; got[0].State != report.ComparisonFailed || got[0].Error == "" || got[1].State != report.ComparisonWaiting {
		t.Errorf("another directory: %+v", got)
	}
}

// TestComparisonIsNoTransfer: it goes on while the remote is paused or away, says nothing
// about what is in sync, and lets small changes go beside it.
func TestComparisonIsNoTransfer(t *testing.T) {
	m := comparing("a")
	m.paused = true
	m.retry.failures, m.retry.failure, m.retry.at = 3, &Failure{Kind: Offline}, start.Add(time.Hour)
	if m.step(start) != Compare {
		t.Fatal("a remote that is paused and away is not compared")
	}
	s := m.Compare(1, start)
	if got := m.Status(start).State; got != report.Paused {
		t.Errorf("the state is %q", got)
	}
	m.paused, m.retry = false, newRetry(m.options.Random)
	if got := m.Status(start); got.State != report.InSync || got.Transfer.Kind != "comparison" {
		t.Errorf("the state is %q, the transfer %v", got.State, got.Transfer)
	}
	m.set.Mark("f", watch.Content, 1, start)
	beside := m.Send(noRepositories{}, 1, true, start)
	if beside == nil || !beside.Order.Beside {
		t.Fatal("a small change does not go beside a comparison")
	}
	m.End(beside, Outcome{}, nil, start)
	m.EndStep(s, StepEnd{Failure: &Failure{Kind: Offline, Message: "why", Hint: "how"}}, 9, start)
	if m.retry.failures != 0 {
		t.Error("what a comparison fails for is taken for a failure of a transfer")
	}
	if got := m.Status(start).Comparisons; len(got) != 1 || got[0].State != report.ComparisonFailed || got[0].Error != "why" || got[0].Hint != "how" || got[0].ID != "a" {
		t.Errorf("%v", got)
	}
}

// TestComparisonGoesOn: one that has compared contents is tried again when the remote was away.
func TestComparisonGoesOn(t *testing.T) {
	m := comparing("a", "b")
	now := start
	fail := func(kind FailureKind) (again bool) {
		t.Helper()
		if m.step(now) != Compare {
			t.Fatal("nothing is compared")
		}
		return m.EndStep(m.Compare(1, now), StepEnd{Failure: &Failure{Kind: kind, Message: "why", Hint: "how"}}, 9, now)
	}
	status := func(id string) report.ComparisonStatus {
		all := m.Status(now).Comparisons
		return all[slices.IndexFunc(all, func(s report.ComparisonStatus) bool { return s.ID == id })]
	}
	m.EndStep(m.Compare(1, now), StepEnd{Status: report.ComparisonStatus{Files: 5}}, 9, now)
	if !fail(Offline) {
		t.Error("the step is not made again")
	}
	if got := status("a"); got.State != report.ComparisonRunning || got.Files != 5 || got.Error != "why" || got.Hint != "how" {
		t.Errorf("%+v", got)
	}
	// It holds up no other one, which has compared nothing yet.
	if fail(Offline) || status("b").State != report.ComparisonFailed {
		t.Error("one that has nothing to lose is tried again")
	}
	step, at := m.Next(now, func() uint64 { return 9 })
	if step != Sleep || !at.Equal(now.Add(compareAgain)) || m.Compare(1, now) != nil {
		t.Errorf("it is made again at once: %v after %v", step, at.Sub(now))
	}
	now = at
	m.EndStep(m.Compare(1, now), StepEnd{Status: report.ComparisonStatus{Files: 7}}, 9, now)
	if got := status("a"); got.Error != "" || got.Files != 7 {
		t.Errorf("%+v", got)
	}
	// Not for ever, and not where a person is needed.
	for began := now; fail(Trouble); now = now.Add(compareAgain) {
		if now.Sub(began) > comparePatience {
			t.Fatal("it has no end")
		}
	}
	if got := status("a"); got.State != report.ComparisonFailed || got.Error != "why" {
		t.Errorf("%+v", got)
	}
	m = comparing("a")
	m.EndStep(m.Compare(1, now), StepEnd{Status: report.ComparisonStatus{Files: 5}}, 9, now)
	if fail(Attention) {
		t.Error("it is made again though somebody must do something")
	}
}

// TestComparisonIsGivenUp: nobody waits for it any more, or the workspace is not there.
func TestComparisonIsGivenUp(t *testing.T) {
	m := comparing("a", "b")
	s := m.Compare(1, start)
	if m.defineComparisons(wanted("a")) {
		t.Error("another one than that which is not wanted is given up")
	}
	if !m.defineComparisons(wanted("b")) || !m.Compares("a") || !m.Compares("b") || m.Compares("c") {
		t.Error("a comparison that nobody waits for goes on")
	}
	m.EndStep(s, StepEnd{Failure: &Failure{Kind: Canceled}}, 9, start)
	if m.Compares("a") {
		t.Error("one that is given up is still kept")
	}
	s = m.Compare(1, start)
	m.EndStep(s, StepEnd{Failure: &Failure{Kind: Canceled}}, 9, start)
	if got := m.Status(start).Comparisons; len(got) != 1 || got[0].State != report.ComparisonWaiting {
		t.Errorf("one that was interrupted is not made anew: %v", got)
	}
	m.Halt("it is gone", 1, start)
	if got := m.Status(start).Comparisons; got[0].State != report.ComparisonFailed || got[0].Error != "it is gone" || m.step(start) == Compare {
		t.Errorf("of a workspace that is gone: %v", got)
	}
}

// TestPauseCancelsOnce: a definition of a remote that is paused already cancels no
// comparison.
func TestPauseCancelsOnce(t *testing.T) {
	m := comparing()
	d := Definition{Remote: m.remote, Paused: true}
	if !m.Define(d, 1, start).Cancel || m.Define(d, 1, start).Cancel {
		t.Error("a pause has to cancel what is under way, once")
	}
}

func TestKnown(t *testing.T) {
	m := comparing("a")
	m.set.Mark("before/x", watch.Content, 1, start)
	m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: "bad", Attempts: 1, Problem: "no", Change: watch.Entry | watch.Tree}}}, start)
	m.confirmations.Add([]*dirty.Entry{{Path: "sent"}}, start)
	var names guard.Names
	names.Add("held", true)
	s := m.Compare(1, start)
	m.Mark("during", watch.Entry|watch.Tree, 2, start)
	m.Moved("from", "to", watch.Entry, false, 3, start)
	m.Everything(PassVerify, 4, start, start) // of which nothing here is a reason
	m.set.Take(start)                         // what has been sent meanwhile did differ
	m.holds.held = &held{Hold: Hold{Names: names}}
	k, ok := m.Known("a")
	if !ok {
		t.Fatal("nothing is known")
	}
	for path, want := range map[string]report.DifferenceState{
		"before/x": report.StatePending, "before": report.StatePending, "before/y": report.StateDrift, "sent": report.StatePending,
		"during/below": report.StatePending, "from": report.StatePending, "to": report.StatePending, "held": report.StateHeld,
		"other": report.StateDrift,
	} {
		if got, _ := k.State(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if _, again := m.Known("a"); again {
		t.Error("it is handed over twice")
	}
	m.EndStep(s, StepEnd{}, 9, start)

	m = comparing("a")
	m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: "bad", Attempts: 1, Problem: "no", Change: watch.Entry}}}, start)
	m.Compare(1, start)
	m.Everything(PassEvents, 1, start, start)
	k, _ = m.Known("a")
	for path, want := range map[string]report.DifferenceState{"bad/below": report.StateFailing, "bad": report.StateFailing, "other": report.StatePending} {
		if got, problem := k.State(path); got != want || (problem == "no") != (want == report.StateFailing) {
			t.Errorf("%s: %q %q, want %q", path, got, problem, want)
		}
	}
}

// TestKnownToNobody: what nobody waits for is no difference.
func TestKnownToNobody(t *testing.T) {
	m := comparing("a")
	m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: "fifo", Attempts: 1, Problem: "left out", Reason: dirty.LeftOut, Change: watch.Entry}}}, dirty.Never)
	m.Compare(1, start)
	k, _ := m.Known("a")
	if state, problem := k.State("fifo"); state != report.StateSkipped || problem != "" {
		t.Errorf("%q, %q", state, problem)
	}
}

// TestRepair: what is to be repaired is dirty, and whoever asks afterwards waits for it.
func TestRepair(t *testing.T) {
	m := comparing("a")
	m.EndStep(m.Compare(1, start), StepEnd{Repair: []string{"f", ""}}, 9, start)
	m.AddBarrier(5, 9, start)
	m.EndStep(m.Compare(1, start), StepEnd{Status: report.ComparisonStatus{State: report.ComparisonDone}}, 10, start)
	if m.Answer() {
		t.Error("nobody waits for what is repaired")
	}
	s := m.Send(noRepositories{}, 10, false, start)
	if s == nil || len(s.Order.Batch.Entries) != 2 || s.Order.Batch.Everything != nil {
		t.Fatalf("%v is sent", s)
	}
	m.End(s, Outcome{}, nil, start)
	if !m.Answer() {
		t.Error("it is not known to be repaired")
	}
}

// TestFirstPassComesFirst: before it nobody has tried what the remote is able to do; where
// it cannot come, it is not waited for.
func TestFirstPassComesFirst(t *testing.T) {
	m := testMachine()
	m.Everything(PassStart, 1, start, start)
	m.defineComparisons(wanted("a"))
	if got := m.step(start); got != Send {
		t.Errorf("step %d comes before the first pass", got)
	}
	m.retry.failures, m.retry.at = 1, start.Add(time.Hour)
	if m.step(start) != Compare {
		t.Error("a comparison waits for a remote that is away")
	}
	m.retry.failures, m.armed = 0, false
	if m.step(start) == Compare {
		t.Error("a comparison begins before all is watched")
	}
	m.paused = true
	if m.step(start) != Compare {
		t.Error("a comparison waits while nothing else is to come")
	}
}
