package monitor

import (
	"os"
	"path/filepath"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
)

// sampleSize is how many of the deletions that are held are named, and
// sampleReserve how many are kept in mind to be named when those are back.
const (
	sampleSize    = 5
	sampleReserve = 1000
)

// tally counts deletions, each once. What the user has approved, and what is
// elsewhere in the tree now, is none.
type tally struct {
	names  guard.Names
	sample []string
	tools  *guard.Tools
	counts func(name string) bool // of tools; nil at first
	passes []func(name string) bool
}

// tally returns one that holds nothing yet.
func (t *transfer) tally() *tally {
	c := &tally{tools: t.lane.tools}
	if t.approved != nil {
		c.passes = append(c.passes, t.approved.Covers)
	}
	if len(t.moved) > 0 {
		c.passes = append(c.passes, t.isElsewhere)
	}
	return c
}

// add counts the deletion of an entry.
func (c *tally) add(name string) {
	for _, passes := range c.passes {
		if passes(name) {
			return
		}
	}
	if c.counts == nil {
		c.counts = c.tools.Count()
	}
	c.names.Add(name, c.counts(name))
	if len(c.sample) < sampleReserve {
		c.sample = append(c.sample, name)
	}
}

// deletions are what has been counted, to be judged; recent are those of the last
// moments.
func (c *tally) deletions(recent deletions, s calm) guard.Deletions {
	return guard.Deletions{
		Entries: c.names.Len(), Counted: c.names.Counted(),
		Recent: recent.entries, RecentCounted: recent.counted, Settled: s.settled, Quiet: s.quiet,
	}
}

// number is how many have been counted.
func (c *tally) number() deletions { return deletions{c.names.Len(), c.names.Counted()} }

// addDeleted takes in that entries were deleted: what follows is judged together with
// them.
func (t *transfer) addDeleted(n deletions) {
	t.out.deleted = t.out.deleted.plus(n)
	t.recent = t.recent.plus(n)
}

// verdict is the guard's.
func (t *transfer) verdict(d guard.Deletions) guard.Verdict {
	d.Holding = t.holding
	return guard.Judge(t.limits, d, t.lane.workspace())
}

// isElsewhere tells that what had a name has another now: it, or a directory that
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
