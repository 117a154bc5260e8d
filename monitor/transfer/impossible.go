package transfer

import (
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// What cannot be on a remote, however often it is tried, fails alone.

// futile reports whether no run without these paths is possible: they are in the way
// of a look at what is around them.
func futile(failures []rsync.Failure) bool {
	return len(failures) > 0 && !slices.ContainsFunc(failures, func(f rsync.Failure) bool { return f.Reason != dirty.TooLong || f.Guessed })
}

// giveUp puts a path aside that is not even tried.
func (t *transfer) giveUp(e *dirty.Entry, problem string, reason dirty.Reason) {
	entry := *e
	entry.Attempts, entry.Problem, entry.Reason = e.Attempts+1, problem, reason
	t.out.Failed = append(t.out.Failed, &entry)
}

// tooLong are those of the failing paths that rsync cannot be told to leave out.
func (t *transfer) tooLong() (paths []string) {
	limit := t.endpoint.MaxPath()
	for _, p := range t.Except {
		if len(p) > limit {
			paths = append(paths, p)
		}
	}
	return paths
}

// passTooLong sends what is beside paths that are too long. Where rsync comes upon
// one it deletes nothing, so that the pass itself leaves out the directories
// that they are in; this comes before it, and deletes nothing at all.
func (t *transfer) passTooLong(pass sweep) {
	long := t.tooLong()
	if len(long) == 0 {
		return
	}
	others := slices.DeleteFunc(slices.Clone(t.Except), func(p string) bool { return slices.Contains(long, p) })
	seen, ok := t.look(rsync.Look(t.endpoint, others))
	if !ok {
		return
	}
	pass.names = seen.names
	r, ok := t.sendSeen(pass, seen)
	if !ok {
		return
	}
	failures, _ := t.failures(r, pass.part)
	if t.separate(failures, pass.part) {
		t.out.Again = remote.Join(t.out.Again, pass.part)
	}
}

// clearReplaced deletes from the remote what was at the paths that have become
// something that cannot be made there: a directory, for example, that is a device
// now.
func (t *transfer) clearReplaced() {
	var part dirty.Batch
	var paths []string
	if t.capabilities().Folds() {
		t.lookAnew()
	}
	for _, e := range t.out.Failed {
		// What is left out without a change of its own may be somebody's there.
		if (e.Reason == dirty.BadKind || e.Reason == dirty.LeftOut && t.fitting.fresh[e.Path]) && e.Path != "" && t.clearable(e.Path) {
			part.Entries = append(part.Entries, e)
			paths = append(paths, e.Path)
		}
	}
	if len(paths) == 0 || t.endpoint.Strategy.Basic || t.out.Failure != nil || t.out.Hold != nil {
		return
	}
	if d := t.lane.directLane(); d != nil {
		t.lane.exclusively(d, d.ForgetTimes) // it is not somebody else's work
	}
	t.replacing = true
	t.removeJudging(judgedNames{names: paths}, part)
	t.replacing = false
	if t.out.Hold == nil {
		return
	}
	// They wait for an approval, and not for another attempt.
	t.out.Failed = slices.DeleteFunc(t.out.Failed, func(e *dirty.Entry) bool { return slices.Contains(part.Entries, e) })
}
