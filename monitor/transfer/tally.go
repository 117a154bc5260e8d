package transfer

import (
	"maps"
	"os"
	"path/filepath"

	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// tally counts deletions, each once. What the user has approved, and what is
// elsewhere in the tree now, is none.
type tally struct {
	// listed are all of them, whether they count or not, and deleted is how many.
	listed  topmost
	deleted int
	// rules say what is not to be deleted. leading are the directories that lead to
	// something of that kind; keeps are those of them that would go.
	rules   exclude.Rules
	leading map[string]bool
	keeps   []string
	// goes reports whether an entry may be deleted now, nil for always. The directories that
	// may not are in leading, and left are the names, leftMore that there are more.
	goes     func(name string, dir bool) bool
	left     topmost
	leftMore bool
	// probes is how many of the entries are what probes have made.
	probes int
	// looks: what differs is remembered, too, as rsync names it.
	looks     bool
	differing []string
	// changed is how many of these were there before, but for the root.
	changed int

	names  guard.Names
	sample []string
	tools  *guard.Tools
	counts func(name string) bool // of tools; nil at first
	passes []func(name string) bool
}

// tally returns one that holds nothing yet.
func (t *transfer) tally() *tally {
	c := &tally{tools: t.lane.tools, rules: t.excluded()}
	if t.Remote.LeavesGone() {
		c.goes = t.goes
	}
	if t.Approved != nil {
		c.passes = append(c.passes, t.Approved.Covers)
	}
	if len(t.moved) > 0 {
		c.passes = append(c.passes, t.isElsewhere)
	}
	return c
}

// reset forgets what was counted, but not what counts.
func (c *tally) reset() {
	*c = tally{rules: c.rules, goes: c.goes, looks: c.looks, tools: c.tools, passes: c.passes}
}

// addAll adds what another tally has counted.
func (c *tally) addAll(other *tally) {
	for _, name := range other.listed.names {
		c.listed.add(name)
	}
	c.deleted += other.deleted
	c.probes += other.probes
	c.names.AddAll(other.names)
	c.sample = append(c.sample, other.sample[:min(len(other.sample), remote.SampleReserve-len(c.sample))]...)
	c.keeps = append(c.keeps, other.keeps...)
	for _, name := range other.left.names {
		c.leave(name, other.leading[name])
	}
	c.leftMore = c.leftMore || other.leftMore
	if c.leading == nil {
		c.leading = make(map[string]bool)
	}
	maps.Copy(c.leading, other.leading)
}

// differs takes in an entry that differs, by a name of rsync's.
func (c *tally) differs(name, code string) {
	c.differing = append(c.differing, name)
	if !rsync.IsNew(code) && name != "./" {
		c.changed++
	}
}

// add counts the deletion of an entry, unless it is excluded, or something is that it
// leads to.
func (c *tally) add(name string, dir bool) {
	switch {
	case c.rules.Stays(name, dir):
		c.protect(name)
		return
	case c.goes != nil && !c.goes(name, dir):
		c.leave(name, dir)
		return
	case c.leading[name]:
		c.keeps = append(c.keeps, name)
		return
	}
	c.listed.add(name)
	c.deleted++
	if rsync.IsProbe(name) {
		c.probes++
		return
	}
	for _, passes := range c.passes {
		if passes(name) {
			return
		}
	}
	if c.counts == nil {
		c.counts = c.tools.Count()
	}
	c.names.Add(name, c.counts(name))
	if len(c.sample) < remote.SampleReserve {
		c.sample = append(c.sample, name)
	}
}

// leave takes in that an entry is not to be deleted now.
func (c *tally) leave(name string, dir bool) {
	c.left.add(name)
	if last := len(c.left.names) - 1; last >= remote.PostponedLimit {
		c.left.names, c.leftMore = c.left.names[:last], true
	}
	if !dir {
		return
	}
	if c.leading == nil {
		c.leading = make(map[string]bool)
	}
	c.leading[name] = true
}

// protect takes in that an entry stays: so do the directories that lead to it. What is
// in a directory mostly comes before it; one that came first is taken back.
func (c *tally) protect(name string) {
	for dir := relpath.Parent(name); dir != "" && !c.leading[dir]; dir = relpath.Parent(dir) {
		if c.leading == nil {
			c.leading = make(map[string]bool)
		}
		c.leading[dir] = true
		if c.listed.take(dir) {
			c.keeps = append(c.keeps, dir)
			c.deleted--
			c.names.Remove(dir)
		}
	}
}

// deletions are what has been counted, to be judged; recent are those of the last
// moments.
func (c *tally) deletions(recent remote.Count, calm remote.Calm) guard.Deletions {
	return guard.Deletions{
		Entries: c.names.Len(), Counted: c.names.Counted(),
		Recent: recent.Entries, RecentCounted: recent.Counted, Settled: calm.Settled, Quiet: calm.Quiet,
	}
}

// number is how many have been counted.
func (c *tally) number() remote.Count {
	return remote.Count{Entries: c.names.Len(), Counted: c.names.Counted()}
}

// addDeleted takes in that entries were deleted: what follows is judged together with
// them.
func (t *transfer) addDeleted(n remote.Count) {
	t.out.Deleted = t.out.Deleted.Plus(n)
	t.Recent = t.Recent.Plus(n)
}

// verdict is the guard's.
func (t *transfer) verdict(d guard.Deletions) guard.Verdict {
	d.Holding, d.Unapproved = t.Holding, t.Unapproved
	return guard.Judge(t.Limits, d, t.lane.Workspace())
}

// isElsewhere reports whether what had a name has another now: it, or a directory that
// it was in, was renamed within the tree, and it is still there. Of a directory that
// was renamed, much may have gone since.
func (t *transfer) isElsewhere(name string) bool {
	for at := name; at != ""; at = relpath.Parent(at) {
		if to, ok := t.moved[at]; ok {
			_, err := os.Lstat(filepath.Join(t.lane.root, filepath.FromSlash(to+name[len(at):])))
			return err == nil
		}
	}
	return false
}

// setMoved takes in what entries were renamed to, and names whose deletion was postponed.
func (t *transfer) setMoved(entries []*dirty.Entry) {
	t.moved = make(map[string]string)
	for q := range t.Postponed.All() {
		if q.MovedTo != "" {
			t.moved[q.Path] = q.MovedTo
		}
	}
	for _, e := range entries {
		if e.MovedTo != "" {
			t.moved[e.Path] = e.MovedTo
		}
	}
}
