package transfer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// What is deleted with rsync is what was judged, by its name: from a directory of this
// machine that has nothing but the directories that lead to the names. Nothing that
// happens to the workspace meanwhile can add to it.

// judgedNames are paths that are gone and were judged, with at most so many entries.
type judgedNames struct {
	names []string
	most  int
	// listed: the remote was asked what there is of them. If not, they are believed to be
	// files.
	listed bool
}

// removeGone deletes paths that are gone, because of entries; if there is more than was
// judged, it is judged again.
func (t *transfer) removeGone(entries []*dirty.Entry, judged judgedNames) {
	names := judged.names
	if len(names) == 0 || t.out.Failure != nil {
		return
	}
	// Much may have been sent since, and what is there again is to be sent, too.
	gone, back := make([]string, 0, len(names)), []string(nil)
	for _, name := range names {
		if t.isGone(name) {
			gone = append(gone, name)
		} else {
			back = append(back, name)
		}
	}
	t.out.Again.Entries = append(t.out.Again.Entries, concerning(entries, back)...)
	judged.names = gone
	t.removeJudging(judged, dirty.Batch{Entries: concerning(entries, gone)})
}

// concerning are the entries that have to do with one of names: they are below it, or it
// is below them.
func concerning(entries []*dirty.Entry, names []string) []*dirty.Entry {
	if len(names) == 0 {
		return nil
	}
	found := below(entries, names)
	has := make(map[*dirty.Entry]bool, len(found))
	for _, e := range found {
		has[e] = true
	}
	paths := make(map[string]bool) // that lead to names
	for _, name := range names {
		for p := relpath.Parent(name); p != "" && !paths[p]; p = relpath.Parent(p) {
			paths[p] = true
		}
	}
	for _, e := range entries {
		if paths[e.Path] && !has[e] {
			found = append(found, e)
		}
	}
	return found
}

// removeJudging deletes paths with all below them, and at most so many entries. If there
// are more, unless there may be math.MaxInt32, or directories where nobody has looked, they
// are counted and judged.
func (t *transfer) removeJudging(judged judgedNames, part dirty.Batch) {
	most := judged.most
	if len(judged.names) == 0 {
		return
	}
	t.fromSkeleton(judged.names, part, func(top string, names []string) {
		a := attempt{dir: top, job: t.removal(names), most: most, judged: most == math.MaxInt32, part: part}
		if !judged.listed {
			// A directory may have something in it that nobody has judged, or that is
			// ignored.
			a.job = func(most int) rsync.Job { return rsync.RemoveAlone(t.endpoint, names).Limit(t.endpoint, most) }
		}
		if most > 0 && (a.judged || !t.endpoint.Strategy.Basic) { // which cannot stop at a number
			first, ok := t.attempt(a)
			if !ok {
				return
			}
			if !first.held() && (judged.listed || len(first.said.Pinned) == 0) {
				t.judge(first, part)
				return
			}
		}
		if !judged.listed {
			t.setMoved(part.Entries)
		}
		found := t.tally()
		list, ok := t.count(top, t.removal(names)(math.MaxInt32).DryRun(), found)
		switch {
		case !ok || t.meetsInside(list.Result):
			return
		case list.Deleted == 0:
			t.keep(found)
			t.judge(list, part)
			return
		case (!a.judged || !judged.listed) && t.holds(found, part) || !t.believesGone():
			// That a file was renamed says nothing of what is in a directory that the remote
			// has in its place.
			return
		}
		t.keep(found)
		t.removeListed(found, list, part)
	})
}

// removeListed deletes what was listed and judged, and returns how many entries it has.
// ok is false when the outcome is final.
func (t *transfer) removeListed(found *tally, list ran, part dirty.Batch) (removed int, ok bool) {
	return t.removeByRules(found, list, part, relistings)
}

// relistings is how often what is to be deleted is listed again because the rules have
// changed meanwhile, before it waits for the next transfer.
const relistings = 2

// removeByRules is removeListed that lists again so often at most.
func (t *transfer) removeByRules(found *tally, list ran, part dirty.Batch, again int) (removed int, ok bool) {
	t.fromSkeleton(found.listed.all(), part, func(top string, names []string) {
		t.lane.exclude.Refresh(time.Now())
		if found.rules != t.excluded() {
			// Something of it may be ignored since it was listed.
			if again == 0 {
				t.out.Again = remote.Join(t.out.Again, part)
				return
			}
			now := t.tally()
			if r, ok := t.count(top, t.removal(names)(math.MaxInt32).DryRun(), now); ok && !t.meetsInside(r.Result) {
				t.keep(now)
				n, _ := t.removeByRules(now, r, part, again-1)
				removed += n
			}
			return
		}
		removed += t.removeOnce(attempt{dir: top, job: t.removal(names), most: allowance(list.Deleted), part: part})
	})
	return removed, t.out.Failure == nil
}

// allowance is how many entries may be deleted of which so many were counted.
func allowance(counted int) int { return counted + counted/10 + 1 }

// removal is the job for names.
func (t *transfer) removal(names []string) func(most int) rsync.Job {
	return func(most int) rsync.Job { return rsync.Remove(t.endpoint, names).Limit(t.endpoint, most) }
}

// removeOnce carries out a removal, and returns how many entries it has deleted.
func (t *transfer) removeOnce(a attempt) int {
	r, ok := t.attempt(a)
	switch {
	case !ok:
		return r.Deleted
	case r.said.DeletionsHeld:
		// More had to go than were counted. The exit code need not tell: others go
		// before it, and an rsync daemon has none for it.
		t.out.Again = remote.Join(t.out.Again, a.part)
	default:
		t.judge(r, a.part)
	}
	return r.Deleted
}

// fromSkeleton calls remove with a skeleton for names, after it was made sure that they
// are gone, as often as it takes for all of them.
func (t *transfer) fromSkeleton(names []string, part dirty.Batch, remove func(top string, names []string)) {
	if t.Remote.Keeps() {
		return
	}
	var long []rsync.Failure
	names = slices.DeleteFunc(names, func(name string) bool {
		if t.endpoint.Removable(name) {
			return false
		}
		long = append(long, rsync.Failure{Path: name, Message: fmt.Sprintf("the path has %d bytes, which is too long for rsync to delete it", len(name)), Reason: dirty.TooLong})
		return true
	})
	if len(long) > 0 {
		t.separate(long, part)
	}
	for names := range slices.Chunk(names, min(t.endpoint.RemovableAtOnce(), max(len(names), 1))) {
		if t.out.Failure != nil {
			return
		}
		top, err := t.leading(names)
		if top != "" {
			defer removeAll(top)
		}
		if err != nil {
			t.out.Failure = failed(remote.Trouble, fmt.Errorf("cannot prepare a deletion: %w", err), "")
			return
		}
		// The skeleton was made of what there was before this.
		if !t.believesGone() {
			return
		}
		remove(top, names)
		t.recordUnsure(names)
	}
}

// leading makes a skeleton of the directories that lead to names, with the times that
// they have in the workspace. It is to be removed even after an error, unless it is "".
func (t *transfer) leading(names []string) (top string, err error) {
	if top, err = os.MkdirTemp(t.lane.scratch, "deletion-"); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(top) // paths in it may be longer than the system takes
	if err != nil {
		return top, err
	}
	defer root.Close()
	dirs := map[string]bool{"": true}
	for _, name := range names {
		dir := relpath.Parent(name)
		if !dirs[dir] {
			if err := root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
				return top, err
			}
		}
		for ; !dirs[dir]; dir = relpath.Parent(dir) {
			dirs[dir] = true
		}
	}
	lstat := rsync.LstatIn(t.lane.root)
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(dirs))) { // the deepest first
		info, err := lstat(dir)
		if err != nil || !info.IsDir() {
			continue
		}
		// The mode is for one that the remote has lost.
		name := filepath.Join(".", filepath.FromSlash(dir))
		if err := errors.Join(root.Chmod(name, t.modeThere(info.Mode()).Perm()|lifted), root.Chtimes(name, info.ModTime(), info.ModTime())); err != nil {
			return top, err
		}
	}
	return top, nil
}

// topmost are paths without those that are below others.
type topmost struct{ names []string }

// add adds a path. What is in a directory mostly comes before it, and is forgotten then.
func (m *topmost) add(name string) {
	for len(m.names) > 0 && relpath.Below(m.names[len(m.names)-1], name) {
		m.names = m.names[:len(m.names)-1]
	}
	m.names = append(m.names, name)
}

// take takes a path out again, and reports whether it was there.
func (m *topmost) take(name string) bool {
	i := slices.Index(m.names, name)
	if i < 0 {
		return false
	}
	m.names = slices.Delete(m.names, i, i+1)
	return true
}

// all returns them, each once.
func (m *topmost) all() []string {
	has := make(map[string]bool, len(m.names))
	for _, name := range m.names {
		has[name] = true
	}
	var all []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(m.names))) {
		above := relpath.Parent(name)
		for above != "" && !has[above] {
			above = relpath.Parent(above)
		}
		if above == "" {
			all = append(all, name)
		}
	}
	return all
}
