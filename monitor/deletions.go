package monitor

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/rsync"
)

// The rhythm of deletions. A few go at once; many wait until no more follow,
// so that they can be judged as a whole.
const (
	// deletionWindow is how long a deletion counts together with later ones.
	deletionWindow = 10 * time.Second
	// settleTime without any change tells that a removal is over.
	settleTime = 100 * time.Millisecond
	// settleLimit bounds the wait for that.
	settleLimit = 5 * time.Second
)

// holdAdoption holds the first pass to a destination that is in use, and tells
// whether it does. The outcome is final then, or when its err is set.
func (t *transfer) holdAdoption() bool {
	list, ok := t.run(rsync.ListDeletions(t.endpoint, t.except))
	if ok && list.verdict == rsync.Partial && len(list.said.Failures) > 0 {
		// What cannot be read here keeps rsync from looking further there. Without
		// it, it does; what is below fails until it can be read, and goes nowhere.
		except := slices.Clone(t.except)
		for _, f := range list.said.Failures {
			except = append(except, f.Path)
		}
		list, ok = t.run(rsync.ListDeletions(t.endpoint, except))
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
	t.out.hold = &hold{
		reason: fmt.Sprintf("the destination holds %s that the workspace does not", entries),
		count:  list.Deleted,
		sample: list.DeletedSample,
		pass:   t.batch.Everything,
		all:    true,
	}
	t.out.again.Entries = t.batch.Entries
	return true
}

// approves tells that the user has approved so many deletions for a part of a
// batch, or nearly so many.
func approves(part dirty.Batch, deletions int) bool {
	approved := 0
	if part.Everything != nil {
		approved = part.Everything.Approved
	}
	for _, e := range part.Entries {
		approved = max(approved, e.Approved)
	}
	return approved > 0 && deletions-approved/10 <= approved
}

// holds decides about deletions that a run found to be necessary, after it had
// carried out others, and tells whether they are held.
func (t *transfer) holds(list rsync.Result, done int, part dirty.Batch) bool {
	recent := t.recent
	if part.Everything != nil {
		recent = done
	}
	reason := t.judgeCount(max(list.Deleted-t.elsewhereNow, 0) + recent)
	if reason == "" {
		return false
	}
	t.hold(&hold{reason: reason, count: list.Deleted, sample: list.DeletedSample, pass: part.Everything, entries: part.Entries})
	return true
}

// otherHeld is the reason to hold what is gone after deletions were held.
const otherHeld = "other deletions are held"

// judgeCount says why so many deletions must be held, or "".
func (t *transfer) judgeCount(deletions int) string {
	if t.holding {
		return otherHeld
	}
	return t.limits.judge(t.lane.root, deletions)
}

// hold adds to what is held.
func (t *transfer) hold(h *hold) {
	if t.out.hold == nil {
		t.out.hold = h
	} else {
		t.out.hold.add(h)
	}
}

// mayDelete tells that the direct lane may make n deletions now; settled: no more
// are to be expected. It deletes nothing but what an event named, so that they
// need not be counted on the remote.
func (t *transfer) mayDelete(n int, settled bool) bool {
	switch {
	case n == 0:
		return true
	case t.holding || t.limits.judgeRoot(t.lane.root) != "":
		return false
	case n+t.recent <= t.limits.count:
		return true
	}
	return settled && t.judgeCount(n+t.recent) == ""
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

// elsewhere counts what entries were renamed to and is there now. Of a directory
// that was renamed, much may have gone since.
func (t *transfer) elsewhere(entries []*dirty.Entry) int {
	var places []string
	for _, e := range entries {
		if e.MovedTo != "" {
			places = append(places, e.MovedTo)
		}
	}
	slices.Sort(places)
	n := 0
	var directories []string // with all below them
	for _, p := range slices.Compact(places) {
		info, err := t.lane.lstat(p)
		if err != nil || slices.ContainsFunc(directories, func(dir string) bool { return dirty.Below(p, dir) }) {
			continue
		}
		n++
		if info.IsDir() {
			n += countEntries(filepath.Join(t.lane.root, filepath.FromSlash(p)), math.MaxInt32, t.limits.skipGit)
			directories = append(directories, p)
		}
	}
	return n
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
func (t *transfer) judgeDeletions(deletions []rsync.Deletion) (d judgedDeletions) {
	if len(deletions) == 0 || !t.believesGone() {
		return d
	}
	var entries []*dirty.Entry // of the paths to be judged
	unknown := false
	for _, gone := range deletions {
		if gone.Cleared() {
			d.cleared = append(d.cleared, gone.Path)
			continue
		}
		d.judged = append(d.judged, gone.Path)
		entries = append(entries, gone.Entries...)
		unknown = unknown || gone.Unknown()
	}
	if len(d.judged) == 0 {
		return d
	}
	if len(entries)+t.recent > t.limits.count && !t.settled() && !t.holding {
		// There may be more to come, with which they are to be judged.
		t.out.later.Entries = append(t.out.later.Entries, entries...)
		return judgedDeletions{cleared: d.cleared}
	}
	// Events tell how many there are at the most, unless a directory went as a
	// whole; what never was on the remote counts for nothing.
	d.count = len(entries)
	elsewhere := 0
	var sample []string
	if unknown || t.holding || d.count+t.recent > t.limits.count || t.limits.judgeRoot(t.lane.root) != "" {
		list, ok := t.count(rsync.CountDeletions(t.endpoint, d.judged))
		if !ok {
			return judgedDeletions{}
		}
		if t.meetsInside(list.Result) {
			return judgedDeletions{}
		}
		d.count, sample = list.Deleted, list.DeletedSample
		elsewhere = min(t.elsewhere(entries), d.count)
	}
	counted := d.count - elsewhere
	if counted == 0 {
		t.elsewhereNow = elsewhere
		return d
	}
	if counted+t.recent > t.limits.count && !t.settled() && !t.holding {
		t.out.later.Entries = append(t.out.later.Entries, entries...)
		return judgedDeletions{cleared: d.cleared}
	}
	if reason := t.judgeCount(counted + t.recent); reason != "" {
		t.hold(&hold{reason: reason, count: counted, sample: sample, entries: entries})
		return judgedDeletions{cleared: d.cleared}
	}
	t.elsewhereNow = elsewhere
	return d
}
