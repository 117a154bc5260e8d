package transfer

import (
	"errors"
	"maps"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// sweep brings a part of the batch in line with the workspace, and may find that
// something has to be deleted, if only because it stands in the way.
//
// What is sent is listed, and so is what has to be deleted: both by a look at the two
// sides, or what is sent by the plan. No run that sends deletes anything: what was
// unmounted a moment before it looks is gone for it, and nobody can stop it by then. So
// what has to go is judged by the names in the list; then it is made sure that the
// workspace was there all the time; and then these names are deleted by a run that does
// not look at the workspace. See list.go and removal.go.
type sweep struct {
	// look, if not nil, finds what differs, and what has to be deleted. names are what is
	// to be sent beside that.
	look  *rsync.Job
	names []string
	// listed: names were found by a look into directories of the workspace.
	listed bool
	// unlike: names only may differ, and most do not.
	unlike bool
	// equal: the contents of names are expected to be equal.
	equal bool
	// send sends what is listed, and deletes nothing.
	send func(names []string) rsync.Job
	// failures have been found already.
	failures []rsync.Failure
	// part is what the sweep is for.
	part dirty.Batch
}

// found reports whether what is sent was found, and nobody has named it.
func (s sweep) found() bool { return s.part.Everything != nil || s.look != nil || s.listed }

// sweep carries out a sweep. What has to be deleted is counted and judged, and held or
// done.
func (t *transfer) sweep(s sweep) {
	var seen view
	if s.look != nil {
		var ok bool
		if seen, ok = t.look(*s.look); !ok || t.meetsInside(seen.Result) {
			return
		}
		s.names = append(s.names, seen.names...)
	}
	t.awaits(s)
	seen.said.Failures = append(seen.said.Failures, s.failures...)
	if seen.verdict == rsync.Done && len(s.failures) > 0 {
		seen.verdict = rsync.Partial
	}
	last := t.leaveLarge(&s)
	t.expect(last)
	first, ok := t.sendSeen(s, seen)
	if !ok {
		return
	}
	if len(last) > 0 {
		sent, ok := t.sendListed(last, s.send, s.part)
		if !ok {
			return
		}
		first.join(sent)
		s.names = append(s.names, last...)
	}
	if s.look == nil {
		seen.found = t.tally()
	}
	// A basic remote does not say what it would have deleted.
	if first.held() || s.look == nil && t.endpoint.Strategy.Basic {
		list, ok := t.countListed(s, seen.found)
		if !ok || t.meetsInside(list.Result) {
			return
		}
		if s.look == nil {
			seen.ran = list
		}
		seen.Deleted = seen.found.deleted
	}
	t.keep(seen.found)
	kept := t.inTheWay(s.part, seen.found)
	switch {
	case seen.Deleted == 0 && !first.held():
		t.judge(first, s.part)
		return
	case seen.Deleted > 0 && t.holds(seen.found, s.part):
		return
	}
	failures, again := len(t.out.Failed), len(t.out.Again.Entries)
	removed, ok := t.removeListed(seen.found, seen.ran, s.part)
	switch {
	case !ok:
		return
	case len(t.out.Failed) > failures || len(t.out.Again.Entries) > again || t.out.Again.Everything != nil:
		if !first.isClean() {
			t.judge(first, s.part)
		}
		return
	case first.isClean() && !first.held() && seen.isClean() && removed >= seen.Deleted && !t.capabilities().Folds():
		t.judge(ran{verdict: rsync.Done, said: rsync.Complaints{Pinned: seen.said.Pinned}}, s.part)
		return
	}
	t.sendAgain(s, kept, removed)
}

// sendSeen sends what is listed; seen is what was said before.
func (t *transfer) sendSeen(s sweep, seen view) (r ran, ok bool) {
	r = seen.ran
	r.Deleted = 0
	if len(s.names) > 0 {
		sent, ok := t.sendListed(s.names, s.send, s.part)
		if !ok {
			return sent, false
		}
		r.join(sent)
	} else if seen.root {
		sent, ok := t.attempt(attempt{dir: t.lane.root, job: func(int) rsync.Job { return rsync.Root(t.endpoint) }, part: s.part})
		if !ok {
			return sent, false
		}
		r.join(sent)
	}
	return r, true
}

// sendAgain sends what is listed once more: what stood in the way is gone now, or what
// has gone there was another name of what is to stay. kept reports that something is
// left in the way.
func (t *transfer) sendAgain(s sweep, kept bool, removed int) {
	second, ok := t.sendListed(s.names, s.send, s.part)
	switch {
	case !ok:
	case second.held() && kept:
		rest := dirty.Batch{Everything: s.part.Everything}
		for _, e := range s.part.Entries {
			if t.failure(e.Path) == "" {
				rest.Entries = append(rest.Entries, e)
			}
		}
		t.out.Again = remote.Join(t.out.Again, rest)
	case second.held() && removed == 0:
		t.out.Failure = failed(remote.Trouble, errors.New("the remote's rsync does not delete what it says that it would"), "")
	case second.held():
		// More had to go than were counted.
		t.out.Again = remote.Join(t.out.Again, s.part)
	default:
		t.judge(second, s.part)
	}
}

// countListed counts what has to be deleted for what is listed.
func (t *transfer) countListed(s sweep, found *tally) (all ran, ok bool) {
	for names := range t.endpoint.Chunks(s.names) {
		c := t.tally()
		r, ok := t.count(t.lane.root, s.send(names).DryRun(), c)
		if !ok {
			return r, false
		}
		found.addAll(c)
		all.join(r)
	}
	all.Deleted = found.deleted
	return all, true
}

// inTheWay has the paths fail in whose place there is something on the remote that stays
// because of what is excluded in it, and reports whether there are any.
func (t *transfer) inTheWay(part dirty.Batch, found *tally) bool {
	var failures []rsync.Failure
	for _, dir := range slices.Sorted(maps.Keys(found.leading)) {
		if info, err := t.lane.Lstat(dir); err == nil && !info.IsDir() {
			failures = append(failures, rsync.Failure{Path: dir, Message: t.whyItStays()})
		}
	}
	if len(failures) == 0 {
		return false
	}
	t.separate(failures, part)
	return true
}

// whyItStays says why a directory of the remote stays.
func (t *transfer) whyItStays() string {
	if t.Remote.Keeps() {
		return keptDirectory
	}
	return "the remote has a directory in its place, which stays because there is something in it that is ignored"
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
func (t *transfer) makeRoom(part dirty.Batch) {
	before := t.out
	if part.Everything != nil {
		found := t.tally()
		job := rsync.ListDeletions(t.endpoint, t.Except)
		if r, ok := t.count(t.lane.root, job, found); ok && r.Deleted > 0 && !t.holds(found, part) {
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
