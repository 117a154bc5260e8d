package monitor

import (
	"time"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
)

// What the direct lane has sent is on the remote, by the remote's word. After a
// quiet moment one run of rsync compares it byte by byte and repairs what that
// lane cannot carry: fractions of a second, owners and groups.

// The times after which paths are confirmed.
const (
	// confirmQuiet is how long nothing more must have been sent.
	confirmQuiet = 2 * time.Second
	// confirmLimit is how long the oldest waits for that.
	confirmLimit = time.Minute
	// confirmCount is the number of paths that do not wait.
	confirmCount = dirty.Limit - 2000
	// lateTime is how long requests may be under way on a line that broke: the
	// kernel gives up what nobody owns any more after some 100 seconds.
	lateTime = 2 * time.Minute
)

// addUnconfirmed takes in what the direct lane has brought in line. The caller
// holds mu.
func (w *worker) addUnconfirmed(entries []*dirty.Entry, now time.Time) {
	if len(entries) == 0 {
		return
	}
	w.unconfirmed.Restore(dirty.Batch{Entries: entries}, now)
	_, since, _ := w.unconfirmed.Oldest()
	w.confirmAt = now.Add(confirmQuiet)
	if last := since.Add(confirmLimit); last.Before(w.confirmAt) {
		w.confirmAt = last
	}
	wanted := len(w.proofs) > 0 && w.proofs[0].n <= w.wantProof
	if w.unconfirmed.Len() > confirmCount || wanted {
		w.confirmAt = now
	}
}

// addLate takes in the paths of a flight that broke. The full pass that follows at
// once finds what the remote has made of it so far; but what was sent may still
// arrive after that, and removals, renames and attributes, other than files, are
// carried out by their paths then. So these are looked at again when that can no
// longer be. The caller holds mu.
func (w *worker) addLate(entries []*dirty.Entry, now time.Time) {
	if len(entries) == 0 {
		return
	}
	if w.late == nil {
		w.late = dirty.NewSet()
	}
	w.late.Restore(dirty.Batch{Entries: entries}, now)
	w.lateAt = now.Add(lateTime)
}

// directBounds are those of the direct lane. What it sends has to be confirmed
// later, so that in the long run rsync is faster. The caller holds mu.
func (w *worker) directBounds() direct.Limits {
	bounds := small
	bounds.Paths = max(min(bounds.Paths, confirmCount-w.unconfirmed.Len()), 0)
	return bounds
}

// confirmDue is when a confirmation is due; the caller holds mu.
func (w *worker) confirmDue() (at time.Time, ok bool) {
	if w.late != nil && (w.isConfirmed() || w.lateAt.Before(w.confirmAt)) {
		return w.lateAt, true
	}
	return w.confirmAt, !w.isConfirmed()
}

// isConfirmed tells that nothing waits for a confirmation; the caller holds mu.
func (w *worker) isConfirmed() bool {
	return w.unconfirmed.Len() == 0 && !w.unconfirmed.Everything()
}

// takeConfirmation takes all that is to be confirmed; the caller holds mu.
func (w *worker) takeConfirmation(now time.Time) dirty.Batch {
	if w.late != nil && !w.lateAt.After(now) {
		w.unconfirmed.Restore(w.late.Take(now), now)
		w.late, w.confirmAt = nil, now
	}
	if w.isConfirmed() || w.confirmAt.After(now) {
		return dirty.Batch{}
	}
	return w.unconfirmed.Take(now.Add(time.Hour)) // ripe or not
}
