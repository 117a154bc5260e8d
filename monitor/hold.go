package monitor

import (
	"slices"
	"strconv"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// hold is a set of deletions that waits for the user's approval.
type hold struct {
	reason string
	count  int
	sample []string
	// entries are the paths that are gone; pass: deletions of a full pass are
	// held as well or instead.
	entries []*dirty.Entry
	pass    *dirty.Entry
	// all: nothing at all may be sent, because the destination holds what may
	// be somebody else's.
	all bool
}

// report is the hold as the status shows it. The ID is new with each change of
// the hold, in this monitor or an earlier one.
func (h *hold) report() *report.Held {
	return &report.Held{
		ID:     strconv.FormatInt(time.Now().UnixNano(), 36),
		Count:  h.count,
		Sample: h.sample,
		Reason: h.reason,
	}
}

// add merges a later hold into h. Beyond the size that a dirty set may have,
// the entries become a full pass.
func (h *hold) add(other *hold) {
	known := make(map[string]bool, len(h.entries))
	for _, e := range h.entries {
		known[e.Path] = true
	}
	again := true
	for _, e := range other.entries {
		if !known[e.Path] {
			h.entries, again = append(h.entries, e), false
		}
	}
	if again && other.pass == nil {
		return // it was back meanwhile, and is gone again
	}
	if len(h.entries) > dirty.Limit && h.pass == nil {
		seq, since, _ := dirty.Batch{Entries: h.entries}.Oldest()
		h.pass, h.entries = &dirty.Entry{Seq: seq, Since: since}, nil
	}
	if other.pass != nil {
		// The list of a full pass has all that is to be deleted.
		h.pass, h.count, h.sample = other.pass, other.count, other.sample
		if other.reason != otherHeld {
			h.reason = other.reason
		}
		return
	}
	h.count += other.count
}

// deletion is that n entries were deleted.
type deletion struct {
	at time.Time
	n  int
}

// noteDeletions takes in that n entries were deleted; the caller holds mu.
func (w *worker) noteDeletions(n int, now time.Time) {
	if n > 0 {
		w.deletions = append(w.deletions, deletion{now, n})
	}
}

// recentDeletions is how many entries were deleted lately; the caller holds mu.
func (w *worker) recentDeletions(now time.Time) int {
	n := 0
	for len(w.deletions) > 0 && now.Sub(w.deletions[0].at) > deletionWindow {
		w.deletions = w.deletions[1:]
	}
	for _, d := range w.deletions {
		n += d.n
	}
	return n
}

// makeUp takes entries that were created from those that were deleted before: a
// tree that goes, comes and goes again, as in a build, is not twice as large. The
// caller holds mu.
func (w *worker) makeUp(created int) {
	for i := range w.deletions {
		n := min(created, w.deletions[i].n)
		w.deletions[i].n -= n
		created -= n
	}
}

// settled returns how to ask, while a batch taken at taken is on its way, whether
// more removals are to be expected: not if nothing has changed for a moment, or
// if that has been waited for long enough. It is called without mu.
func (w *worker) settled(batch dirty.Batch, taken time.Time) func() bool {
	_, since, _ := batch.Oldest()
	began := time.Now()
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		now := taken.Add(time.Since(began))
		return w.quiet(now) || now.Sub(since) >= settleLimit
	}
}

// quiet tells that nothing has changed for a moment; the caller holds mu.
func (w *worker) quiet(now time.Time) bool { return now.Sub(w.changedAt) >= settleTime }

// release puts held deletions back into the set, approved by the user or to be
// judged anew. The caller holds mu.
func (w *worker) release(approved bool, now time.Time) {
	h := w.hold
	if h == nil {
		return
	}
	w.hold, w.held = nil, nil
	batch := dirty.Batch{Everything: h.pass, Entries: h.entries}
	if approved {
		if h.pass != nil {
			h.pass.Approved = h.count
		}
		for _, e := range h.entries {
			e.Approved = h.count
		}
		w.deletions = nil
	}
	w.set.Restore(batch, now)
}

// restoredDue is when to look whether all that was gone is there again: after a
// change, and not too often. The caller holds mu.
func (w *worker) restoredDue() (at time.Time, ok bool) {
	return w.holdChecked.Add(settleLimit), w.hold != nil && w.hold.pass == nil && w.changedAt.After(w.holdChecked)
}

// releaseRestored ends a hold when all that was gone is there again. It is
// called without mu.
func (w *worker) releaseRestored(now time.Time) {
	w.mu.Lock()
	if w.hold == nil || w.hold.pass != nil || now.Sub(w.holdChecked) < settleLimit {
		w.mu.Unlock()
		return
	}
	w.holdChecked = now
	checked, entries := w.hold, w.hold.entries
	w.mu.Unlock()
	lstat := rsync.LstatIn(w.lane.root)
	for _, e := range entries {
		if _, err := lstat(e.Path); err != nil {
			return
		}
	}
	w.mu.Lock()
	if w.hold == checked && len(checked.entries) == len(entries) {
		w.release(false, now)
	}
	w.mu.Unlock()
}

// holdBack keeps deletions until the user decides; the caller holds mu.
func (w *worker) holdBack(h *hold) {
	if w.hold != nil && h.pass != nil && h.count == w.hold.count && (h.reason == w.hold.reason || h.reason == otherHeld) {
		w.hold.pass = h.pass
		return // the same again, which keeps its ID
	}
	if w.hold == nil {
		w.hold = h
	} else {
		w.hold.add(h)
	}
	w.held = w.hold.report()
}

// heldBatch is what is held; the caller holds mu.
func (w *worker) heldBatch() dirty.Batch {
	var batch dirty.Batch
	if w.hold != nil {
		batch = dirty.Batch{Everything: w.hold.pass, Entries: w.hold.entries}
	}
	if w.unreachable != nil {
		batch.Entries = append(slices.Clip(batch.Entries), w.unreachable.entries...)
	}
	return batch
}
