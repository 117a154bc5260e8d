package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/remotefs"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// Where the destination's file system is limited, a transfer first parts what it
// can hold from what it cannot. Of names that are one file there, one is kept (see
// remotefs.Capabilities.Losers), the others fail and are never sent. And what is
// gone is only removed there if no other name of the workspace is that file: the
// other one is sent instead. All of it is decided by looks into the directories
// that lead to a dirty path; a full pass looks into all.

// unfit is a path that the destination cannot hold, and with it what is below.
type unfit struct {
	path, problem string
	reason        dirty.Reason
	// kept is the path that is there instead, "" for none.
	kept string
}

// fitting is what a transfer knows of that.
type fitting struct {
	// names are those in directories, by what they fold to: each as it was when it
	// was looked at first.
	names map[string]map[string][]string
	// unfit are the paths that were found to be, exempt the paths in transfer.except.
	unfit, exempt map[string]bool
	// known are the problems of the paths that are known to be unfit, whether they
	// wait for a full pass or are to be tried before; taken are those of the batch.
	known map[string]string
	taken map[string]bool
	// fresh are those of the batch that have not failed before.
	fresh map[string]bool
}

// begin prepares it.
func (f *fitting) begin(t *transfer) {
	f.names, f.unfit, f.exempt = make(map[string]map[string][]string), make(map[string]bool), make(map[string]bool)
	f.known, f.taken, f.fresh = make(map[string]string), make(map[string]bool), make(map[string]bool)
	for _, path := range t.Except {
		f.exempt[path] = true
	}
	for _, e := range t.Failing {
		if e.Reason != "" {
			f.known[e.Path] = e.Problem
		}
	}
	for _, e := range t.Batch.Entries {
		f.taken[e.Path], f.fresh[e.Path] = true, !e.Failing()
	}
}

// namesLike returns the names in a directory of the workspace that are one file
// with name at the destination.
func (t *transfer) namesLike(dir, name string) []string {
	names, ok := t.fitting.names[dir]
	if !ok {
		names = t.lane.siblings.in(t.lane.root, dir, t.capabilities())
		t.fitting.names[dir] = names
	}
	return names[t.capabilities().Fold(name)]
}

// fit parts the batch. What cannot be held is in the outcome, and among the paths
// that runs leave alone.
func (t *transfer) fit() {
	if !t.capabilities().Limited() {
		return
	}
	t.fitting.begin(t)
	if slices.ContainsFunc(t.Batch.Moves, func(m dirty.Move) bool { return !t.repeatable(m) }) {
		t.Batch = t.Batch.WithoutMoves()
	}
	var fitting []*dirty.Entry
	for _, e := range t.Batch.Entries {
		if e = t.fitted(e); e != nil {
			fitting = append(fitting, e)
		}
	}
	t.Batch.Entries = fitting
	if e := t.Batch.Everything; e != nil {
		t.leaveOut(t.unfitBelow(""), e)
	}
	for _, e := range fitting {
		if e.Change&(watch.Entry|watch.Tree) != 0 {
			t.leaveOut(t.unfitBelow(e.Path), e)
		}
	}
	if err := t.ctx.Err(); err != nil {
		t.out.Failure = failed(remote.Trouble, err, "") // a look may have ended early
	}
}

// fitted returns the entry that is to be brought in line now for e: e itself, or nil
// if it fails, or another one takes its place.
func (t *transfer) fitted(e *dirty.Entry) *dirty.Entry {
	for i := range len(e.Path) + 1 {
		if i < len(e.Path) && e.Path[i] != '/' || e.Path == "" {
			continue
		}
		p := t.place(e.Path[:i])
		switch {
		case p.refusal.problem != "" && (i < len(e.Path) || e.Attempts > 0 || p.refusal.reason != dirty.BadKind):
			// Else rsync is to remove what it takes the place of, once.
			t.leaveOut([]unfit{p.refusal}, e)
			return nil
		case !p.exists && p.kept != "":
			return t.instead(e, p.kept)
		case !p.exists:
			return e
		}
		t.leaveOut(p.losers, e)
	}
	return e
}

// again has a path sent with the next batch.
func (t *transfer) again(path string, e *dirty.Entry) {
	t.out.Again.Entries = append(t.out.Again.Entries, &dirty.Entry{
		Path: path, Change: watch.Entry | watch.Content | watch.Tree, Seq: e.Seq, Since: e.Since, Rounds: e.Rounds,
	})
}

// instead has kept sent, which is at the destination what the path of e, which is
// gone, was. That comes next, when nothing under way has another idea of it.
func (t *transfer) instead(e *dirty.Entry, kept string) *dirty.Entry {
	if t.Confirm {
		return &dirty.Entry{Path: kept, Change: watch.Content, Seq: e.Seq, Since: e.Since}
	}
	t.again(kept, e)
	// It may have had the other name there until now, which only a pass finds.
	if !e.Failing() {
		t.out.Causes |= remote.Misspelt
	}
	return nil
}

// place is what becomes of a name of the workspace at the destination.
type place struct {
	exists bool
	// refusal is why it cannot be there, though it exists; its problem is "" if it
	// can.
	refusal unfit
	// kept is the path that is there of those that are one file, "" for none, and
	// losers are the others that exist.
	kept   string
	losers []unfit
}

// place looks at path and at what is beside it.
func (t *transfer) place(path string) (p place) {
	c, dir := t.capabilities(), relpath.Parent(path)
	name := path[len(dir):]
	name = strings.TrimPrefix(name, "/")
	names := []string{name}
	if c.Folds() {
		names = t.namesLike(dir, name)
	}
	for _, n := range names {
		other := relpath.Join(dir, n)
		info, err := t.lane.Lstat(other)
		if err != nil {
			if n == name && !errors.Is(err, fs.ErrNotExist) {
				p.exists = true // rsync shall say what is wrong
			}
			continue
		}
		p.exists = p.exists || n == name
		refusal := refusalOf(c, other, info.Mode())
		switch {
		case refusal.problem != "":
			if n == name {
				p.refusal = refusal
			}
		case p.kept == "":
			p.kept = other
		default:
			p.losers = append(p.losers, unfit{other, c.Meeting(p.kept), dirty.Meets, p.kept})
			if n == name {
				p.refusal = p.losers[len(p.losers)-1]
			}
		}
	}
	return p
}

// refusalOf says why the file system has no such entry.
func refusalOf(c remotefs.Capabilities, path string, mode fs.FileMode) unfit {
	u := unfit{path: path, problem: c.Refusal(filepath.Base(path), mode), reason: dirty.BadName}
	if c.RefusesKind(mode) {
		u.reason = dirty.BadKind
	}
	if c.Leaves(mode) {
		u.reason = dirty.LeftOut
	}
	if why := c.TooLong(path); why != "" {
		u.problem, u.reason = why, dirty.TooLong
	}
	return u
}

// alive reports whether something of the workspace is the file that path would be at the
// destination: it must not be removed there.
func (t *transfer) alive(path string) bool { return len(t.sameThere(path)) > 0 }

// sameThere returns the paths of the workspace that are one file with path at a
// destination that folds names, as far as they can be there.
func (t *transfer) sameThere(path string) []string {
	c := t.capabilities()
	if !c.Folds() {
		return nil
	}
	dirs := []string{""}
	for part := range strings.SplitSeq(path, "/") {
		var next []string
		for _, dir := range dirs {
			for _, name := range t.namesLike(dir, part) {
				other := relpath.Join(dir, name)
				if info, err := t.lane.Lstat(other); err == nil && refusalOf(c, other, info.Mode()).problem == "" {
					next = append(next, other)
				}
			}
		}
		dirs = next
	}
	return dirs
}

// clearable reports whether what is at the place of path at the destination, where path
// cannot be, is no other path's.
func (t *transfer) clearable(path string) bool {
	return !slices.ContainsFunc(t.sameThere(path), func(other string) bool { return other != path })
}

// repeatable reports whether a rename means the same on the destination: no other name
// is one of the two files there.
func (t *transfer) repeatable(m dirty.Move) bool {
	to := t.place(m.To)
	if !to.exists || to.refusal.problem != "" || len(to.losers) > 0 {
		return false
	}
	c := t.capabilities()
	if c.Fold(m.From) != c.Fold(m.To) && t.alive(m.From) {
		return false
	}
	for _, path := range []string{m.From, m.To} {
		for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
			if p := t.place(dir); !p.exists || p.refusal.problem != "" {
				return false
			}
		}
	}
	return true
}

// leaveOut takes in that paths cannot be held, which was found for an entry.
func (t *transfer) leaveOut(all []unfit, e *dirty.Entry) {
	for _, u := range all {
		if t.fitting.unfit[u.path] {
			continue
		}
		t.fitting.unfit[u.path] = true
		if !t.fitting.exempt[u.path] {
			t.fitting.exempt[u.path] = true
			t.Except = append(t.Except, u.path)
		}
		known := t.fitting.known[u.path] == u.problem
		if known && !t.fitting.taken[u.path] {
			continue // nothing new
		}
		t.out.Failed = append(t.out.Failed, &dirty.Entry{
			Path: u.path, Change: watch.Entry | watch.Content | watch.Tree, Seq: e.Seq, Since: e.Since,
			Attempts: 1, Problem: u.problem, Reason: u.reason,
		})
		// A run that looked into the directory before anything was known of this
		// name may have sent both, in any order; from now on none does.
		if u.kept != "" && !known {
			t.again(u.kept, e)
		}
	}
}

// unfitBelow finds what cannot be held below a directory of the workspace, the
// topmost of it.
func (t *transfer) unfitBelow(dir string) (found []unfit) {
	skip := make(map[string]bool)
	filepath.WalkDir(filepath.Join(t.lane.root, filepath.FromSlash(dir)), func(path string, e fs.DirEntry, err error) error {
		if t.ctx.Err() != nil {
			return filepath.SkipAll
		}
		if err != nil || !e.IsDir() {
			return nil
		}
		name, err := filepath.Rel(t.lane.root, path)
		if err != nil {
			return nil
		}
		if name = filepath.ToSlash(name); name == "." {
			name = ""
		}
		if skip[name] || t.fitting.unfit[name] || name != "" && t.excluded().Excludes(name, true) {
			return filepath.SkipDir
		}
		here := t.unfitIn(name, path)
		for _, u := range here {
			skip[u.path] = true
		}
		found = append(found, here...)
		return nil
	})
	return found
}

// unfitIn finds what cannot be held of the entries of one directory, at abs.
func (t *transfer) unfitIn(dir, abs string) (found []unfit) {
	entries, err := os.ReadDir(abs)
	if err != nil {
		return nil // rsync will say what it thinks of it
	}
	rules := t.excluded()
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return rules.Excludes(relpath.Join(dir, e.Name()), e.IsDir()) })
	return unfitOf(t.capabilities(), dir, entries)
}

// unfitOf is unfitIn for a directory that was read.
func unfitOf(c remotefs.Capabilities, dir string, entries []fs.DirEntry) (found []unfit) {
	var names []string
	for _, e := range entries {
		if refusal := refusalOf(c, relpath.Join(dir, e.Name()), e.Type()); refusal.problem != "" {
			found = append(found, refusal)
		} else {
			names = append(names, e.Name())
		}
	}
	for loser, kept := range c.Losers(names) {
		kept = relpath.Join(dir, kept)
		found = append(found, unfit{relpath.Join(dir, loser), c.Meeting(kept), dirty.Meets, kept})
	}
	return found
}

// keepAlive leaves the deletions out of a plan whose files other names are at the
// destination; they are looked at again.
func (t *transfer) keepAlive(plan *rsync.Plan) {
	t.lookAnew()
	plan.Deleted = slices.DeleteFunc(plan.Deleted, func(d rsync.Deletion) bool {
		if !t.alive(d.Path) {
			return false
		}
		t.out.Again.Entries = append(t.out.Again.Entries, d.Entries...)
		return true
	})
}

// keepAliveDirectly is keepAlive for the direct lane.
func (t *transfer) keepAliveDirectly(plan *direct.Plan) {
	t.lookAnew()
	plan.Steps = slices.DeleteFunc(plan.Steps, func(s direct.Step) bool {
		if !s.Removes() || !t.alive(s.Path) {
			return false
		}
		t.out.Again.Entries = append(t.out.Again.Entries, s.Entry)
		return true
	})
}

// lookAnew forgets what was seen of directories: what was planned since must not
// go for what is seen from now on.
func (t *transfer) lookAnew() { t.fitting.names = make(map[string]map[string][]string) }
