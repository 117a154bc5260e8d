package transfer

import (
	"maps"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/rsync"
)

// A remote that keeps what is gone (config.Remote.Keeps) is one from which nothing is
// deleted, not even where it is in the way: what would take the place of a directory, or
// be a directory in the place of something else, fails alone. rsync replaces such things
// whatever its options say; so the remote is asked first.

const (
	keptDirectory = "the remote has a directory in its place, and nothing is deleted there (delete=keep)"
	keptFile      = "the remote has something in its place that is no directory, and nothing is deleted there (delete=keep)"
)

// leaveDeleted takes the deletions out of the plan for a remote that keeps what is gone.
// It returns the directories whose times they have changed.
func (t *transfer) leaveDeleted(plan *rsync.Plan) (beside []string) {
	if !t.Remote.Keeps() {
		return nil
	}
	dirs := make(map[string]bool)
	for _, d := range plan.Deleted {
		dirs[relpath.Parent(d.Path)] = true
		for _, e := range d.Entries {
			dirs[relpath.Parent(e.Path)] = true
		}
	}
	plan.Deleted = nil
	return slices.Sorted(maps.Keys(dirs))
}

// replaceable returns those of names for which nothing would have to be deleted from a
// remote that keeps what is gone; the others fail. ok is false when the outcome is final.
func (t *transfer) replaceable(names []string, part dirty.Batch) (rest []string, ok bool) {
	if !t.Remote.Keeps() || len(names) == 0 {
		return names, true
	}
	isDir := make(map[string]bool) // of names, and of what leads to them
	for _, name := range names {
		if info, err := t.lane.Lstat(name); err == nil {
			isDir[name] = info.IsDir()
		}
		for dir := relpath.Parent(name); dir != "" && !isDir[dir]; dir = relpath.Parent(dir) {
			isDir[dir] = true
		}
	}
	wanted := make(map[string]bool, len(isDir))
	for name := range isDir {
		wanted[name] = true
	}
	inTheWay := make(map[string]bool)
	var failures []rsync.Failure
	job := rsync.List(t.endpoint, slices.Sorted(maps.Keys(isDir)), func(line string) {
		l, ok := rsync.ParseListed(line)
		if l = l.Among(wanted); !ok || !wanted[l.Path] || inTheWay[l.Path] {
			return
		}
		switch is := l.Kind == 'd'; {
		case is == isDir[l.Path]:
			return
		case is:
			failures = append(failures, rsync.Failure{Path: l.Path, Message: keptDirectory})
		default:
			failures = append(failures, rsync.Failure{Path: l.Path, Message: keptFile})
		}
		inTheWay[l.Path] = true
	})
	if _, ok := t.run(t.lane.root, job); !ok {
		return nil, false
	}
	if len(failures) == 0 {
		return names, true
	}
	t.separate(failures, part)
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		for ; name != ""; name = relpath.Parent(name) {
			if inTheWay[name] {
				return true
			}
		}
		return false
	}), true
}
