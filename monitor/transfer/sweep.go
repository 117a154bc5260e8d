package transfer

import (
	"math"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// sweep is a run of rsync that may have to delete something, if only because it
// stands in the way.
type sweep struct {
	// run is the job that deletes at most so many entries, list the one that
	// finds what would be deleted.
	run  func(maxDelete int) rsync.Job
	list rsync.Job
	// free is how many entries may be deleted without another look; math.MaxInt32
	// for those that need no judgement, and count for nothing.
	free int
	// part is what the run is for.
	part dirty.Batch
}

// sweep carries out a sweep. When more would be deleted than is free, it is
// counted and judged, and held or done.
func (t *transfer) sweep(s sweep) {
	free := s.free
	if t.endpoint.Strategy.Basic {
		free = 0 // such a remote cannot stop at a number
	}
	first, done, ok := t.attempt(s, free)
	if !ok {
		return
	}
	if !t.endpoint.Strategy.Basic && first.verdict != rsync.PartialDeletion && !first.said.DeletionsHeld {
		t.judge(first, s.part)
		return
	}
	found := t.tally()
	list, ok := t.count(s.list, found)
	if !ok {
		return
	}
	if t.meetsInside(list.Result) {
		return
	}
	if list.Deleted == 0 {
		t.judge(first, s.part)
		return
	}
	if s.free < math.MaxInt32 && t.holds(found, done, s.part) {
		return
	}
	if !t.believesGone() {
		return
	}
	second, _, ok := t.attempt(s, list.Deleted+list.Deleted/10+1)
	if !ok {
		return
	}
	if second.said.DeletionsHeld {
		// More had to go than were counted. The exit code need not tell: others go
		// before it, and an rsync daemon has none for it.
		t.out.Again = remote.Join(t.out.Again, s.part)
		return
	}
	t.judge(second, s.part)
}

// account adds what a run has done to the outcome.
func (t *transfer) account(r ran, done *tally, s sweep) {
	if s.free < math.MaxInt32 {
		t.addDeleted(done.number())
	}
	if s.part.Everything != nil {
		t.out.Drift += r.Changed
		return
	}
	t.made = append(t.made, r.Made...)
	t.out.Created += r.Created
	if t.out.Causes&remote.Lost == 0 && t.lostDirectory(r.Made) {
		t.out.Causes |= remote.Lost
	}
	if t.out.Causes&remote.Drifted == 0 && t.lostFile(r.New) {
		t.out.Causes |= remote.Drifted
	}
}

// makeRoom deletes what is to be deleted before the rest, because the remote's
// disk is full: what is to be sent may only fit afterwards. The run has failed,
// at least for some paths, and is tried again.
func (t *transfer) makeRoom(list rsync.Job, part dirty.Batch) {
	before := t.out
	if part.Everything != nil {
		found := t.tally()
		if r, ok := t.tallied(list, found); ok && r.Deleted > 0 && !t.holds(found, remote.Count{}, part) {
			t.run(rsync.DeleteOnly(t.endpoint, t.Except, r.Deleted))
		}
	}
	before.Hold = t.out.Hold
	t.out = before
}

// lostDirectory reports whether the remote did not have a directory that it had
// once: what else was in it is missing, too. made are the directories that a
// run had to make there.
func (t *transfer) lostDirectory(made []string) bool {
	for _, dir := range made {
		if dir == "" || !t.isNew(dir) {
			return true
		}
	}
	return false
}

// lostFile reports whether the remote did not have a file that it had once. created
// are what a run had to make there.
func (t *transfer) lostFile(created []string) bool {
	if t.Confirm || len(created) == 0 {
		return false // it may be new since
	}
	known := make(map[string]bool) // which have changed, and are not new
	for _, e := range t.Batch.Entries {
		known[e.Path] = e.Change&(watch.Entry|watch.Tree) == 0 && !e.Failing()
	}
	return slices.ContainsFunc(created, func(name string) bool { return known[name] && !t.isNew(name) })
}

// isNew reports whether path, or a directory above it, is new in the workspace, by the
// batch or by what has come since.
func (t *transfer) isNew(path string) bool {
	return slices.ContainsFunc(t.Batch.Entries, func(e *dirty.Entry) bool {
		return e.Change&(watch.Entry|watch.Tree) != 0 && relpath.Within(path, e.Path)
	}) || t.asker.Announced(t.ctx, path)
}

// below are the entries that one of paths stands for: itself, what is below it
// and, behind an obstacle, what was meant by it.
func below(entries []*dirty.Entry, paths []string) []*dirty.Entry {
	listed := make(map[string]bool, len(paths))
	for _, p := range paths {
		listed[p] = true
	}
	var found []*dirty.Entry
	for _, e := range entries {
		for p := e.Path; ; p = relpath.Parent(p) {
			if listed[p] {
				found = append(found, e)
				break
			}
			if p == "" {
				break
			}
		}
	}
	return found
}
