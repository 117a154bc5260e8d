package remote

import (
	"maps"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// Step is what is to be done next.
type Step int

// The steps. Sleep is until the time that comes with it, or something happens;
// LookAtHold is for Machine.LookAtHold, Send for Machine.Send, LookForDrift for
// Machine.BeginLook, Compare for Machine.Compare, AskTurn for Machine.SetTurn, and GiveWay
// for Machine.GiveWay.
const (
	Sleep Step = iota
	LookAtHold
	Send
	LookForDrift
	Compare
	AskTurn
	GiveWay
)

// forever is a time that is not waited for.
const forever = time.Hour

// Next returns what is to be done at now, or when to ask again. passMark numbers a
// new mark, if something is due because of the time.
func (m *Machine) Next(now time.Time, passMark func() uint64) (step Step, at time.Time) {
	if m.armed && m.running == nil && m.passes.TakeNext(now) { // what runs may be one
		m.Everything(PassVerify, passMark(), now, now)
	}
	if m.armed && m.running == nil && m.late.takeDue(now) {
		m.Everything(PassEvents, passMark(), now, now)
	}
	m.wakePostponed(passMark, now)
	at = now.Add(forever)
	if until := m.late.until; until.After(now) { // what runs looks again at its end
		at = earlier(at, until)
	}
	if wake := m.postponing.wake; !wake.IsZero() {
		at = earlier(at, wake)
	}
	if look, ok := m.holds.due(m.changed); ok {
		if !look.After(now) {
			return LookAtHold, now
		}
		at = earlier(at, look)
	}
	comparison, retry := m.compareDue()
	compare := comparison != nil && !retry.After(now)
	if comparison != nil && !compare {
		at = earlier(at, retry)
	}
	if compare && !m.comparisons.last && !m.passes.Last.IsZero() {
		return Compare, now
	}
	verify, verifies := m.verifyDue(now)
	if verifies && !compare && !verify.IsZero() && now.Sub(verify) > verifyPatience {
		return m.verifyStep(), now
	}
	if send, ok := m.due(now); ok {
		if !send.After(now) {
			return Send, now
		}
		at = earlier(at, send)
	}
	if compare {
		return Compare, now
	}
	if way, ok := m.givesWay(now); ok {
		if !way.After(now) {
			return GiveWay, now
		}
		at = earlier(at, way)
	}
	if verifies {
		if !verify.After(now) {
			return m.verifyStep(), now
		}
		at = earlier(at, verify)
	}
	if look, ok := m.driftDue(); ok {
		if !look.After(now) {
			return LookForDrift, now
		}
		at = earlier(at, look)
	}
	return Sleep, at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// due is when there is something to send next.
func (m *Machine) due(now time.Time) (at time.Time, ok bool) {
	if !m.armed || m.paused || m.halt != "" || m.holds.stopsAll() {
		return time.Time{}, false
	}
	if until, shut := m.allShut(now); shut {
		return until, true
	}
	if m.running != nil {
		return m.besideDue(now)
	}
	if m.beside != nil {
		return time.Time{}, false // what it has is nobody else's, and it ends soon
	}
	// Two waits that do not need a look at all paths, of which there may be many.
	if retry := m.notBefore(now); retry.After(now) {
		return retry, true
	}
	if end := m.burst.end(m.ripening(), m.changed, now); end.After(now) {
		return end, true
	}
	if at, ok = m.set.Ripe(); ok {
		at = m.notBefore(at)
	}
	if confirm, due := m.confirmations.Due(); due && (!ok || confirm.Before(at)) {
		at, ok = m.notBefore(confirm), true
	}
	if pass, due := m.passes.Next(); due && (!ok || pass.Before(at)) {
		at, ok = m.notBefore(pass), true
	}
	return at, ok
}

// notBefore delays at by the wait after a failure, which a change shortens, and a request
// to wait that came after what failed had begun.
func (m *Machine) notBefore(at time.Time) time.Time {
	return m.retry.notBefore(at, m.changed, m.barriers.Asked > m.retry.barrier)
}

// ripening is how many paths may be a burst: none if a full pass looks at them
// anyway.
func (m *Machine) ripening() int {
	if m.set.Everything() {
		return 0
	}
	return m.set.Len()
}

// besideDue is when there is something to send beside the transfer that is under
// way: small changes of paths that it cannot touch. They must be few, as those who
// are many are faster together.
func (m *Machine) besideDue(now time.Time) (at time.Time, ok bool) {
	switch {
	case m.beside != nil, !m.running.onlyRsync, m.retry.failures > 0, m.holds.held != nil:
		return time.Time{}, false
	case m.set.Len() > burstCount:
		return time.Time{}, false
	}
	at, ok = m.set.RipeFree(m.free)
	if ok && !at.After(m.besideLooked) && !m.changed.After(m.besideLooked) {
		return time.Time{}, false // there was no way
	}
	if at.Before(m.running.besideAt) {
		at = m.running.besideAt
	}
	return at, ok
}

// besideWait is how long a run of rsync has been under way before another one is worth its
// while: most end sooner than that would begin.
const besideWait = 300 * time.Millisecond

// free reports whether a path can be sent beside what is under way.
func (m *Machine) free(path string) bool { return !m.running.reaches(path) }

// Sending is a transfer that is under way.
type Sending struct {
	Order Order
	// Since is when the oldest mark of its batch was made.
	Since time.Time

	began  time.Time
	reason PassReason // of the full pass
	// approvals is how many approvals there were when it began, and barrier the last
	// request to wait that had come.
	approvals int
	barrier   uint64
	// onlyRsync: nothing of it goes by the direct lane any more. besideAt is when something
	// may go beside it at the earliest.
	onlyRsync bool
	besideAt  time.Time
	gaveWay   bool   // it is given up for what waits for it
	reach     *reach // found when it is asked for
	// left is what could not go beside it, and kept the reach of that.
	left dirty.Batch
	kept reach
	// untimed are directories to be looked at when it has ended: what went beside it
	// has changed them, and it may give them the times that they had before.
	untimed map[string]*dirty.Entry
	// other is the transfer that this one goes beside, nil for none.
	other *Sending
}

// acknowledging is what is not acknowledged until the transfer ends.
func (s *Sending) acknowledging() dirty.Batch {
	if s == nil || s.Order.Confirm {
		return dirty.Batch{}
	}
	return s.Order.Batch
}

// sends reports whether the transfer is one that sends something; it is false for none.
func (s *Sending) sends() bool { return s != nil && s.Order.Comparison == nil }

// touches reports whether the transfer has something to do with a path, or with
// what is above or below it. It is false for none.
func (s *Sending) touches(path string) bool {
	return s != nil && (s.Order.Batch.Touches(path) || s.left.Touches(path))
}

// reaches reports whether the transfer may touch a path on the remote.
func (s *Sending) reaches(path string) bool {
	if s.reach == nil {
		s.reach = reachOf(s.Order.Batch)
	}
	return s.reach.holds(path) || s.kept.holds(path)
}

// leave keeps what could not go beside the transfer until that has ended. When it is
// too much to be kept, nothing goes beside it any more.
func (s *Sending) leave(b dirty.Batch) {
	s.left = Join(s.left, b.WithoutMoves())
	s.kept.add(b)
	s.kept.all = s.kept.all || len(s.left.Entries) > dirty.Limit
}

// leaveTimes keeps the directories in mind of what went beside the transfer.
func (s *Sending) leaveTimes(sent []*dirty.Entry) {
	for _, e := range sent {
		dir := relpath.Parent(e.Path)
		if s.reach == nil || !s.reach.setsTimes(dir) {
			continue
		}
		if d := s.untimed[dir]; d != nil {
			d.Seq, d.Since = min(d.Seq, e.Seq), earlier(d.Since, e.Since)
			continue
		}
		if s.untimed == nil {
			s.untimed = make(map[string]*dirty.Entry)
		}
		s.untimed[dir] = &dirty.Entry{Path: dir, Change: watch.Meta, Seq: e.Seq, Since: e.Since}
	}
}

// takeTimes removes and returns those directories.
func (s *Sending) takeTimes() (b dirty.Batch) {
	b.Entries = slices.Collect(maps.Values(s.untimed))
	s.untimed = nil
	return b
}

// oldestUntimed is the oldest mark of those directories.
func (s *Sending) oldestUntimed() (seq uint64, since time.Time, ok bool) {
	return dirty.Batch{Entries: slices.Collect(maps.Values(s.untimed))}.Oldest()
}

// Send begins a transfer: it takes what is to be sent now. It is nil if there is
// nothing. mark is the number of the last mark, and beside says that there is a way beside
// what is under way.
func (m *Machine) Send(git Repositories, mark uint64, beside bool, now time.Time) *Sending {
	if m.beside != nil {
		return nil
	}
	if m.running != nil {
		return m.sendBeside(git, mark, beside, now)
	}
	if m.quiet(now) {
		m.set.EndDeferral(now)
	}
	m.holds.approvals.end(m.set.Approved, now)
	take := func() dirty.Batch { return m.set.Take(now) }
	batch := m.holdLocked(take(), git, now, take)
	confirm := batch.Empty()
	if confirm {
		batch = m.confirmations.Take(now)
	}
	if batch.Empty() {
		return nil
	}
	s := m.sending(batch, mark, now)
	s.Order.Confirm = confirm
	s.reason = m.passes.Reason()
	if batch.Everything != nil && batch.Everything.Change&watch.Content != 0 {
		s.reason = PassEvents // paths were folded into it
	}
	if s.reason != PassVerify {
		s.Order.Since = m.clean.since()
	}
	m.clean.begins(now)
	m.meter = meter{}
	m.transfer = report.Transfer{Kind: "changes", Since: now, Paths: batch.Len()}
	switch {
	case confirm:
		m.transfer.Kind = "confirmation"
	case batch.Everything != nil:
		m.transfer.Kind = "full pass"
	}
	m.running, m.besideLooked, m.comparisons.last = s, time.Time{}, false
	return s
}

// sendBeside is Send while another transfer is under way.
func (m *Machine) sendBeside(git Repositories, mark uint64, beside bool, now time.Time) *Sending {
	var batch dirty.Batch
	if beside {
		take := func() dirty.Batch { return m.set.TakeFree(now, m.free) }
		batch = m.holdLocked(take(), git, now, take)
	}
	if batch.Empty() {
		m.besideLooked = now
		return nil
	}
	m.beside = m.sending(batch, mark, now)
	m.beside.Order.Beside, m.beside.other = true, m.running
	return m.beside
}

// sending is a transfer of a batch.
func (m *Machine) sending(batch dirty.Batch, mark uint64, now time.Time) *Sending {
	if held := m.heldBatch().Everything; held != nil && batch.Everything != nil {
		// It takes the place of the one that is held, with all that it leaves undone.
		e := batch.Everything
		e.Seq, e.Since = min(e.Seq, held.Seq), earlier(e.Since, held.Since)
	}
	_, since, _ := batch.Oldest()
	_, shut := m.largeShut(now)
	s := &Sending{
		Since:     since,
		began:     now,
		approvals: m.holds.approvals.count,
		barrier:   m.barriers.Asked,
		Order: Order{
			Batch:      batch,
			Remote:     m.remote,
			Mark:       mark,
			Room:       m.confirmations.Room(),
			Adopt:      !m.adoption.done(),
			MayAdopt:   m.adoption.approved && batch.Everything != nil,
			Limits:     m.limits,
			Recent:     m.recent.count(now),
			Approved:   m.holds.approvals.current(),
			Holding:    m.holds.held != nil,
			Unapproved: m.holds.unapproved(),
			TakeOver:   m.meetings.takeOver,
			Away:       m.apart.away,
			AwayHeld:   m.apart.Unreachable != nil,
			Postponed:  m.postponing.Postponed,
			Began:      now,
			Shut:       shut,
			Uncompared: batch.Everything == nil && m.uncompared(),
			Overtaken:  slices.ContainsFunc(batch.Entries, func(e *dirty.Entry) bool { return m.endings.Overtook(e.Path) }),
		},
	}
	if pass := batch.Everything; pass != nil && shut {
		for _, e := range m.set.WindowedMoves() {
			// What is to stay until the window opens is open for the pass as well.
			e.Seq, e.Since = min(e.Seq, pass.Seq), earlier(e.Since, pass.Since)
			s.Order.Except = append(s.Order.Except, e.Path)
		}
	}
	for _, e := range slices.Concat(m.set.Failing(), batch.Entries) {
		if !e.Failing() {
			continue
		}
		s.Order.Failing = append(s.Order.Failing, e)
		if pass := batch.Everything; pass != nil {
			// It leaves them alone: what it is for is open until they are there.
			e.Seq, e.Since = min(e.Seq, pass.Seq), earlier(e.Since, pass.Since)
		}
		// A mode that cannot be set keeps nothing below it from being sent.
		if e.Change&^watch.Meta == 0 {
			continue
		}
		s.Order.Except = append(s.Order.Except, e.Path)
		if batch.Everything != nil {
			e.Change |= watch.Entry | watch.Tree // nor does the pass look at what is below
		}
	}
	return s
}

// OnlyRsync takes in that nothing of a transfer goes by the direct lane any more; direct
// says that there is one.
func (m *Machine) OnlyRsync(s *Sending, direct bool, now time.Time) {
	if s != m.running || s.Order.Batch.Everything != nil || s.onlyRsync {
		return
	}
	if s.onlyRsync = true; !direct {
		s.besideAt = now.Add(besideWait)
	}
}

// LookAtHold returns what has to be found out about what is held; ok is false if
// there is nothing.
func (m *Machine) LookAtHold(now time.Time) (l HoldLook, ok bool) {
	h := m.holds.held
	if h == nil || h.All {
		return HoldLook{}, false
	}
	l = HoldLook{
		Back: h.back, Shown: h.id != "", Was: h.Verdict, Most: h.most, Limits: m.limits, of: h,
		Deletions: guard.Deletions{Entries: h.Names.Len(), Counted: h.Names.Counted(), Unapproved: m.holds.others(), Settled: true, Quiet: true, RecentCounted: h.before},
	}
	h.back = nil
	if !l.Shown {
		l.Deletions.RecentCounted = m.recent.count(now).Counted
	} else if m.holds.owed.Within(h.Names) {
		l.Deletions.Unapproved = m.holds.earlier // these are the same
	}
	return l, true
}

// Returned takes in what is there again, and whether it is a directory each, of what
// a look was about.
func (m *Machine) Returned(l HoldLook, there map[string]bool, now time.Time) {
	if m.holds.held != l.of {
		return
	}
	entries, changed := l.of.take(there)
	for name := range there {
		m.holds.owed.Remove(name)
	}
	switch {
	case changed && l.of.Names.Len() == 0:
		m.release(false, now)
	case changed:
		m.set.Restore(dirty.Batch{Entries: entries}, now)
	}
}

// Judged takes in the verdict that a look asked for, and reports whether the hold is
// shown from now on.
func (m *Machine) Judged(l HoldLook, v guard.Verdict, now time.Time) (shown bool) {
	h := l.of
	if m.holds.held != h {
		return false
	}
	if !l.Shown && v.Action == guard.Allow {
		m.release(false, now)
		return false
	}
	h.reason, h.checked = v.Reason, now
	if l.Shown {
		return false
	}
	h.Verdict, h.before = v, l.Deletions.RecentCounted
	h.id = m.newID(now)()
	return true
}
