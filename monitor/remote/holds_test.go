package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// holdOf is a hold of names, which all count.
func holdOf(names ...string) *Hold {
	h := &Hold{Verdict: guard.Verdict{Action: guard.Hold, Reason: "many"}, Sample: names}
	for _, name := range names {
		h.Names.Add(name, true)
		h.Entries = append(h.Entries, &dirty.Entry{Path: name, Change: watch.Entry, Seq: 1, Since: start})
	}
	return h
}

// world is a workspace for the guard.
type world struct{ left int }

func (w world) Empty() (bool, error) { return w.left == 0, nil }
func (w world) Left(int) int         { return w.left }

// look has all looks at a hold made that are due.
func (s *schedule) look(w world, there map[string]bool) {
	for range 3 {
		if step, _ := s.Next(s.now, nil); step != LookAtHold {
			return
		}
		l, _ := s.LookAtHold(s.now)
		if len(l.Back) > 0 {
			s.Returned(l, there, s.now)
		} else {
			s.Judged(l, l.Judge(w), s.now)
		}
	}
}

func heldSchedule(t *testing.T, n int) *schedule {
	t.Helper()
	s := newSchedule(t, nil)
	s.holds.add(holdOf(numbered("f", n)...), s.now, s.newID(s.now))
	return s
}

func TestHoldIsShownAfterAWhile(t *testing.T) {
	s := heldSchedule(t, 200)
	if status := s.Status(s.now); status.Held != nil || status.State != report.Pending || status.Pending != 200 {
		t.Errorf("at once: %+v", status)
	}
	s.now = s.now.Add(holdDelay)
	s.look(world{left: 10}, nil)
	status := s.Status(s.now)
	if status.Held == nil || status.Held.Count != 200 || len(status.Held.Sample) != SampleSize || status.State != report.Halted {
		t.Fatalf("%+v", status)
	}
	id := status.Held.ID
	s.holds.add(holdOf("f1", "f2"), s.now, s.newID(s.now))
	if s.Status(s.now).Held.ID != id {
		t.Error("the same again has another ID")
	}
	s.holds.add(holdOf("more"), s.now, s.newID(s.now))
	if held := s.Status(s.now).Held; held.ID == id || held.Count != 201 {
		t.Errorf("more has the same ID: %+v", held)
	}
}

func TestHoldEndsWithItsReturn(t *testing.T) {
	s := heldSchedule(t, 3)
	s.now = s.now.Add(holdDelay)
	s.limits.Count = 1
	s.look(world{left: 1}, nil)
	s.change(watch.Entry, "f0", "f1")
	if s.Status(s.now).Held != nil {
		t.Error("shown while it may be there again")
	}
	s.look(world{left: 3}, map[string]bool{"f0": false, "f1": true})
	if held := s.Status(s.now).Held; held == nil || held.Count != 1 || s.Account().Hold.Entries[0].Path == "f0" {
		t.Errorf("%+v", held)
	}
	if n := len(s.holds.Entries); n != 2 {
		t.Errorf("%d entries are held: a directory stays until what was in it is there", n)
	}
	s.change(watch.Entry, "f2")
	s.look(world{left: 4}, map[string]bool{"f2": false})
	if a := s.Account(); a.Hold != nil || len(a.Dirty) != 3 {
		t.Errorf("%+v", a)
	}
}

func TestApproval(t *testing.T) {
	s := heldSchedule(t, 200)
	s.recent.add(Count{5, 5}, s.now)
	s.now = s.now.Add(holdDelay)
	s.look(world{left: 10}, nil)
	orders := report.Orders{Approve: "another"}
	define := func() {
		s.Define(Definition{Remote: s.remote, Settings: report.Settings{HoldDeletionsShare: 0.5, HoldDeletionsCount: 100}, Orders: orders}, 5, s.now)
	}
	if define(); s.holds.held == nil {
		t.Fatal("an approval of something else counts")
	}
	orders.Approve = s.Status(s.now).Held.ID
	define()
	a := s.Account()
	if a.Hold != nil || len(a.Dirty) != 200 || a.Dirty[0].Approved != 200 || a.Recent != (Count{}) {
		t.Errorf("%d dirty, hold %v, recent %v", len(a.Dirty), a.Hold, a.Recent)
	}
	if !s.holds.approvals.current().Covers("f7") {
		t.Error("what was approved is not remembered")
	}
	// It ends when it has been carried out, and nothing more is to come of it.
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	if sending.Order.Approved == nil {
		t.Error("the transfer does not know of it")
	}
	s.End(sending, Outcome{}, nil, s.now)
	s.now = s.now.Add(approvalTime + time.Second)
	s.change(watch.Content, "x")
	s.now = s.now.Add(time.Second)
	if next := s.Send(noRepositories{}, s.seq, true, s.now); next == nil || next.Order.Approved != nil {
		t.Errorf("approved for ever: %+v", next)
	}
}

// What was to be done together with what was held is nothing that the user was told of.
func TestApprovalIsForWhatWasShown(t *testing.T) {
	beside := &dirty.Entry{Path: "beside", Change: watch.Entry | watch.Tree, Seq: 2, Since: start}
	h := holdOf("gone")
	h.Entries = append(h.Entries, beside)
	s := newSchedule(t, nil)
	s.holds.add(h, s.now, s.newID(s.now))
	s.holds.end(true, s.now)
	if !h.Entries[0].IsApproved() || beside.IsApproved() {
		t.Errorf("%+v, %+v", h.Entries[0], beside)
	}
}

// What was judged before the user's word is judged again.
func TestHoldBehindAnApproval(t *testing.T) {
	s := newSchedule(t, nil)
	s.change(watch.Entry, "a")
	s.now = s.now.Add(time.Second)
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	s.holds.approvals.count++
	s.End(sending, Outcome{Hold: holdOf("a")}, nil, s.now)
	if a := s.Account(); a.Hold != nil || len(a.Dirty) != 1 {
		t.Errorf("%+v", a)
	}
}

// Nothing is sent to a destination that holds what may be somebody else's.
func TestAdoptionStopsAll(t *testing.T) {
	s := newSchedule(t, nil)
	s.change(watch.Entry, "a")
	h := holdOf("theirs")
	h.All = true
	s.holds.add(h, s.now, s.newID(s.now))
	s.now = s.now.Add(time.Hour - time.Minute)
	if step, _ := s.Next(s.now, nil); step != Sleep {
		t.Error("something is to be done")
	}
	if status := s.Status(s.now); status.Held == nil || status.State != report.Halted {
		t.Errorf("%+v", status)
	}
}

// A pass that leaves something to be judged lets nothing go that was held before.
func TestUnapprovedAfterAPass(t *testing.T) {
	for name, test := range map[string]struct {
		out  Outcome
		want bool
	}{
		"nothing left":    {Outcome{}, false},
		"something held":  {Outcome{Hold: holdOf("a")}, true},
		"something later": {Outcome{Later: batchOf("a")}, true},
		"something anew":  {Outcome{Again: batchOf("a")}, true},
	} {
		s := newSchedule(t, nil)
		s.holds.earlier = true
		s.Everything(PassStart, 1, s.now, s.now)
		sending := s.Send(noRepositories{}, s.seq, true, s.now)
		s.End(sending, test.out, nil, s.now)
		if s.Unapproved() != test.want {
			t.Errorf("%s: %v", name, s.Unapproved())
		}
	}
}

// A second pass that comes upon what a first one has held makes it no younger: who waits for
// what was before is not answered.
func TestHeldPassStaysAsOld(t *testing.T) {
	m := testMachine()
	pass := func(seq uint64, now time.Time) *Hold {
		h := holdOf("a")
		h.Entries, h.Pass = nil, &dirty.Entry{Seq: seq, Since: now}
		return h
	}
	m.holds.add(pass(3, start), start, m.newID(start))
	m.AddBarrier(1, 5, start)
	later := start.Add(time.Minute)
	m.holds.add(pass(7, later), later, m.newID(later))
	m.Answer()
	if seq, since, _ := m.heldBatch().Oldest(); seq != 3 || !since.Equal(start) || m.Status(later).Barrier != 0 {
		t.Errorf("held since mark %d at %v, and barrier %d is answered", seq, since, m.Status(later).Barrier)
	}
}

// A pass that has nothing to hold ends what an earlier one has held. What fails in it is as
// old as that: who waits for what was before is not answered.
func TestPassTakesOverWhatIsHeld(t *testing.T) {
	s := newSchedule(t, nil)
	h := holdOf("a")
	h.Entries, h.Pass = nil, &dirty.Entry{Seq: 3, Since: start}
	s.holds.add(h, start, s.newID(start))
	s.AddBarrier(1, 5, start)
	s.Everything(PassVerify, 7, start, start)
	sent := s.Send(noRepositories{}, 7, false, start)
	pass := sent.Order.Batch.Everything
	failed := &dirty.Entry{Path: "a", Change: wholly, Seq: pass.Seq, Since: pass.Since, Attempts: 1, Problem: "no"}
	s.End(sent, Outcome{Failed: []*dirty.Entry{failed}}, nil, start)
	if s.Answer(); s.holds.held != nil && s.holds.Pass != nil || s.Status(start).Barrier != 0 {
		t.Errorf("%q fails since mark %d, and barrier %d is answered", failed.Path, failed.Seq, s.Status(start).Barrier)
	}
}
