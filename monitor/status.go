package monitor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// status is the worker's part of a report.
func (w *worker) status(now time.Time) report.RemoteStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := report.RemoteStatus{
		Name:              w.remote.Name,
		Pending:           w.set.Len() + w.inFlight.Len() + w.heldBatch().Len(),
		PendingEverything: w.set.Everything() || w.inFlight.Everything != nil || w.heldBatch().Everything != nil,
		Error:             w.errorMessage(),
		Hint:              w.failure.hint,
		Drift:             w.passes.Drift,
		Adopted:           w.adopted && !w.replaced,
		Asked:             w.barriers.Asked,
		Barrier:           w.barriers.Acknowledged,
		NamesSought:       w.sought.files,
		Unconfirmed:       w.confirmations.Len(),
		Confirmed:         w.barriers.Verified,
		Strategy:          w.strategy,
		LastSuccess:       timeOrNil(w.lastSuccess),
		LastFullPass:      timeOrNil(w.passes.Last),
	}
	if since, ok := w.oldestPending(); ok {
		s.OldestPending = &since
	}
	if w.cancel != nil {
		transfer := w.transfer
		s.Transfer = &transfer
	}
	switch {
	case w.met != nil:
		s.Held = w.meeting
	case w.hold != nil && w.hold.isShown():
		s.Held = w.hold.report()
	case w.unreachable != nil:
		s.Held = w.unreachable.held
	}
	s.Unsupported, s.UnsupportedPaths = w.unsupported()
	failing := w.firstFailing()
	if s.Error == "" && failing != nil {
		s.Error, s.Hint = rsync.PathWords(failing.Problem)
		s.ErrorPath = failing.Path
		if failing.Parked() && s.Hint == "" {
			s.Hint = fmt.Sprintf("wsync info lists what it cannot hold; rename that, or attach %s again with --skip-unsupported", w.remote.Name)
		}
	}
	if w.cancel == nil && (w.failures > 0 || failing != nil) {
		s.NextRetry = w.nextRetry(failing)
	}
	state := w.currentState(failing != nil)
	if state != w.state {
		w.state, w.since = state, now
	}
	s.State, s.Since = w.state, w.since
	return s
}

// currentState is the one state that says most about the remote; the caller
// holds mu.
func (w *worker) currentState(failing bool) report.State {
	switch {
	case w.paused:
		return report.Paused
	case w.halt != "" || w.hold != nil && w.hold.isShown() || w.unreachable != nil:
		return report.Halted
	case w.failures > 0 && w.met != nil:
		return report.Halted
	case w.failures > 0 && w.failure.offline:
		return report.Offline
	case w.failures > 0:
		return report.Retrying
	case w.cancel != nil && !w.confirmations.Running():
		return report.Syncing
	case failing:
		return report.Retrying
	case !w.everArmed:
		return report.Starting
	case w.set.Len() > 0 || w.set.Everything() || w.hold != nil || w.sought.files > 0:
		return report.Pending
	case !w.confirmations.None() || w.confirmations.Running():
		return report.Confirming
	}
	return report.InSync
}

// errorMessage is why nothing gets through, or ""; the caller holds mu.
func (w *worker) errorMessage() string {
	switch {
	case w.halt != "":
		return w.halt
	case w.hold != nil && w.hold.isShown():
		return w.hold.reason
	case w.unreachable != nil && w.failures == 0:
		return w.unreachable.held.Reason
	case w.failures > 0:
		return w.failure.err.Error()
	}
	return ""
}

// oldestPending is the age of the oldest change that is not proven; the
// caller holds mu.
func (w *worker) oldestPending() (time.Time, bool) {
	_, a, ok := w.set.Oldest()
	for _, oldest := range []func() (uint64, time.Time, bool){w.inFlight.Oldest, w.heldBatch().Oldest, w.sought.Oldest} {
		if _, b, open := oldest(); open && (!ok || b.Before(a)) {
			a, ok = b, true
		}
	}
	return a, ok
}

// firstFailing is the failing path, or full pass, that is tried next, nil for
// none; the caller holds mu.
func (w *worker) firstFailing() *dirty.Entry {
	var first *dirty.Entry
	all := append(w.set.Failing(), w.inFlight.Entries...)
	for _, pass := range []*dirty.Entry{w.set.FailingPass(), w.inFlight.Everything} {
		if pass != nil {
			all = append(all, pass)
		}
	}
	for _, e := range all {
		if !e.Failing() || e.Parked() && w.remote.SkipUnsupported {
			continue
		}
		if first == nil || e.NotBefore.Before(first.NotBefore) || e.NotBefore.Equal(first.NotBefore) && e.Path < first.Path {
			first = e
		}
	}
	return first
}

// unsupportedListed is how many of the paths are named that a remote cannot hold.
const unsupportedListed = 100

// unsupported counts what the destination cannot hold, and lists the first of it;
// the caller holds mu.
func (w *worker) unsupported() (count int, first []report.Unsupported) {
	parked := w.set.Parked()
	for _, e := range w.inFlight.Entries {
		if e.Parked() {
			parked = append(parked, e)
		}
	}
	slices.SortFunc(parked, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	for _, e := range parked[:min(len(parked), unsupportedListed)] {
		said, _ := rsync.PathWords(e.Problem)
		first = append(first, report.Unsupported{Path: e.Path, Problem: said})
	}
	return len(parked), first
}

// nextRetry is when the next attempt is due; the caller holds mu.
func (w *worker) nextRetry(failing *dirty.Entry) *time.Time {
	if w.failures > 0 {
		return timeOrNil(w.retryAt)
	}
	if failing.Parked() {
		at, _ := w.passes.Next()
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
