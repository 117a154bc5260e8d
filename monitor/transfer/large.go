package transfer

import (
	"cmp"
	"slices"

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
	if t.Remote.Bandwidth == 0 || t.Confirm || s.unlike || t.endpoint.Delays() {
		return nil // what appears together is sent together
	}
	large, sizes := t.largeOf(s.names)
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

// largeOf are those of names that are large files, with their sizes.
func (t *transfer) largeOf(names []string) (large []string, sizes map[string]int64) {
	sizes = make(map[string]int64)
	for _, name := range names {
		info, err := t.lane.Lstat(name)
		if err == nil && info.Mode().IsRegular() && info.Size() > largeSize(t.Remote.Bandwidth) {
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
	if part.Everything != nil {
		t.out.Drift += len(names)
	}
}
