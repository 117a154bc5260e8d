package monitor

import "time"

// A burst is so many changes at once that they go by rsync, or nearly so: a tree
// that is copied, a branch that is checked out. To begin with its first part
// takes processor time from whoever makes it, and makes several runs of one.

const (
	// burstCount is how many paths are a burst.
	burstCount = 500
	// burstQuiet without any change tells that it is over.
	burstQuiet = 20 * time.Millisecond
	// burstLimit bounds the wait for that.
	burstLimit = time.Second
)

// burstEnd is when a burst may go, zero if there is none. The caller holds mu.
func (w *worker) burstEnd(now time.Time) time.Time {
	if w.set.Len() <= burstCount || w.set.Everything() {
		w.burstSince = time.Time{}
		return time.Time{}
	}
	if w.burstSince.IsZero() {
		w.burstSince = now
	}
	end := w.changedAt.Add(burstQuiet)
	if limit := w.burstSince.Add(burstLimit); limit.Before(end) {
		return limit
	}
	return end
}
