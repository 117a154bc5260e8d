package transfer

import (
	"cmp"
	"slices"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// Where a bandwidth is set, a large file is on its way for long, and not everything can go
// beside it: deletions, renames, and what is very much wait for the end of a transfer, and
// all that there is for the end of a full pass. So a transfer sends one large file, after
// all else, and leaves the others for transfers of their own; one with a full pass leaves
// all, and so does what is sent with a directory.

// leftAtOnce is how many files are left of one sweep at most: each is a dirty path then.
const leftAtOnce = 1000

// leaveLarge takes out of a sweep what is large, but for the one that is to be sent after
// all else. It changes the sweep's part, of which the paths that are left are no part any
// more.
func (t *transfer) leaveLarge(s *sweep) (last []string) {
	t.awaitWindow(s)
	if t.Remote.Bandwidth == 0 || t.Confirm || s.unlike || t.endpoint.Delays() {
		return nil // what appears together is sent together
	}
	large, sizes := t.largeOf(s.names, largeSize(t.Remote.Bandwidth))
	if len(large) == 0 || len(large) > leftAtOnce {
		return nil
	}
	small := slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { _, is := sizes[name]; return is })
	if s.found() {
		t.leave(large, s.part)
		s.names = small
		return nil
	}
	slices.SortStableFunc(large, func(a, b string) int { return cmp.Compare(sizes[a], sizes[b]) })
	s.names = small
	if t.Batch.Everything == nil {
		last, large = large[:1], large[1:]
	}
	left := below(s.part.Entries, large)
	t.out.Large.Entries = append(t.out.Large.Entries, left...)
	s.part.Entries = slices.DeleteFunc(slices.Clone(s.part.Entries), func(e *dirty.Entry) bool { return slices.Contains(left, e) })
	return last
}

// awaitWindow takes out of a sweep what has to wait for the remote's window, also of a
// confirmation: it may have changed since.
func (t *transfer) awaitWindow(s *sweep) {
	if !t.Shut || s.unlike {
		return
	}
	large, sizes := t.largeOf(s.names, config.WindowSize)
	if len(large) == 0 {
		return
	}
	s.names = slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { _, is := sizes[name]; return is })
	if s.found() {
		t.leave(large, s.part)
		return
	}
	left := below(s.part.Entries, large)
	t.out.Large.Entries = append(t.out.Large.Entries, left...)
	s.part.Entries = slices.DeleteFunc(slices.Clone(s.part.Entries), func(e *dirty.Entry) bool { return slices.Contains(left, e) })
}

// renamedLarge takes out of entries the old names of what was renamed and waits itself: it
// is not to be missing there in between.
func (t *transfer) renamedLarge(entries []*dirty.Entry) (rest []*dirty.Entry) {
	if !t.Shut || t.Confirm {
		return entries
	}
	for _, e := range entries {
		if e.MovedTo != "" && t.isGone(e.Path) && t.holdsLarge(e.MovedTo) {
			t.out.Large.Entries = append(t.out.Large.Entries, e)
			t.Except = append(slices.Clip(t.Except), e.Path)
		} else {
			rest = append(rest, e)
		}
	}
	return rest
}

// holdsLarge reports whether a path is, or has below it, what waits for the window.
func (t *transfer) holdsLarge(path string) bool {
	large, _ := t.largeOf(t.list([]string{path}).names, config.WindowSize)
	return len(large) > 0
}

// largeOf are those of names that are files above a size, with their sizes.
func (t *transfer) largeOf(names []string, above int64) (large []string, sizes map[string]int64) {
	sizes = make(map[string]int64)
	for _, name := range names {
		info, err := t.lane.Lstat(name)
		if err == nil && info.Mode().IsRegular() && info.Size() > above {
			large, sizes[name] = append(large, name), info.Size()
		}
	}
	return large, sizes
}

// leave leaves files that were found to differ, because of part.
func (t *transfer) leave(names []string, part dirty.Batch) {
	seq, since, _ := part.Oldest()
	for _, name := range names {
		// As what is new, which the remote need not have.
		t.out.Large.Entries = append(t.out.Large.Entries, &dirty.Entry{Path: name, Change: watch.Entry | watch.Content, Seq: seq, Since: since})
	}
	if part.Everything != nil && !t.Shut { // else it may be found by many passes
		t.out.Drift += len(names)
	}
}
