package transfer

import (
	"math"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// tallied runs a job in a directory and counts what it deletes, or would delete if it
// only lists.
func (t *transfer) tallied(dir string, job rsync.Job, c *tally) (r ran, ok bool) {
	job.Deleting = c.add
	switch {
	case c.looks:
		job.Differing, job.Sending = c.differs, func(name string, _ int64) { t.counter.differs(name) }
		t.counter.look()
		t.publish()
	case !job.IsDry():
		renamed := t.renamed()
		job.Deleting = func(name string, dir bool) {
			t.recordDeleted(name, renamed)
			c.add(name, dir)
		}
		job.Differing = t.recordSent
	}
	return t.run(dir, job)
}

// hold is a hold of what has been counted.
func (c *tally) hold(v guard.Verdict) *remote.Hold {
	return &remote.Hold{Verdict: v, Names: c.names, Sample: c.sample}
}

// holds decides about deletions that a run found to be necessary, and reports whether
// they are held.
func (t *transfer) holds(found *tally, part dirty.Batch) bool {
	recent := t.Recent
	if part.Everything != nil {
		recent = remote.Count{}
	}
	calm := remote.Calm{Settled: true, Quiet: part.Everything != nil || t.asker.Calm().Quiet}
	v := t.verdict(found.deletions(recent, calm))
	switch v.Action {
	case guard.Allow:
		return false
	case guard.Wait:
		t.out.Later = remote.Join(t.out.Later, part)
		return true
	}
	h := found.hold(v)
	h.Pass, h.Entries = part.Everything, part.Entries
	t.hold(h)
	return true
}

// hold adds to what is held.
func (t *transfer) hold(h *remote.Hold) {
	if t.out.Hold == nil {
		t.out.Hold = h
	} else {
		t.out.Hold.Merge(h)
	}
}

// recheckMoved takes what was renamed for deleted if it is not in the tree any
// more.
func (t *transfer) recheckMoved() {
	for _, e := range t.Batch.Entries {
		if e.MovedTo == "" {
			continue
		}
		if _, err := t.lane.Lstat(e.MovedTo); err != nil {
			e.MovedTo = ""
		}
	}
}

// judgedDeletions are paths that are gone and may be deleted: those that need no
// judgement, of which nobody needs to know how many entries they have, and those that
// were judged.
type judgedDeletions struct {
	cleared, judged judgedNames
	// counted is how many of judged count.
	counted remote.Count
	// beside are the directories of the workspace in which something was expected on the
	// remote that is not there, or stays: no deletion brings their times along.
	beside []string
}

// notThere takes in that of paths that are gone the remote has only these names.
func (d *judgedDeletions) notThere(paths, names []string) {
	has, known := make(map[string]bool, len(names)), make(map[string]bool)
	for _, name := range names {
		has[name] = true
	}
	for _, p := range paths {
		if dir := relpath.Parent(p); !has[p] && !known[dir] {
			known[dir] = true
			d.beside = append(d.beside, dir)
		}
	}
}

// isCertain reports whether nothing but files can be at a path that is gone: no rule says
// anything else of what was there.
func (t *transfer) isCertain(d rsync.Deletion) bool {
	return !d.Unknown() && !t.excluded().Depends(d.Path) &&
		!slices.ContainsFunc(d.Entries, func(e *dirty.Entry) bool { return e.Path != d.Path })
}

// listGone lists what the remote has of paths that are gone, but for what is excluded.
func (t *transfer) listGone(paths []string, found *tally) (r ran, ok bool) {
	r, ok = t.count(t.lane.root, rsync.CountDeletions(t.endpoint, paths), found)
	if !ok || t.meetsInside(r.Result) {
		return r, false
	}
	t.keep(found)
	for _, dir := range r.said.Pinned {
		if !found.leading[dir] {
			found.listed.add(dir) // so that the deletion says what is in the way
		}
	}
	return r, true
}

// isSureOf reports whether it is known without a look at the remote what the deletion of
// a path that is gone comes to.
func (t *transfer) isSureOf(g rsync.Deletion) bool { return t.isCertain(g) && t.Deletes(g.Path) }

// clear takes in deletions that need no judgement, and returns those of directories that
// have more in them than the user has approved.
func (t *transfer) clear(cleared []rsync.Deletion, d *judgedDeletions) (more []rsync.Deletion, ok bool) {
	var entries []*dirty.Entry
	for _, g := range cleared {
		d.cleared.names = append(d.cleared.names, g.Path)
		entries = append(entries, g.Entries...)
	}
	if !slices.ContainsFunc(cleared, func(g rsync.Deletion) bool { return !t.isSureOf(g) }) {
		return nil, true
	}
	t.setMoved(entries)
	found := t.tally()
	if _, ok := t.listGone(d.cleared.names, found); !ok {
		return nil, false
	}
	names := found.listed.all()
	d.notThere(d.cleared.names, names)
	for _, g := range cleared {
		if found.names.Covers(g.Path) {
			more = append(more, g)
			names = slices.DeleteFunc(names, func(name string) bool { return relpath.Within(name, g.Path) })
		}
	}
	d.cleared.names, d.cleared.listed = names, true
	return more, true
}

// judgeDeletions decides about paths that are gone, and returns those that may
// be deleted now. The others are in the outcome, to be held or to be asked for
// again. It comes when all that is new has been sent: what is elsewhere in the tree
// now was there to be sent.
func (t *transfer) judgeDeletions(gone []rsync.Deletion) (d judgedDeletions) {
	if len(gone) == 0 || !t.believesGone() {
		return d
	}
	d.cleared.most = math.MaxInt32
	var cleared, judged []rsync.Deletion
	for _, g := range gone {
		if g.Cleared() {
			cleared = append(cleared, g)
		} else {
			judged = append(judged, g)
		}
	}
	more, ok := t.clear(cleared, &d)
	if !ok {
		return judgedDeletions{}
	}
	var entries []*dirty.Entry
	unknown := len(more) > 0
	for _, g := range append(judged, more...) {
		d.judged.names = append(d.judged.names, g.Path)
		entries = append(entries, g.Entries...)
		unknown = unknown || !t.isSureOf(g)
	}
	if len(d.judged.names) == 0 {
		return d
	}
	later := func() judgedDeletions {
		t.out.Later.Entries = append(t.out.Later.Entries, entries...)
		return judgedDeletions{cleared: d.cleared}
	}
	// Events tell how many there are at the most, unless a directory went as a
	// whole; what never was on the remote counts for nothing.
	d.judged.most = len(entries)
	events := t.tally()
	for _, e := range entries {
		events.add(e.Path, false)
	}
	first := t.verdict(events.deletions(t.Recent, t.asker.Calm()))
	switch {
	case first.Action == guard.Wait:
		return later() // there may be more to come, with which they are to be judged
	case first.Action == guard.Allow && !unknown && events.names.Len()+t.Recent.Entries <= t.Limits.Count:
		d.counted = events.number()
		return d
	}
	t.setMoved(entries)
	found := t.tally()
	list, ok := t.listGone(d.judged.names, found)
	if !ok {
		return judgedDeletions{}
	}
	names := found.listed.all()
	d.notThere(d.judged.names, names)
	d.judged = judgedNames{names, list.Deleted, true}
	switch v := t.verdict(found.deletions(t.Recent, t.asker.Calm())); v.Action {
	case guard.Wait:
		return later()
	case guard.Hold:
		h := found.hold(v)
		h.Entries = entries
		t.hold(h)
		return judgedDeletions{cleared: d.cleared, beside: d.beside}
	}
	d.counted = found.number()
	return d
}
