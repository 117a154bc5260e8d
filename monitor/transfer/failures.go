package transfer

import (
	"errors"
	"io/fs"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// judge decides about the part of the batch that one run was for. rsync goes
// on after an error with a path, and names it; what it did not name is there.
// The exception are deletions: after a read error there are none, and a
// directory that failed takes what is below it along. So the part is run
// again without the failed paths, and that run verifies it. So it is when rsync had
// more to say than is kept.
//
// That a run succeeded is not all: of some paths rsync only says that it leaves
// them out.
func (t *transfer) judge(r ran, part dirty.Batch) {
	if r.verdict == rsync.PartialDeletion {
		// More had to go than a moment before.
		t.out.Again = remote.Join(t.out.Again, part)
		return
	}
	failures, unclear := t.failures(r, part)
	// More must be found out by a run without the paths that failed.
	open := r.said.DeletionsSkipped && !futile(failures) || rsync.EndsRun(r.Code) || r.Truncated
	nothing := r.said.NamesPaths() && !unclear && !open // of what it named counts
	switch {
	case len(failures) == 0 && (r.verdict == rsync.Done || nothing):
		return
	case len(failures) == 0 || unclear:
		t.fail(r.Code, rsync.Trouble, r.said)
		return
	}
	news := t.separate(failures, part)
	switch {
	case !news && part.Everything != nil && open:
		// The same paths fail again although they were left out.
		t.fail(r.Code, rsync.Trouble, r.said)
	case news || open:
		rest := dirty.Batch{Everything: part.Everything}
		for _, e := range part.Entries {
			if t.failure(e.Path) == "" {
				rest.Entries = append(rest.Entries, e)
			}
		}
		t.out.Again = remote.Join(t.out.Again, rest)
	}
}

// failures are the paths of a part that failed in a run. unclear reports
// whether others may have failed as well.
func (t *transfer) failures(r ran, part dirty.Batch) (failures []rsync.Failure, unclear bool) {
	done := r.verdict == rsync.Done
	for _, f := range r.said.Failures {
		switch {
		case done && f.Guessed:
		case f.Reason == dirty.Excluded && t.isGone(f.Path):
			// What the daemon takes no file for it deletes none for, either: the name
			// is not ours there.
		default:
			failures = append(failures, f)
		}
	}
	if !r.said.DeletionsHeld { // what is held is there to be kept
		for _, dir := range r.said.Pinned {
			explained := slices.ContainsFunc(r.said.Failures, func(f rsync.Failure) bool { return relpath.Below(f.Path, dir) })
			if !explained && !t.pins(dir) {
				failures = append(failures, rsync.Failure{Path: dir, Message: "cannot delete the directory: the remote's rsync keeps something in it"})
			}
		}
	}
	if done {
		return failures, false
	}
	named := 0
	for _, line := range r.said.Unknown {
		is := false
		for _, e := range part.Entries {
			if rsync.IsNamed(e.Path, line) {
				failures = append(failures, rsync.Failure{Path: e.Path, Message: line, Guessed: true})
				is = true
			}
		}
		if is {
			named++
		}
	}
	return failures, len(r.said.Unattributed) > named && !rsync.EndsRun(r.Code) // there the rest is not believed anyway
}

// isGone reports whether there is nothing at a path of the workspace.
func (t *transfer) isGone(name string) bool {
	_, err := t.lane.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// pins reports whether something below dir is left alone on the remote by our own rules.
func (t *transfer) pins(dir string) bool {
	return slices.ContainsFunc(t.Except, func(p string) bool { return relpath.Below(p, dir) })
}

// separate puts the failed paths aside, each as an entry of its own, and reports
// whether one of them failed for the first time and with its contents.
func (t *transfer) separate(failures []rsync.Failure, part dirty.Batch) (news bool) {
	oldest := part.Everything
	known := make(map[string]*dirty.Entry, len(part.Entries))
	for _, e := range t.Failing {
		known[e.Path] = e
	}
	for _, e := range part.Entries {
		known[e.Path] = e
		if oldest == nil || e.Seq < oldest.Seq {
			oldest = e
		}
	}
	for _, f := range failures {
		if !f.Attribute {
			t.counter.fail(f.Path)
		}
		entry := dirty.Entry{Path: f.Path, Seq: oldest.Seq, Since: oldest.Since, Change: watch.Entry | watch.Content | watch.Tree}
		if e, ok := known[f.Path]; ok {
			entry = *e
		} else if f.Attribute {
			entry.Change = watch.Meta
		}
		if f.Vanished {
			t.out.Again.Entries = append(t.out.Again.Entries, &entry)
			continue
		}
		entry.Attempts, entry.Problem, entry.Reason = entry.Attempts+1, f.Message, f.Reason
		entry.Cure = rsync.PathCure(f.Message)
		if !f.Attribute && entry.Attempts == 1 {
			news = true
		}
		t.out.Failed = append(t.out.Failed, &entry)
	}
	// What is below a directory that failed was not tried.
	for _, e := range part.Entries {
		dir := relpath.Parent(e.Path)
		if p := t.failure(dir); dir != "" && p != "" && t.failure(e.Path) == "" {
			entry := *e
			entry.Attempts, entry.Problem, entry.Cure = e.Attempts+1, p, rsync.PathCure(p)
			t.out.Failed = append(t.out.Failed, &entry)
		}
	}
	return news
}

// failure is the problem of name or of a directory above it, "" for none.
func (t *transfer) failure(name string) string {
	for _, f := range t.out.Failed {
		if f.Change&^watch.Meta == 0 {
			continue
		}
		if relpath.Within(name, f.Path) {
			return f.Problem
		}
	}
	return ""
}
