package monitor

import (
	"fmt"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/rsync"
)

// The rhythm of deletions. A few go at once; many wait until no more follow,
// so that they can be judged as a whole.
const (
	// deletionWindow is how long a deletion counts together with later ones.
	deletionWindow = 10 * time.Second
	// settleTime without any change tells that a removal is over.
	settleTime = 100 * time.Millisecond
	// settleLimit bounds the wait for that, and quietLimit for those that do not
	// count.
	settleLimit = 5 * time.Second
	quietLimit  = time.Minute
)

// holdAdoption holds the first pass to a destination that is in use, and tells
// whether it does. The outcome is final then, or when its err is set.
func (t *transfer) holdAdoption() bool {
	foreign := &tally{tools: t.lane.tools}
	list, ok := t.tallied(rsync.ListDeletions(t.endpoint, t.except), foreign)
	if ok && list.verdict == rsync.Partial && len(list.said.Failures) > 0 {
		// What cannot be read here keeps rsync from looking further there. Without
		// it, it does; what is below fails until it can be read, and goes nowhere.
		except := slices.Clone(t.except)
		for _, f := range list.said.Failures {
			except = append(except, f.Path)
		}
		list, ok = t.tallied(rsync.ListDeletions(t.endpoint, except), foreign)
	}
	if list.said.MissingDestination {
		t.out = outcome{} // there is nothing foreign
		return false
	}
	if !ok {
		return false
	}
	if list.verdict != rsync.Done && list.Deleted == 0 {
		// Nobody knows what is there.
		t.fail(list.Code, rsync.Trouble, list.said)
		return false
	}
	if t.meetsInside(list.Result) {
		return true
	}
	list.Deleted -= list.Probes // of this mirror or another, soon gone
	if list.Deleted == 0 {
		return false
	}
	entries := "1 entry"
	if list.Deleted > 1 {
		entries = fmt.Sprintf("%d entries", list.Deleted)
	}
	t.out.hold = foreign.hold(guard.Verdict{Action: guard.Hold, Reason: fmt.Sprintf("the destination holds %s that the workspace does not", entries)})
	t.out.hold.pass, t.out.hold.all = t.batch.Everything, true
	t.out.again.Entries = t.batch.Entries
	return true
}

// tallied runs a job and counts what it deletes, or would delete if it only lists.
func (t *transfer) tallied(job rsync.Job, c *tally) (r ran, ok bool) {
	job.Deleting = c.add
	return t.run(job)
}

// hold is a hold of what has been counted.
func (c *tally) hold(v guard.Verdict) *hold {
	return &hold{verdict: v, names: c.names, sample: c.sample}
}

// holds decides about deletions that a run found to be necessary, after it had
// carried out others, and tells whether they are held.
func (t *transfer) holds(found *tally, done deletions, part dirty.Batch) bool {
	recent := t.recent
	if part.Everything != nil {
		recent = done
	}
	s := calm{settled: true, quiet: part.Everything != nil || t.settled().quiet}
	v := t.verdict(found.deletions(recent, s))
	switch v.Action {
	case guard.Allow:
		return false
	case guard.Wait:
		t.out.later = join(t.out.later, part)
		return true
	}
	h := found.hold(v)
	h.pass, h.entries = part.Everything, part.Entries
	t.hold(h)
	return true
}

// hold adds to what is held.
func (t *transfer) hold(h *hold) {
	if t.out.hold == nil {
		t.out.hold = h
	} else {
		t.out.hold.add(h)
	}
}

// recheckMoved looks whether what was renamed is still in the tree; if not, it
// counts as deleted.
func (t *transfer) recheckMoved() {
	for _, e := range t.batch.Entries {
		if e.MovedTo == "" {
			continue
		}
		if _, err := t.lane.lstat(e.MovedTo); err != nil {
			e.MovedTo = ""
		}
	}
}

// judgedDeletions are paths that are gone and may be deleted: those that need no
// judgement, and those that were judged, with the number of their entries.
type judgedDeletions struct {
	cleared, judged []string
	count           int
}

// judgeDeletions decides about paths that are gone, and returns those that may
// be deleted now. The others are in the outcome, to be held or to be asked for
// again. It comes when all that is new has been sent: what is elsewhere in the tree
// now was there to be sent.
func (t *transfer) judgeDeletions(gone []rsync.Deletion) (d judgedDeletions) {
	if len(gone) == 0 || !t.believesGone() {
		return d
	}
	var entries []*dirty.Entry // of the paths to be judged
	unknown := false
	events := t.tally()
	for _, g := range gone {
		if g.Cleared() {
			d.cleared = append(d.cleared, g.Path)
			continue
		}
		d.judged = append(d.judged, g.Path)
		entries = append(entries, g.Entries...)
		unknown = unknown || g.Unknown()
		for _, e := range g.Entries {
			events.add(e.Path)
		}
	}
	if len(d.judged) == 0 {
		return d
	}
	later := func() judgedDeletions {
		t.out.later.Entries = append(t.out.later.Entries, entries...)
		return judgedDeletions{cleared: d.cleared}
	}
	// Events tell how many there are at the most, unless a directory went as a
	// whole; what never was on the remote counts for nothing.
	d.count = len(entries)
	first := t.verdict(events.deletions(t.recent, t.settled()))
	switch {
	case first.Action == guard.Wait:
		return later() // there may be more to come, with which they are to be judged
	case first.Action == guard.Allow && !unknown && events.names.Len()+t.recent.entries <= t.limits.Count:
		return d
	}
	t.setMoved(entries)
	found := t.tally()
	list, ok := t.count(rsync.CountDeletions(t.endpoint, d.judged), found)
	if !ok || t.meetsInside(list.Result) {
		return judgedDeletions{}
	}
	d.count = list.Deleted
	switch v := t.verdict(found.deletions(t.recent, t.settled())); v.Action {
	case guard.Wait:
		return later()
	case guard.Hold:
		h := found.hold(v)
		h.entries = entries
		t.hold(h)
		return judgedDeletions{cleared: d.cleared}
	}
	return d
}
