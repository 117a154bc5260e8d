package transfer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"wsync/monitor/guard"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// A destination that is used for the first time is compared before anything is sent:
// what would be deleted or overwritten there is somebody's, until a person says that it
// is not. What is equal is taken for ours without a word.

// holdAdoption holds the first pass to a destination that is in use, and reports
// whether it does. The outcome is final then, or when it has a failure.
func (t *transfer) holdAdoption() bool {
	foreign := &tally{tools: t.lane.tools, rules: t.excluded(), looks: true}
	except := slices.Clone(t.Except)
	list, ok := t.listForeign(foreign, except)
	if ok && list.verdict == rsync.Partial && len(list.said.Failures) > 0 {
		// What cannot be read here keeps rsync from looking further there. Without
		// it, it does; what is below fails until it can be read, and goes nowhere.
		for _, f := range list.said.Failures {
			except = append(except, f.Path)
		}
		list, ok = t.listForeign(foreign, except)
	}
	if list.said.MissingDestination {
		t.out = remote.Outcome{} // there is nothing foreign
		ok, list = true, ran{}
		foreign.reset()
	}
	if !ok {
		return false
	}
	if list.verdict != rsync.Done && list.Deleted == 0 {
		// Nobody knows what is there.
		t.fail(list.Code, rsync.Trouble, list.said)
		return false
	}
	if t.meetsInside(list.Result) {
		return true
	}
	c := contact{t: t, foreign: foreign, deletions: list.Deleted - foreign.probes} // of this mirror or another, soon gone
	if !c.empty(list) && !c.compare(except) {
		return false
	}
	return c.hold()
}

// contact is what is found at a destination that is used for the first time.
type contact struct {
	t *transfer
	// foreign is what is there and not here, deletions how much of it is somebody's.
	foreign   *tally
	deletions int
	// overwritten is how many files are there and here, and are different; sample are
	// some of them.
	overwritten int
	sample      []report.Overwrite
	// alike are files of the same size and different times.
	alike []report.Overwrite
	// missing is how many entries are here and not there.
	missing int
}

// empty reports whether there is nothing at the destination that is here, too.
func (c *contact) empty(list ran) bool {
	names, _ := c.t.mirrored(slices.Clone(c.foreign.differing))
	c.missing = len(names) - c.foreign.changed
	return list.said.MissingDestination || c.t.absent > 0 && slices.Contains(list.Made, "")
}

// compare finds what would be overwritten.
func (c *contact) compare(except []string) (ok bool) {
	job := rsync.ListAll(c.t.endpoint, slices.Concat(except, c.t.passedOver([]string{""})), func(line string) {
		if l, ok := rsync.ParseListed(line); ok && l.Kind != 'd' {
			c.see(l)
		}
	})
	if _, ok := c.t.run(c.t.lane.root, job); !ok {
		return false
	}
	return c.compareContents()
}

// see looks at a file of the destination.
func (c *contact) see(l rsync.Listed) {
	if c.t.excluded().Excludes(l.Path, false) {
		return
	}
	info, err := c.t.lane.Lstat(l.Path)
	if err != nil {
		return // it is foreign, or what is above it is
	}
	o := report.Overwrite{
		Path: l.Path, Size: info.Size(), ModTime: info.ModTime(), Kind: report.KindOf(info.Mode()),
		SizeThere: l.Size, ModTimeThere: l.ModTime, KindThere: report.KindOfLetter(l.Kind),
	}
	switch {
	case o.Kind != o.KindThere || o.Kind == report.File && o.Size != o.SizeThere:
		c.add(o)
	case o.Kind == report.File && o.ModTime.Unix() != o.ModTimeThere.Unix():
		c.alike = append(c.alike, o)
	case o.Kind == report.Link && !c.t.leadsTo(l.Path, l.Target):
		c.add(o)
	}
}

// add takes in that a file would be overwritten.
func (c *contact) add(o report.Overwrite) {
	c.overwritten++
	c.foreign.names.Add(o.Path, false)
	if len(c.sample) < report.MaxOverwrites {
		c.sample = append(c.sample, o)
	}
}

// compareContents finds out which of the files that may be equal are not.
func (c *contact) compareContents() (ok bool) {
	byPath := make(map[string]report.Overwrite, len(c.alike))
	paths := make([]string, 0, len(c.alike))
	for _, o := range c.alike {
		byPath[o.Path], paths = o, append(paths, o.Path)
	}
	if len(paths) == 0 {
		return true
	}
	for paths := range c.t.endpoint.Chunks(paths) {
		job := rsync.Paths(c.t.endpoint, paths, false).Checksum().DryRun()
		job.Differing = func(path, code string) {
			if o, ok := byPath[path]; ok && rsync.IsSent(code) {
				c.add(o)
			}
		}
		if _, ok := c.t.run(c.t.lane.root, job); !ok {
			return false
		}
	}
	return true
}

// hold decides about what was found, and reports whether it is held.
func (c *contact) hold() bool {
	t := c.t
	deletes, overwrites := c.deletions > 0 && !t.Remote.AdoptDelete, c.overwritten > 0 && !t.Remote.AdoptOverwrite
	if !deletes && !overwrites && !t.Remote.LookOnly {
		return false
	}
	reason := "it was only looked at"
	switch {
	case deletes && overwrites:
		reason = fmt.Sprintf("the destination holds %s that the workspace does not, and %s", entries(c.deletions), others(c.overwritten))
	case deletes:
		reason = fmt.Sprintf("the destination holds %s that the workspace does not", entries(c.deletions))
	case overwrites:
		reason = "the destination holds " + others(c.overwritten)
	}
	t.out.Hold = c.foreign.hold(guard.Verdict{Action: guard.Hold, Reason: reason})
	t.out.Hold.Pass, t.out.Hold.All = t.Batch.Everything, true
	t.out.Hold.Overwritten, t.out.Hold.Overwrites, t.out.Hold.Missing = c.overwritten, c.sample, c.missing
	t.out.Again.Entries = t.Batch.Entries
	return true
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func others(n int) string {
	if n == 1 {
		return "1 file with other contents"
	}
	return fmt.Sprintf("%d files with other contents", n)
}

// leadsTo reports whether a link of the workspace leads to target.
func (t *transfer) leadsTo(path, target string) bool {
	root, err := os.OpenRoot(t.lane.root)
	if err != nil {
		return false
	}
	defer root.Close()
	to, err := root.Readlink(filepath.FromSlash(path))
	return err == nil && to == target
}

// listForeign finds what the workspace does not hold of the destination.
func (t *transfer) listForeign(foreign *tally, except []string) (r ran, ok bool) {
	foreign.reset()
	r, ok = t.tallied(t.lane.root, rsync.ListDeletions(t.endpoint, slices.Concat(except, t.passedOver([]string{""}))), foreign)
	r.Deleted = foreign.deleted
	names, _ := t.mirrored(slices.Clone(foreign.differing))
	if ok && r.verdict == rsync.Done && foreign.deleted == 0 && foreign.changed == 0 {
		t.absent = len(names)
	}
	return r, ok
}
