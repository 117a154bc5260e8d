package transfer

import (
	"os"
	"path/filepath"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// tally counts deletions, each once. What the user has approved, and what is
// elsewhere in the tree now, is none.
type tally struct {
	// listed are all of them, whether they count or not.
	listed topmost
	names  guard.Names
	sample []string
	tools  *guard.Tools
	counts func(name string) bool // of tools; nil at first
	passes []func(name string) bool
}

// tally returns one that holds nothing yet.
func (t *transfer) tally() *tally {
	c := &tally{tools: t.lane.tools}
	if t.Approved != nil {
		c.passes = append(c.passes, t.Approved.Covers)
	}
	if len(t.moved) > 0 {
		c.passes = append(c.passes, t.isElsewhere)
	}
	return c
}

// add counts the deletion of an entry.
func (c *tally) add(name string) {
	c.listed.add(name)
	if rsync.IsProbe(name) {
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

// setMoved takes in what entries were renamed to.
func (t *transfer) setMoved(entries []*dirty.Entry) {
	t.moved = make(map[string]string)
	for _, e := range entries {
		if e.MovedTo != "" {
			t.moved[e.Path] = e.MovedTo
		}
	}
}
