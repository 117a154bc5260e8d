package transfer

import (
	"errors"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// sweep is a run of rsync that brings a part of the batch in line with the workspace,
// and may find that something has to be deleted, if only because it stands in the way.
//
// It deletes nothing itself. What was unmounted a moment before it looks is gone for it,
// and nobody can stop it by then. So what has to go is listed, and judged by the names
// in the list; then it is made sure that the workspace was there all the time; and then
// these names are deleted by a run that does not look at the workspace. See removal.go.
type sweep struct {
	// run is the job, which deletes nothing, list the one that finds what would be
	// deleted.
	run  func() rsync.Job
	list rsync.Job
	// part is what the run is for.
	part dirty.Batch
}

// sweep carries out a sweep. What has to be deleted is counted and judged, and held or
// done.
func (t *transfer) sweep(s sweep) {
	sending := attempt{dir: t.lane.root, job: func(int) rsync.Job { return s.run() }, list: &s.list, part: s.part}
	first, ok := t.attempt(sending)
	if !ok {
		return
	}
	// A basic remote does not say what it would have deleted.
	if !t.endpoint.Strategy.Basic && !first.held() {
		t.judge(first, s.part)
		return
	}
	found := t.tally()
	list, ok := t.count(t.lane.root, s.list, found)
	if !ok || t.meetsInside(list.Result) {
		return
	}
	if list.Deleted == 0 {
		t.judge(first, s.part)
		return
	}
	if t.holds(found, s.part) {
		return
	}
	failures, again := len(t.out.Failed), len(t.out.Again.Entries)
	removed, ok := t.removeListed(found, list, s.part)
	switch {
	case !ok:
		return
	case len(t.out.Failed) > failures || len(t.out.Again.Entries) > again || t.out.Again.Everything != nil:
		if !first.isClean() {
			t.judge(first, s.part)
		}
		return
	case first.isClean() && list.isClean() && removed >= list.Deleted && !t.capabilities().Folds():
		t.judge(ran{verdict: rsync.Done, said: rsync.Complaints{Pinned: list.said.Pinned}}, s.part)
		return
	}
	// What stood in the way is gone now, or what has gone there was another name of what
	// is to stay.
	second, ok := t.attempt(sending)
	switch {
	case !ok:
	case second.held() && removed == 0:
		t.out.Failure = failed(remote.Trouble, errors.New("the remote's rsync does not delete what it says that it would"), "")
	case second.held():
		// More had to go than were counted.
		t.out.Again = remote.Join(t.out.Again, s.part)
	default:
		t.judge(second, s.part)
	}
}

// account adds what a run has done to the outcome.
func (t *transfer) account(r ran, done *tally, a attempt) {
	if !a.judged {
		t.addDeleted(done.number())
	}
	if a.part.Everything != nil {
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
		if r, ok := t.tallied(t.lane.root, list, found); ok && r.Deleted > 0 && !t.holds(found, part) {
			t.removeListed(found, r, part)
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
