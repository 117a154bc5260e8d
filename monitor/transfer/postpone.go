package transfer

import (
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

// A remote with a delay for deletions (config.Remote.DeleteAfter) has names for a while
// that are gone here. remote.Order.Deletes says which of them may go; what a transfer leaves
// is in its outcome, and so is what is left no longer.

// goes reports whether an entry of the remote may be deleted that is not here.
func (t *transfer) goes(name string, dir bool) bool {
	return t.Deletes(name) || !t.Remote.Keeps() && (t.replacing || t.inPlaceOf(name, dir))
}

// inPlaceOf reports whether an entry of the remote, which may be a directory, is in the way
// of what is here: it, or something above it, is a directory on one side only.
func (t *transfer) inPlaceOf(name string, dir bool) bool {
	if info, err := t.lane.Lstat(name); err == nil {
		return info.IsDir() != dir
	}
	for up := relpath.Parent(name); up != ""; up = relpath.Parent(up) {
		if info, err := t.lane.Lstat(up); err == nil {
			return !info.IsDir()
		}
	}
	return false
}

// stays takes in that a name stays on the remote, though it is gone here.
func (t *transfer) stays(g remote.Gone) {
	if t.Remote.Keeps() {
		return // for good
	}
	if len(t.out.Left) >= remote.PostponedLimit {
		t.out.LeftMore = true
		return
	}
	t.out.Left = append(t.out.Left, g)
}

// isBackAsDirectory reports whether an entry is about a directory that is here, while the
// remote has names there, or below, that are not: what else there is has to be looked at.
func (t *transfer) isBackAsDirectory(e *dirty.Entry) bool {
	if e.Path == "" || e.Change&(watch.Entry|watch.Tree) == 0 || len(t.Postponed.Within(e.Path)) == 0 {
		return false
	}
	info, err := t.lane.Lstat(e.Path)
	return err == nil && info.IsDir()
}

// settle finds, at the end of a transfer of a batch, which of the postponed names are not to
// be deleted any more, as they are deleted or here again: those that it has looked at and
// that are not left, nor to be looked at again.
func (t *transfer) settle(batch dirty.Batch) {
	if t.Remote.Keeps() || t.Confirm || t.out.Failure != nil {
		return
	}
	t.tellMoved(batch)
	if t.Postponed.Len() == 0 || t.unsure {
		return
	}
	left := make(map[string]bool, len(t.out.Left))
	for _, g := range t.out.Left {
		left[g.Path] = true
	}
	stays := func(name string) bool {
		for ; name != ""; name = relpath.Parent(name) {
			if left[name] {
				return true
			}
		}
		return false
	}
	open := t.open()
	settled := make(map[string]bool)
	for _, q := range t.lookedAt(batch) {
		if settled[q.Path] || open.Touches(q.Path) || t.excepted(q.Path) || left[q.Path] || !t.Deletes(q.Path) && stays(q.Path) {
			continue
		}
		settled[q.Path] = true
		t.out.Settled = append(t.out.Settled, q.Path)
	}
}

// open is what of the order is not done.
func (t *transfer) open() dirty.Batch {
	open := remote.Join(remote.Join(t.out.Again, t.out.Later), t.out.Large)
	open.Entries = slices.Concat(open.Entries, t.out.Failed)
	if t.out.Hold != nil {
		open = remote.Join(open, t.out.Hold.Batch())
	}
	if t.out.Unreachable != nil {
		open.Entries = append(open.Entries, t.out.Unreachable.Entries...)
	}
	return open
}

// lookedAt are the postponed names that a transfer of a batch has looked at.
func (t *transfer) lookedAt(batch dirty.Batch) (names []remote.Postponement) {
	if batch.Everything != nil {
		return t.Postponed.Within("")
	}
	for _, e := range batch.Entries {
		if e.Path != "" && e.Change&(watch.Entry|watch.Tree) != 0 {
			names = append(names, t.Postponed.Within(e.Path)...)
		}
	}
	return names
}

// tellMoved completes what is left with what it was renamed to.
func (t *transfer) tellMoved(batch dirty.Batch) {
	if len(t.out.Left) == 0 {
		return
	}
	moved := make(map[string]string)
	for _, e := range batch.WithoutMoves().Entries {
		if e.MovedTo != "" {
			moved[e.Path] = e.MovedTo
		}
	}
	for i := range t.out.Left {
		g := &t.out.Left[i]
		g.MovedTo = moved[g.Path]
	}
}
