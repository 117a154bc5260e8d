package remote

import (
	"fmt"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

func TestVerifyDue(t *testing.T) {
	const day = 24 * time.Hour
	ago := func(d time.Duration) time.Time { return start.Add(-d) }
	for name, c := range map[string]struct {
		every     time.Duration
		due, last time.Time
		first     bool
		share     float64
		want      time.Time
	}{
		"never":                       {0, start, ago(day), false, 0.5, time.Time{}},
		"the first one, soon":         {7 * day, time.Time{}, time.Time{}, false, 0.5, start.Add(30 * time.Minute)},
		"in a part of the interval":   {20 * time.Minute, time.Time{}, time.Time{}, false, 0.5, start.Add(30 * time.Second)},
		"verified by hand before":     {7 * day, time.Time{}, ago(2 * day), false, 0.5, start.Add(5 * day)},
		"verified by hand long ago":   {day, time.Time{}, ago(2 * day), false, 0, start},
		"decided":                     {7 * day, start.Add(3 * day), ago(4 * day), false, 0.5, start.Add(3 * day)},
		"decided, with a restart":     {7 * day, start.Add(3 * day), ago(4 * day), true, 0.5, start.Add(3 * day)},
		"due":                         {7 * day, ago(time.Hour), ago(8 * day), false, 0.5, ago(time.Hour)},
		"overdue at the start":        {7 * day, ago(day), ago(8 * day), true, 0.5, start.Add(5 * time.Minute)},
		"longer from the next one on": {7 * day, start.Add(time.Hour), ago(23 * time.Hour), false, 0.5, start.Add(time.Hour)},
		"shorter":                     {day, start.Add(5 * day), ago(time.Hour), false, 0.5, start.Add(23 * time.Hour)},
		"the clock was set back":      {day, start.Add(90 * day), start.Add(89 * day), false, 0.5, start.Add(30 * time.Minute)},
	} {
		if got := VerifyDue(c.every, c.due, c.last, c.first, c.share, start); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestVerifyPause(t *testing.T) {
	for _, c := range []struct {
		took time.Duration
		read int64
		want time.Duration
	}{
		{100 * time.Millisecond, 0, 400 * time.Millisecond},
		{100 * time.Millisecond, 16_000_000, 1500 * time.Millisecond},
		{5 * time.Second, 16_000_000, 20 * time.Second},
		{200 * time.Second, 100_000_000_000, 9800 * time.Second},
	} {
		if got := verifyPause(c.took, c.read); got != c.want {
			t.Errorf("%v, %d bytes: %v, want %v", c.took, c.read, got, c.want)
		}
	}
}

// verifyingMachine has sent all there was, and is to verify it.
func verifyingMachine(repair bool) (*Machine, Definition) {
	m := comparing()
	m.adoption = adoption{adopted: true}
	d := Definition{Remote: config.Remote{Name: "r", Verify: config.Verify(time.Hour), VerifyRepair: repair}, Settings: report.Settings{FullPassInterval: time.Hour}}
	m.Define(d, 1, start)
	m.verifying.Due = start
	return m, d
}

// verifyPart makes the next step of a verification, which has the turn, and ends it.
func (m *Machine) verifyPart(t *testing.T, now time.Time, end StepEnd) *Sending {
	t.Helper()
	s := m.Compare(1, now)
	if s == nil || s.Order.Position == nil {
		t.Fatalf("nothing is verified: %v", s)
	}
	m.EndStep(s, end, 9, now)
	return s
}

// TestVerifyTakesTurns: one remote of a workspace at a time, while there is nothing to send
// and nobody waits for a comparison, with pauses, and all that was sent in between.
func TestVerifyTakesTurns(t *testing.T) {
	m, d := verifyingMachine(false)
	if got := m.step(start.Add(-time.Second)); got != Sleep {
		t.Errorf("step %d comes before it is due", got)
	}
	if got := m.step(start); got != AskTurn {
		t.Fatalf("step %d", got)
	}
	m.SetTurn(false)
	if m.step(start) != Sleep || m.Compare(1, start) != nil {
		t.Error("it begins though another one has the turn")
	}
	m.TurnFree()
	if m.step(start) != AskTurn {
		t.Error("it does not ask again")
	}
	m.SetTurn(true)
	m.set.Mark("f", watch.Content, 1, start)
	if got := m.step(start); got != Send {
		t.Errorf("step %d comes before a change", got)
	}
	m.End(m.Send(noRepositories{}, 1, false, start), Outcome{}, nil, start)
	if m.step(start) != Compare || m.TurnOver(start) {
		t.Error("it does not begin")
	}
	m.verifyPart(t, start, StepEnd{Read: 16_000_000, Part: &Part{Position: Position{Looked: true}}})
	if got, at := m.Next(start, func() uint64 { return 1 }); got != Sleep || at.Sub(start) != 1600*time.Millisecond {
		t.Errorf("step %d after %v", got, at.Sub(start))
	}
	later := start.Add(2 * time.Second)
	d.Busy = true
	m.Define(d, 1, later)
	if m.step(later) != Sleep || !m.TurnOver(later) || m.TurnOver(later) {
		t.Error("it goes on while somebody waits for a comparison")
	}
	d.Busy = false
	m.Define(d, 1, later)
	for _, stop := range []func(){func() { m.paused = true }, func() { m.halt = "gone" }, func() { m.retry.failures = 1 }} {
		was := *m
		if stop(); m.step(later) == AskTurn {
			t.Error("it goes on where nothing can be sent")
		}
		*m = was
	}
	// Where there is always something to send, it waits for a minute, no longer.
	m.SetTurn(true)
	m.set.Mark("g", watch.Content, 1, later)
	if got := m.step(later.Add(verifyPatience / 2)); got != Send {
		t.Errorf("step %d is not that of a change", got)
	}
	if got := m.step(later.Add(2 * verifyPatience)); got != Compare {
		t.Errorf("step %d: it waits for ever", got)
	}
}

// TestVerifyGoesOn: what was interrupted comes again, and the next monitor goes on where
// this one was.
func TestVerifyGoesOn(t *testing.T) {
	m, d := verifyingMachine(false)
	m.SetTurn(true)
	found := report.Difference{Path: "odd", Kind: report.DiffContent, State: report.StateDrift}
	m.verifyPart(t, start, StepEnd{Part: &Part{Position: Position{Looked: true}, Differences: 2, Pending: 1, Found: []report.Difference{found}}})
	if s, ok := m.SaveVerify(false, start); !ok || !s.Begun.Looked || s.Begun.Differences != 2 {
		t.Errorf("%+v, %v", s.Begun, ok)
	}
	now := start.Add(time.Second)
	m.verifyPart(t, now, StepEnd{Part: &Part{Position: Position{Looked: true, After: []byte("m")}, Files: 500, Bytes: 1000, TotalFiles: 900}})
	if _, ok := m.SaveVerify(false, now); ok {
		t.Error("a position is saved with each step")
	}
	s, ok := m.SaveVerify(true, now)
	if !ok {
		t.Fatal("nothing is saved at the end")
	}
	now = now.Add(time.Second)
	if s := m.verifyPart(t, now, StepEnd{Failure: &Failure{Kind: Canceled}}); string(s.Order.Position.After) != "m" {
		t.Errorf("it goes on after %q", s.Order.Position.After)
	}
	if got, at := m.Next(now, func() uint64 { return 1 }); got != Sleep || at.Sub(now) != verifySoon {
		t.Errorf("step %d after %v", got, at.Sub(now))
	}
	now = now.Add(verifySoon)
	m.verifyPart(t, now, StepEnd{Failure: &Failure{Kind: Offline, Message: "no route"}})
	if v := m.Status(now).Verifying; v == nil || v.Error != "no route" || v.Files != 500 || !m.TurnOver(now) {
		t.Errorf("%+v", v)
	}

	next, _ := verifyingMachine(false)
	next.verifying.VerifyState = s
	next.SetTurn(true)
	next.Define(d, 1, start)
	order := next.verifyPart(t, start, StepEnd{Part: &Part{Last: true, Files: 400, Found: []report.Difference{found}, Differences: 1}}).Order
	if !order.Position.Looked || string(order.Position.After) != "m" {
		t.Errorf("it goes on at %+v", order.Position)
	}
	v := next.Status(start)
	if v.Verifying != nil || v.Verified.Files != 900 || v.Verified.Differences != 3 || v.Verified.Open != 3 || v.Verified.Pending != 1 || len(v.Verified.Found) != 2 || !v.Verified.Background {
		t.Errorf("%+v", v.Verified)
	}
	if in := v.NextVerify.Sub(start); in < 50*time.Minute || in > 70*time.Minute || !next.TurnOver(start) {
		t.Errorf("the next one is in %v", in)
	}
	next.verifying.every = 0
	if next.defineVerify(Definition{}, false, false, 1, start); !next.verifying.Due.IsZero() {
		t.Error("one that is turned off is due")
	}
}

// TestVerifyGivesWay: what cannot go beside a long step ends it, though not again and again.
func TestVerifyGivesWay(t *testing.T) {
	m, _ := verifyingMachine(false)
	m.SetTurn(true)
	now := start
	for i := range giveWayMost + 1 {
		s := m.Compare(1, now)
		if got := m.step(now.Add(giveWayAfter)); got == GiveWay {
			t.Fatal("it gives way to nothing")
		}
		m.set.MarkEverything(1, now, now)
		if got := m.step(now); got == GiveWay {
			t.Error("a short step gives way")
		}
		now = now.Add(giveWayAfter)
		if got := m.step(now); (got == GiveWay) != (i < giveWayMost) {
			t.Errorf("%d: step %d", i, got)
		}
		m.GiveWay()
		if m.step(now) == GiveWay {
			t.Error("it gives way twice")
		}
		m.EndStep(s, StepEnd{Failure: &Failure{Kind: Canceled}}, 1, now)
		m.set.Take(now)
		now = now.Add(verifySoon)
	}
}

// TestVerifyPartsAreKnownAlone: a change during an earlier part explains nothing.
func TestVerifyPartsAreKnownAlone(t *testing.T) {
	m, _ := verifyingMachine(false)
	m.SetTurn(true)
	s := m.Compare(1, start)
	m.Mark("early", watch.Content, 2, start)
	m.EndStep(s, StepEnd{Part: &Part{Position: Position{Looked: true}}}, 2, start)
	m.End(m.Send(noRepositories{}, 2, false, start.Add(time.Second)), Outcome{}, nil, start.Add(time.Second))
	s = m.Compare(2, start.Add(2*time.Second))
	m.Mark("late", watch.Content, 3, start)
	k, _ := m.Known(s.Order.Comparison.ID)
	for path, want := range map[string]report.DifferenceState{"early": report.StateDrift, "late": report.StatePending} {
		if state, _ := k.State(path); state != want {
			t.Errorf("%s is %v, want %v", path, state, want)
		}
	}
}

// TestFoundIsKept until it changes, is compared anew by what finds it, or is repaired.
func TestFoundIsKept(t *testing.T) {
	size := func(n int64) *report.Entry { return &report.Entry{Kind: report.File, Size: n} }
	content := []report.DifferenceKind{report.DiffContent}
	found := []report.Difference{
		{Path: "alike", Kind: report.DiffContent, State: report.StateDrift, Differs: content, Here: size(1), There: size(1)},
		{Path: "longer", Kind: report.DiffContent, State: report.StateDrift, Differs: content, Here: size(2), There: size(1)},
		{Path: "d/extra", Kind: report.DiffDelete, State: report.StateDrift},
		{Path: "held", Kind: report.DiffDelete, State: report.StateHeld},
	}
	for name, c := range map[string]struct {
		happens func(m *Machine)
		want    string
	}{
		"nothing":               {func(*Machine) {}, "[alike longer d/extra held] 5 0"},
		"a change":              {func(m *Machine) { m.Mark("alike", watch.Content, 2, start) }, "[longer d/extra held] 4 0"},
		"a directory":           {func(m *Machine) { m.Mark("d", wholly, 2, start) }, "[alike longer held] 4 0"},
		"attributes above":      {func(m *Machine) { m.Mark("d", watch.Meta, 2, start) }, "[alike longer d/extra held] 5 0"},
		"a rename":              {func(m *Machine) { m.Moved("d", "e", wholly, false, 2, start) }, "[alike longer held] 4 0"},
		"a full pass":           {func(m *Machine) { m.pass(start, Outcome{}) }, "[alike held] 3 0"},
		"a full pass, and held": {func(m *Machine) { m.pass(start, Outcome{Hold: &Hold{Pass: &dirty.Entry{}}}) }, "[alike longer d/extra held] 5 0"},
		"a clean verification": {func(m *Machine) {
			m.defineComparisons([]report.Comparison{{ID: "a", Checksum: true}})
			m.EndStep(m.Compare(1, start), StepEnd{Part: &Part{Last: true}, Status: report.ComparisonStatus{State: report.ComparisonDone}}, 9, start)
		}, "[] 0 0"},
		"a comparison of sizes": {func(m *Machine) {
			m.defineComparisons(wanted("a"))
			m.EndStep(m.Compare(1, start), StepEnd{Part: &Part{Last: true}, Status: report.ComparisonStatus{State: report.ComparisonDone}}, 9, start)
		}, "[alike longer d/extra held] 5 0"},
		"the option": {func(m *Machine) {
			m.Define(Definition{Remote: config.Remote{Name: "r", Verify: config.Verify(time.Hour), VerifyRepair: true}}, 2, start)
			if m.set.Len() != 3 || m.verifying.Due.After(start) {
				t.Errorf("%d paths are repaired, the next one is due in %v", m.set.Len(), m.verifying.Due.Sub(start))
			}
		}, "[alike longer d/extra held] 2 3"},
	} {
		m, _ := verifyingMachine(false)
		m.SetTurn(true)
		m.verifyPart(t, start, StepEnd{Part: &Part{Last: true, Differences: 5, Found: append([]report.Difference(nil), found...)}})
		c.happens(m)
		var names []string
		v := m.Status(start).Verified
		for _, d := range v.Found {
			names = append(names, d.Path)
		}
		if got := fmt.Sprint(names, v.Open, v.Repaired); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// pass has a full pass end.
func (m *Machine) pass(now time.Time, out Outcome) {
	m.Everything(PassEvents, 2, now, now)
	m.End(m.Send(noRepositories{}, 2, false, now), out, nil, now)
}

// TestVerifyRepairs: what differs is dirty, as with a comparison that somebody asked for.
func TestVerifyRepairs(t *testing.T) {
	m, _ := verifyingMachine(true)
	m.SetTurn(true)
	s := m.verifyPart(t, start, StepEnd{Repair: []string{"f"}, Part: &Part{Last: true, Differences: 1, Repaired: 1, Found: []report.Difference{{Path: "f", State: report.StateRepaired}}}})
	if !s.Order.Comparison.Repair || m.set.Len() != 1 {
		t.Errorf("%v, %d paths are sent", s.Order.Comparison, m.set.Len())
	}
	if v := m.Status(start).Verified; v.Open != 0 || v.Repaired != 1 || len(v.Found) != 1 {
		t.Errorf("%+v", v)
	}
}
