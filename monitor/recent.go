package monitor

import (
	"time"

	"wsync/monitor/dirty"
)

// deletions is a number of them: of all, and of those that count for the guard.
type deletions struct{ entries, counted int }

func (d deletions) plus(e deletions) deletions {
	return deletions{d.entries + e.entries, d.counted + e.counted}
}

// deletion is that entries were deleted.
type deletion struct {
	at time.Time
	n  deletions
}

// noteDeletions takes in that entries were deleted; the caller holds mu.
func (w *worker) noteDeletions(n deletions, now time.Time) {
	if n.entries > 0 {
		w.deletions = append(w.deletions, deletion{now, n})
	}
}

// recentDeletions is how many entries were deleted lately; the caller holds mu.
func (w *worker) recentDeletions(now time.Time) (n deletions) {
	for len(w.deletions) > 0 && now.Sub(w.deletions[0].at) > deletionWindow {
		w.deletions = w.deletions[1:]
	}
	for _, d := range w.deletions {
		n = n.plus(d.n)
	}
	return n
}

// makeUp takes entries that were created from those that were deleted before: a
// tree that goes, comes and goes again, as in a build, is not twice as large. The
// caller holds mu.
func (w *worker) makeUp(created int) {
	for i := range w.deletions {
		n := &w.deletions[i].n
		made := min(created, n.entries)
		n.entries -= made
		n.counted = min(n.counted, n.entries)
		created -= made
	}
}

// calm tells whether more removals are to be expected: not if nothing has changed
// for a moment, or if that has been waited for long enough; and quiet for what does not
// count, which waits longer.
type calm struct{ settled, quiet bool }

// settled returns how to ask that while a batch taken at taken is on its way. It is
// called without mu.
func (w *worker) settled(batch dirty.Batch, taken time.Time) func() calm {
	_, since, _ := batch.Oldest()
	began := time.Now()
	return func() calm {
		w.mu.Lock()
		defer w.mu.Unlock()
		now := taken.Add(time.Since(began))
		quiet := w.quiet(now)
		return calm{quiet || now.Sub(since) >= settleLimit, quiet || now.Sub(since) >= quietLimit}
	}
}

// quiet tells that nothing has changed for a moment; the caller holds mu.
func (w *worker) quiet(now time.Time) bool { return now.Sub(w.changedAt) >= settleTime }
