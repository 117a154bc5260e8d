package transfer

import (
	"errors"
	"io/fs"
	"math"
	"slices"
	"syscall"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// A directory may have a mode that forbids its owner to look into it, or to make
// or remove something there: those of a module cache, for example, which are made
// writable for their removal, and are gone before their new modes were sent.
// rsync lifts the modes of directories that are on both sides for as long as it
// works in them, but not of those that are gone. So these are lifted when a run
// was denied something, and it is done again. Whatever happens in between, what is
// gone is as dirty as before, and what is back by then gets its mode with the rest.

// lifted are the permissions of its owner to do anything in a directory.
const lifted = 0o700

// attempt is a job that may have to be done again with other modes.
type attempt struct {
	// dir is the directory that it runs in.
	dir string
	// job is the job that deletes at most so many entries, most how many those are.
	job  func(most int) rsync.Job
	most int
	// judged: what it deletes needs no judgement, and counts for nothing.
	judged bool
	// sends: it is a run that needs room on the remote.
	sends bool
	part  dirty.Batch
}

// attempt makes an attempt. What it has done is in the outcome, and Deleted counts what
// it has deleted. ok is that of run.
func (t *transfer) attempt(a attempt) (r ran, ok bool) {
	deleted, tried := 0, make(map[string]bool)
	for job := a.job(a.most); ; {
		c := t.tally()
		r, ok = t.tallied(a.dir, job, c)
		if r.said.DiskFull() && a.sends {
			t.makeRoom(a.part)
		}
		if !ok {
			if r.said.MissingDestination {
				t.out.Causes |= remote.Lost
			}
			return r, false
		}
		t.account(r, c, a)
		deleted += r.Deleted
		gone, both := t.denied(r.said, tried)
		if !t.lift(gone) && len(both) == 0 {
			r.Deleted = deleted
			return r, true
		}
		if a.most < math.MaxInt32 {
			a.most = max(a.most-r.Deleted, 0)
		}
		// What was put into the trash got the mode that was in the way.
		t.endpoint.Began = t.lane.now()
		job = a.job(a.most)
		if len(both) > 0 {
			job = job.AtOnce(t.endpoint)
		}
	}
}

// count runs a job that finds what would be deleted, in a directory, and counts that. It
// looks into no directory that must not be read, not even for the time being, so that
// all of these are lifted, and those that are on both sides put back.
func (t *transfer) count(dir string, job rsync.Job, c *tally) (r ran, ok bool) {
	tried := make(map[string]bool)
	var back []string
	for {
		c.reset() // the last run tells all
		if r, ok = t.tallied(dir, job, c); !ok {
			break
		}
		t.unsure = t.unsure || r.said.DeletionsSkipped || r.Truncated
		gone, both := t.denied(r.said, tried)
		// With those that were lifted before: they lead to what is within them, and
		// would get their modes back with it.
		back = append(back, both...)
		if len(gone)+len(both) == 0 || !t.lift(slices.Concat(gone, back)) {
			break
		}
	}
	r.Deleted = c.deleted
	if len(back) > 0 {
		if err := t.setModes(back, 0); err != nil && t.out.Failure == nil {
			t.failModes(err)
			return r, false
		}
	}
	return r, ok
}

// denied are the directories whose modes may be in the way to what a run was
// denied, except for those that were tried before: those that are gone from the
// workspace, or are something else there, and those that are on both sides.
func (t *transfer) denied(said rsync.Complaints, tried map[string]bool) (gone, both []string) {
	if !said.Denied() || t.ctx.Err() != nil || t.asker.Root() != "" {
		return nil, nil
	}
	lstat := rsync.LstatIn(t.lane.root)
	for _, f := range said.Failures {
		p := f.Path
		if f.Here {
			continue
		}
		if f.IsFile() {
			p = relpath.Parent(p)
		}
		for ; p != "" && !tried[p]; p = relpath.Parent(p) {
			tried[p] = true
			info, err := lstat(p)
			missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
			switch {
			case err != nil && !missing || t.excepted(p):
			case missing || !info.IsDir():
				gone = append(gone, p)
			case t.modeThere(info.Mode())&lifted != lifted:
				both = append(both, p)
			}
		}
	}
	return gone, both
}

// lift lifts directories of the remote, and reports whether another run may get
// further.
func (t *transfer) lift(dirs []string) bool {
	if len(dirs) == 0 {
		return false
	}
	slices.Sort(dirs)
	err := t.setModes(dirs, lifted)
	t.lane.log.Debug("Lifted modes of directories", zap.Strings("first", dirs[:min(len(dirs), 10)]), zap.Int("directories", len(dirs)), zap.Error(err))
	return err == nil
}

// setModes gives directories of the remote the modes that they are to have there,
// with more, which is all that one has that is gone. The error is that
// none of them has it.
func (t *transfer) setModes(dirs []string, more fs.FileMode) error {
	asIs := func(string) error { return nil }
	denied, err := t.sendSkeleton(dirs, more, asIs, rsync.Modes(t.endpoint, dirs))
	if denied > 0 && denied < len(dirs) {
		return nil
	}
	return err
}
