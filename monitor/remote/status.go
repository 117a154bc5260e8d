package remote

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// Status is the remote's part of a report.
func (m *Machine) Status(now time.Time) report.RemoteStatus {
	s := report.RemoteStatus{
		Name:         m.remote.Name,
		Error:        m.errorMessage(),
		Drift:        m.passes.Drift,
		Adopted:      m.adoption.done(),
		Asked:        m.barriers.Asked,
		Barrier:      m.barriers.Acknowledged,
		NamesSought:  m.search.Files,
		Unconfirmed:  m.confirmations.Len(),
		Confirmed:    m.barriers.Verified,
		Strategy:     m.strategy,
		Cannot:       m.cannot,
		LastSuccess:  timeOrNil(m.lastSuccess),
		LastFullPass: timeOrNil(m.passes.Last),
		Latencies:    slices.Clone(m.latencies),
		Held:         m.held(),
		Kept:         m.kept.report(),
		Postponed:    m.postponing.report(),
		Comparisons:  m.comparisonStatus(now),
		Totals:       m.totals.report(),
		Listings:     slices.Clone(m.listings.made),
	}
	m.verifyStatus(&s)
	for _, q := range m.questions {
		s.Paths = append(s.Paths, m.explain(q))
	}
	if m.retry.failure != nil {
		s.Hint = m.retry.failure.Hint
	}
	s.Pending, s.PendingEverything = m.set.Len(), m.set.Everything()
	for _, b := range append(m.underWay(), m.heldBatch()) {
		s.Pending += b.Len()
		s.PendingEverything = s.PendingEverything || b.Everything != nil
	}
	if since, ok := m.oldestPending(); ok {
		s.OldestPending = &since
	}
	s.Transfer = m.transferStatus(now)
	unsupported, leftOut := m.parked()
	s.Window = m.window(s.Pending, s.PendingEverything, now)
	s.Unsupported, s.UnsupportedPaths = len(unsupported), m.firstOf(unsupported)
	s.LeftOut, s.LeftOutPaths = len(leftOut), m.firstOf(leftOut)
	all := m.failing()
	s.Attention, s.Stuck = m.attention(all)
	failing := firstFailing(all)
	if s.Error == "" && failing != nil {
		s.Error, s.Hint = m.options.Words(failing.Problem)
		s.ErrorPath = failing.Path
		if failing.Parked() && s.Hint == "" {
			s.Hint = fmt.Sprintf("wsync info lists what it cannot hold; rename that, or attach %s again with --skip-unsupported", m.remote.Name)
		}
	}
	if m.running == nil && (m.retry.failures > 0 || failing != nil) {
		s.NextRetry = m.nextRetry(failing)
	}
	state := m.currentState(failing != nil)
	if state != m.state {
		m.state, m.since = state, now
	}
	s.State, s.Since = m.state, m.since
	return s
}

// underWay are the batches that are on their way and not there by the remote's word.
func (m *Machine) underWay() (all []dirty.Batch) {
	for _, s := range []*Sending{m.running, m.beside} {
		if s != nil {
			all = append(all, s.acknowledging(), s.left)
		}
	}
	return all
}

// held is what the user is asked about, nil for nothing.
func (m *Machine) held() *report.Held {
	switch {
	case m.meetings.met != nil:
		return m.meetings.shown
	case m.holds.isShown():
		return m.holds.report()
	case m.apart.Unreachable != nil:
		return m.apart.Held
	}
	return nil
}

// currentState is the one state that says most about the remote.
func (m *Machine) currentState(failing bool) report.State {
	switch {
	case m.paused:
		return report.Paused
	case m.halt != "" || m.holds.isShown() || m.apart.Unreachable != nil:
		return report.Halted
	case m.retry.is(Met) && m.meetings.met != nil:
		return report.Halted
	case m.retry.is(Offline):
		return report.Offline
	case m.retry.failures > 0:
		return report.Retrying
	case m.running.sends() && !m.running.Order.Confirm || m.beside != nil:
		return report.Syncing
	case failing:
		return report.Retrying
	case !m.armed:
		return report.Starting
	case m.set.Len() > 0 || m.set.Everything() || m.holds.held != nil || m.search.Files > 0:
		return report.Pending
	case !m.confirmations.None() || m.confirmations.Running():
		return report.Confirming
	}
	return report.InSync
}

// errorMessage is why nothing gets through, or "".
func (m *Machine) errorMessage() string {
	switch {
	case m.halt != "":
		return m.halt
	case m.holds.isShown():
		return m.holds.reason
	case m.apart.Unreachable != nil && m.retry.failures == 0:
		return m.apart.Held.Reason
	case m.retry.failures > 0:
		return m.retry.failure.Message
	}
	return ""
}

// oldestPending is the age of the oldest change that is not acknowledged.
func (m *Machine) oldestPending() (oldest time.Time, ok bool) {
	for _, of := range m.open() {
		if _, since, open := of(); open && (!ok || since.Before(oldest)) {
			oldest, ok = since, true
		}
	}
	return oldest, ok
}

// unsupportedListed is how many of the paths are named that are not on a remote.
const unsupportedListed = 100

// parked are what the destination cannot hold, and what is left out there.
func (m *Machine) parked() (unsupported, leftOut []*dirty.Entry) {
	all := m.set.Parked()
	for _, b := range m.underWay() {
		for _, e := range b.Entries {
			if e.Parked() {
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	for _, e := range all {
		if e.Reason == dirty.LeftOut {
			leftOut = append(leftOut, e)
		} else {
			unsupported = append(unsupported, e)
		}
	}
	return unsupported, leftOut
}

// firstOf are the first of entries that are parked, for people.
func (m *Machine) firstOf(entries []*dirty.Entry) (first []report.Unsupported) {
	for _, e := range entries[:min(len(entries), unsupportedListed)] {
		said, _ := m.options.Words(e.Problem)
		first = append(first, report.Unsupported{Path: e.Path, Problem: said})
	}
	return first
}

// nextRetry is when the next attempt is due.
func (m *Machine) nextRetry(failing *dirty.Entry) *time.Time {
	if m.retry.failures > 0 {
		return timeOrNil(m.retry.at)
	}
	if failing.Parked() {
		at, _ := m.passes.Next()
		return timeOrNil(at)
	}
	return timeOrNil(failing.NotBefore)
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
