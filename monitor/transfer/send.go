package transfer

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/rsync"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
)

// entries transfers the listed paths: what is new comes before what is gone, so
// that a renamed entry is never missing.
func (t *transfer) entries() {
	if !t.Confirm {
		t.send(t.Batch.Entries)
		return
	}
	// First what went by sftp, to get its fractions of a second. Otherwise the
	// files of a renamed directory would look different, and be sent again.
	var trees, others []*dirty.Entry
	for _, e := range t.Batch.Entries {
		if e.Change&watch.Tree != 0 {
			trees = append(trees, e)
		} else {
			others = append(others, e)
		}
	}
	t.send(others)
	t.send(trees)
}

// send transfers the entries with rsync.
func (t *transfer) send(entries []*dirty.Entry) {
	if len(entries) == 0 || t.out.Failure != nil {
		return
	}
	plan := rsync.MakePlan(entries, t.lane.Lstat, t.endpoint.MaxPath())
	for _, e := range plan.TooLong {
		t.giveUp(e, fmt.Sprintf("the path has %d bytes, and rsync takes %d", len(e.Path), t.endpoint.MaxPath()), dirty.TooLong)
	}
	if t.capabilities().Folds() && len(plan.Deleted) > 0 {
		t.keepAlive(&plan)
	}
	if t.Confirm {
		// What is below a directory that went afterwards went with it.
		plan.Deleted = slices.DeleteFunc(plan.Deleted, func(d rsync.Deletion) bool {
			return !slices.ContainsFunc(d.Entries, func(e *dirty.Entry) bool { return e.Path == d.Path })
		})
	}
	if !t.Confirm {
		// A change in a tree has no look of its own.
		seq, since, _ := t.Batch.Oldest()
		var looking sync.WaitGroup
		looking.Go(func() { t.lane.lookThrough(t.ctx, plan.Trees, seq, since) })
		defer looking.Wait()
	}
	holes := plan.Sparse || walk.HasHoles(t.ctx, t.lane.root, plan.Trees)
	ran := false
	var step stepFunc = func(paths []string, build func(paths []string) rsync.Job) {
		if len(paths) == 0 || t.out.Failure != nil {
			return
		}
		ran = true
		// Once for each run, as the endpoint may change in between.
		job := func() rsync.Job { return build(paths).Sparse(t.endpoint, holes) }
		t.sweep(sweep{
			run:  func() rsync.Job { return job().Limit(t.endpoint, 0) },
			list: job().DryRun(),
			part: dirty.Batch{Entries: below(entries, paths)},
		})
	}
	contents := func(paths []string) rsync.Job { return rsync.Paths(t.endpoint, paths, true) }
	if t.Confirm {
		// What is there already is only looked at, and repaired where it differs.
		contents = func(paths []string) rsync.Job { return rsync.Paths(t.endpoint, paths, false).Checksum() }
	}
	t.sendTrees(plan, step)
	if t.out.Failure != nil {
		return
	}
	gone := t.judgeDeletions(plan.Deleted) // together with what had to go from the trees
	if t.endpoint.Strategy.Basic {
		// Such an rsync makes way for a file only where it may delete, which is in
		// a recursive run. What is in the way has failed once.
		var failed []string
		for _, e := range entries {
			if e.Failing() && slices.Contains(plan.Contents, e.Path) {
				failed = append(failed, e.Path)
			}
		}
		step(failed, func(paths []string) rsync.Job { return rsync.Deletions(t.endpoint, paths) })
	}
	step(plan.Contents, contents)
	t.removeGone(entries, gone.judged, gone.count)
	t.removeGone(entries, gone.cleared, math.MaxInt32) // of which nobody needs to know how many they are
	step(plan.Quick, func(paths []string) rsync.Job {
		// Fractions of a second that the remote does not keep would make every
		// file look changed, and a file only looks unchanged by its second.
		return rsync.Paths(t.endpoint, paths, !t.endpoint.Strategy.Nanoseconds)
	})
	if plan.Root && !ran {
		// Every other run brings the root's own times and mode along.
		step([]string{""}, func([]string) rsync.Job { return rsync.Root(t.endpoint) })
	}
}

// stepFunc carries out the part of a plan that is for paths: with the job that
// build makes of them.
type stepFunc func(paths []string, build func(paths []string) rsync.Job)

// sendTrees carries out the part of a plan that is about directories with all
// below them.
func (t *transfer) sendTrees(plan rsync.Plan, step stepFunc) {
	existing, except := plan.Trees, plan.Except(t.Except)
	// What is sent although it is there would be overwritten, which the trash
	// would keep.
	if t.Confirm || !t.endpoint.Strategy.Basic && !t.endpoint.Trashes() {
		step(plan.Trees, func(paths []string) rsync.Job { return rsync.QuickTrees(t.endpoint, paths, except) })
		// What had to be made was sent with all that is in it.
		existing = slices.DeleteFunc(slices.Clone(plan.Trees), func(tree string) bool { return rsync.IsWithin(tree, t.made) })
		except = append(except, t.made...)
	}
	if !t.Confirm {
		step(existing, func(paths []string) rsync.Job { return rsync.Trees(t.endpoint, paths, except) })
	}
}

// lookThrough looks for files with several names in directories of the workspace
// that are sent with all below them, because of marks from seq on.
func (l *Lane) lookThrough(ctx context.Context, dirs []string, seq uint64, since time.Time) {
	for _, dir := range dirs {
		walk.Files(ctx, l.root, dir, func(name string, e fs.DirEntry) bool {
			l.tools.Look(name)
			if info, err := e.Info(); err == nil {
				l.links.Look(name, info, seq, since)
			}
			return true
		})
	}
}
