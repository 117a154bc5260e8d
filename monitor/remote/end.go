package remote

import (
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// freeRounds is how often something is done again at once, before there is a
// wait in between.
const freeRounds = 10

// Ended is what follows from the end of a transfer.
type Ended struct {
	// Forget is as in Effects.
	Forget []string
	// Stamp is until when the remote is known to equal the workspace, to be
	// remembered for the next monitor; zero if that need not be.
	Stamp time.Time
	// Pass says why a full pass follows that nobody has asked for, "" for none.
	Pass string
	// Repaired is how many entries a full pass had to repair of which nothing had told.
	Repaired int
	// Marked is to be called with all that changed until now being marked.
	Marked func()
}

// End takes in how a transfer ended: what is on the remote now is clean, the rest is
// dirty again. sizes are those of the files of its batch that were open, in bytes.
func (m *Machine) End(s *Sending, out Outcome, sizes map[string]int64, now time.Time) (ended Ended) {
	batch := s.Order.Batch
	m.totals.take(s.Order, out, now)
	ended.Marked = m.noteEnd(batch, out.Obstacles)
	if batch.Everything != nil {
		m.passes.Because(s.reason, true) // in case it goes back and merges with a later one
	}
	m.take(s, now)
	var met *Meeting
	if out.Failure != nil {
		met = out.Failure.Other
	}
	if out.Failure != nil && out.Failure.Kind == Canceled || m.meetings.approvedSince(met, s.Order.TakeOver) {
		m.putBack(s, batch, s.began)
		m.leftovers(batch, s.began)
		m.confirmations.AddLate(out.Late, now)
		return ended
	}
	if out.Hold != nil && s.approvals != m.holds.approvals.count {
		// It was judged before the user's word.
		out.Again, out.Hold = Join(out.Again, out.Hold.Batch()), nil
	}
	m.noteSent(s, sizes, now)
	if len(out.Strategy) > 0 {
		m.strategy, m.cannot = out.Strategy, out.Cannot
	}
	if out.Failure != nil && out.Hold != nil && out.Hold.Pass == nil {
		out.Hold = nil // its entries are in the batch, which goes back as a whole
	}
	if out.Hold != nil {
		out.Hold.Partial = !out.Hold.All && (batch.Everything == nil || len(s.Order.Except)+len(out.Failed) > 0)
		m.holds.add(out.Hold, now, m.newID(now))
	}
	if out.Replaced { // nobody has seen what the other one holds
		m.adoption.replaced, m.adoption.approved = true, false
	}
	if met != nil {
		m.meetings.found(met, m.newID(now))
	}
	ended.Pass = m.passAfter(batch, out, now)
	if out.Failure != nil {
		m.failed(s, batch, out, now)
		m.retryAsked(s, now)
		return ended
	}
	drift := m.passes.Drift
	ended.Forget = m.succeeded(s, out, now)
	ended.Repaired = m.passes.Drift - drift
	m.retryAsked(s, now)
	if !s.Order.Beside && !m.set.Everything() { // beside another one nobody looks
		m.meetings.end()
	}
	if m.nothingOpen() {
		ended.Stamp = m.clean.nothingOpen(s.began)
	}
	return ended
}

// take takes a transfer out of those that are under way, with what it kept others
// from.
func (m *Machine) take(s *Sending, now time.Time) {
	m.drift.left(now)
	if s == m.beside {
		m.beside = nil
		return
	}
	m.running = nil
	m.confirmations.End()
	m.transfer.Kind = ""
	m.set.Restore(s.left, now)
	m.set.Restore(s.takeTimes(), now)
}

// noteEnd keeps a transfer in mind, with the obstacles that it came upon, and
// returns how to forget it.
func (m *Machine) noteEnd(batch dirty.Batch, obstacles []*dirty.Entry) (forget func()) {
	if len(obstacles) > 0 {
		m.set.MovesToEntries() // of those that came meanwhile
	}
	id := m.endings.Add(batch, obstacles)
	return func() { m.endings.Forget(id) }
}

// noteSent takes in what files cost that were sent while they were open. It comes
// before they may be put back.
func (m *Machine) noteSent(s *Sending, sizes map[string]int64, now time.Time) {
	for _, e := range s.Order.Batch.Entries {
		if e.Change&watch.Open == 0 {
			continue
		}
		cost := now.Sub(s.began)
		if size, ok := sizes[e.Path]; ok {
			cost = min(cost, mostCost(size))
		}
		m.set.Sent(e.Path, cost, now)
	}
}

// mostCost is what a file of so many bytes costs at most of a transfer that it had
// a part in.
func mostCost(size int64) time.Duration {
	const (
		least  = 100 * time.Millisecond
		second = 5 << 20 // bytes
	)
	return least + time.Duration(float64(size)/second*float64(time.Second))
}

// passAfter makes a full pass due if a transfer has found a cause, and says which if
// it is news. The pass is as old as the batch: whoever waits for that waits for it,
// too; see lost for what may be gone that had arrived.
func (m *Machine) passAfter(batch dirty.Batch, out Outcome, now time.Time) (why string) {
	seq, _, ok := batch.Oldest()
	switch {
	case out.Failure != nil && out.Failure.Kind == Met:
		m.lost(seq, now) // the other may have changed anything
	case out.Causes&Lost != 0:
		m.lost(seq, now)
		return "the remote has lost something"
	case out.Causes&Drifted != 0 && m.passes.Noticed(now):
		m.lost(seq, now)
		return "somebody else has changed the destination"
	case out.Causes&Interrupted != 0 && ok:
		m.Everything(PassEvents, seq, now, now)
	case out.Causes&Misspelt != 0:
		m.Everything(PassEvents, seq, now, now)
	}
	return ""
}

// retryAsked has what fails tried again soon if a request to wait came while it was under
// way, as AddBarrier does: that it has failed is no answer to the request.
func (m *Machine) retryAsked(s *Sending, now time.Time) {
	if m.barriers.Waiting() && m.barriers.Asked > s.barrier {
		m.set.RetryFailing(now)
	}
}

// lost makes a full pass due because what had arrived may be gone. Nobody who waits has
// an answer before it: what they wait for may have been among that.
func (m *Machine) lost(seq uint64, now time.Time) {
	m.Everything(PassLost, min(seq, m.barriers.Oldest()), now, now)
}

// failed takes in that nothing is known to have arrived.
func (m *Machine) failed(s *Sending, batch dirty.Batch, out Outcome, now time.Time) {
	m.recent.add(out.Deleted, now)
	m.retry.failed(out.Failure, now)
	m.retry.barrier = s.barrier
	limit := out.Failure.Kind.limit()
	m.confirmations.AddLate(out.Late, now)
	if s.Order.Confirm {
		m.confirmations.Failed(func(n int) time.Time { return now.Add(m.retry.backoff(n, limit)) })
	}
	broke := out.Failure.Kind == Offline || out.Causes&Interrupted != 0
	if e := batch.Everything; e != nil && !broke && m.adoption.done() {
		// The changes are not to wait for a pass that fails.
		e.Attempts, e.Problem, e.Cure, e.TriedAt, e.Barrier = e.Attempts+1, out.Failure.Message, out.Failure.Cure, now, s.barrier
		at := m.retry.slot(now, e.Attempts, limit)
		if alone := m.retry.at.Add(firstBackoff); at.Before(alone) {
			at = alone // they are tried once without it
		}
		m.set.Restore(dirty.Batch{Everything: e}, at)
		batch.Everything = nil
	}
	m.putBack(s, batch, now)
}

// succeeded takes in that all has arrived but what the outcome says, and returns
// where something was mounted that nobody misses.
func (m *Machine) succeeded(s *Sending, out Outcome, now time.Time) (forget []string) {
	batch := s.Order.Batch
	if !s.Order.Beside { // which says nothing about the way that rsync takes
		m.retry.succeeded()
	}
	if s.Order.Confirm {
		m.confirmations.Succeeded()
	}
	if out.Hold == nil || !out.Hold.All {
		m.lastSuccess = now
	}
	m.latencies.add(s.Order, out, now)
	if !slices.ContainsFunc(batch.Entries, func(e *dirty.Entry) bool { return e.Cleared() }) {
		m.recent.makeUp(out.Created) // and not what was only renamed
	}
	m.recent.add(out.Deleted, now)
	if !s.Order.Beside && m.drift.answeredBy(s.began) {
		m.unanswered = true
	}
	m.retryBelow(batch, now)
	m.putBackParts(s, out, now)
	if out.Unreachable != nil {
		m.set.Restore(m.apart.add(out.Unreachable, m.newID(now)), now)
	}
	if len(out.Reachable) > 0 {
		forget = out.Reachable
		m.set.Restore(m.apart.end(), now)
	}
	m.addUnconfirmed(s, out.Unconfirmed, now)
	m.sent.take(s.Order, out, now)
	m.kept.take(out.Kept, batch.Everything != nil)
	m.postpone(s, out, now)
	if batch.Everything == nil || out.Again.Everything != nil || out.Hold != nil && out.Hold.Pass != nil {
		return forget
	}
	// A full pass that had nothing to hold has deleted all that was held before, but
	// for what it had to leave alone.
	if h := m.holds.held; h != nil {
		h.Pass = nil
		m.holds.owe()
		m.release(false, now)
	}
	if out.Hold == nil && out.Again.Empty() && out.Later.Empty() && len(out.Failed)+len(s.Order.Except) == 0 {
		m.holds.settled() // nothing is left that was held before
	}
	if out.Hold == nil {
		m.verifying.passed()
	}
	m.passes.Done(s.reason, out.Drift, now, m.retry.jittered(m.passes.Interval))
	return forget
}

// addUnconfirmed takes in what the direct lane has brought in line.
func (m *Machine) addUnconfirmed(s *Sending, entries []*dirty.Entry, now time.Time) {
	m.confirmations.Add(entries, now)
	if len(entries) > 0 && m.barriers.WantsVerified() {
		m.confirmations.Hurry(now)
	}
	if s.other == nil {
		return
	}
	if s.other.leaveTimes(entries); s.other != m.running {
		m.set.Restore(s.other.takeTimes(), now) // it has ended first
	}
}

// putBack returns a batch to where it came from.
func (m *Machine) putBack(s *Sending, batch dirty.Batch, now time.Time) {
	if s.Order.Confirm {
		m.confirmations.Restore(batch, now)
	} else {
		m.set.Restore(batch, now)
	}
}

// putBackParts puts back what is to be done again at once, and the paths that
// failed, each with a wait of its own.
func (m *Machine) putBackParts(s *Sending, out Outcome, now time.Time) {
	if s.other != nil && s.other == m.running {
		// It is for rsync, which comes when the other transfer has ended.
		m.running.leave(Join(out.Again, out.Later))
	} else {
		m.again(out.Again, now)
		quiet := m.named.Add(settleTime)
		if quiet.Before(now) {
			quiet = now
		}
		m.set.Defer(out.Later, now, quiet)
	}
	m.leaveLarge(s, out.Large, now)
	for _, e := range out.Failed {
		e.TriedAt, e.Barrier = now, s.barrier
		at := m.retry.slot(now, e.Attempts, MaxBackoff)
		if e.Reason != "" {
			at = dirty.Never // but for full passes
		}
		m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, at)
	}
}

// again puts back what is to be done again at once, unless that was so too often
// for the same.
func (m *Machine) again(b dirty.Batch, now time.Time) {
	at := func(e *dirty.Entry) time.Time {
		if e.Rounds++; e.Rounds <= freeRounds {
			return now
		}
		return m.retry.slot(now, e.Rounds-freeRounds, MaxBackoff)
	}
	if e := b.Everything; e != nil {
		m.set.Restore(dirty.Batch{Everything: e}, at(e))
	}
	for _, e := range b.WithoutMoves().Entries {
		m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, at(e))
	}
}

// leftovers makes a full pass due after a transfer that was interrupted: the
// remote may have kept a temporary file.
func (m *Machine) leftovers(batch dirty.Batch, now time.Time) {
	if seq, _, ok := batch.Oldest(); ok {
		m.Everything(PassEvents, seq, now, now)
	}
}

// retryBelow lets paths that fail be tried again below the directories of a batch
// that have changed: they may be gone with them.
func (m *Machine) retryBelow(batch dirty.Batch, now time.Time) {
	changed := make(map[string]bool)
	for _, e := range batch.Entries {
		if e.Change&(watch.Entry|watch.Tree) != 0 && !e.Failing() {
			changed[e.Path] = true
		}
	}
	if len(changed) == 0 {
		return
	}
	m.set.HastenFailing(func(path string) bool {
		for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
			if changed[dir] {
				return true
			}
		}
		return false
	}, now)
}

// nothingOpen reports whether the remote equals the workspace, by all that is known.
func (m *Machine) nothingOpen() bool {
	return m.set.Len() == 0 && !m.set.Everything() && m.running == nil && m.beside == nil &&
		m.search.Files == 0 && m.confirmations.None() && m.holds.held == nil && m.apart.Unreachable == nil && !m.passes.Last.IsZero()
}

// Join adds the parts of b to a.
func Join(a, b dirty.Batch) dirty.Batch {
	if b.Everything != nil {
		a.Everything = b.Everything
	}
	a.Moves = append(a.Moves, b.Moves...)
	a.Entries = append(a.Entries, b.Entries...)
	return a
}
