package transfer

import (
	"io/fs"
	"slices"
	"sync"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/rsync"
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
	plan := rsync.MakePlan(entries, t.Except, t.lane.Lstat, t.endpoint.MaxPath())
	// What is tried itself is not left alone, nor what is in it.
	failing := t.Except
	t.Except = plan.Except
	defer func() { t.Except = failing }()
	obstacles := plan.Obstacles(entries)
	for _, path := range obstacles { // they may be directories again when this ends
		t.out.Obstacles = append(t.out.Obstacles, &dirty.Entry{Path: path})
	}
	if t.shared && len(obstacles) > 0 {
		// The obstacle came since this was shared: something may be on its way through it.
		t.out.Again.Entries = append(t.out.Again.Entries, entries...)
		return
	}
	for _, e := range plan.TooLong {
		t.giveUp(e, t.tooLongWords(e.Path), dirty.TooLong)
	}
	beside := t.leaveDeleted(&plan)
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
		looking.Go(func() { t.lookThrough(plan.Trees, seq, since) })
		defer looking.Wait()
	}
	sending := sending{t: t, entries: entries, holes: plan.Sparse || t.tree().HasHoles(t.ctx, plan.Trees)}
	sending.trees(plan)
	if t.out.Failure != nil {
		return
	}
	gone := t.judgeDeletions(plan.Deleted) // together with what had to go from the trees
	t.Recent = t.Recent.Plus(gone.counted) // what makes way before is judged with it
	if t.endpoint.Strategy.Basic {
		sending.basicObstacles(plan)
	}
	sending.paths(plan.Contents, sending.contents())
	t.sendBack(plan, entries)
	t.Recent = t.Recent.Minus(gone.counted)
	t.removeGone(entries, gone.judged)
	t.removeGone(entries, gone.cleared)
	sending.sweep(plan.Quick, sweep{names: plan.Quick, equal: true, send: func(paths []string) rsync.Job {
		// Fractions of a second that the remote does not keep would make every
		// file look changed, and a file only looks unchanged by its second.
		return rsync.Paths(t.endpoint, paths, !t.endpoint.Strategy.Nanoseconds)
	}})
	sending.times(append(gone.beside, beside...))
	if plan.Root && !sending.ran {
		// Every other run brings the root's own times and mode along.
		sending.paths([]string{""}, func([]string) rsync.Job { return rsync.Root(t.endpoint) })
	}
}

// sendBack leaves entries to be sent again that took the place of a directory, or lay in it,
// if it is one again: nobody has looked then what is in it.
func (t *transfer) sendBack(plan rsync.Plan, entries []*dirty.Entry) {
	back := slices.DeleteFunc(slices.Clone(plan.Replaced), func(path string) bool {
		info, err := t.lane.Lstat(path)
		return err != nil || !info.IsDir()
	})
	t.out.Again.Entries = append(t.out.Again.Entries, concerning(entries, back)...)
}

// sending carries out a plan.
type sending struct {
	t       *transfer
	entries []*dirty.Entry
	// holes: there are files that have some. ran: something was sent.
	holes, ran bool
}

// sweep carries out a part of the plan that is for paths, and may be changed before.
func (s *sending) sweep(paths []string, part sweep) {
	if len(paths) == 0 || s.t.out.Failure != nil {
		return
	}
	s.ran = true
	send := part.send
	part.send = func(names []string) rsync.Job { return send(names).Sparse(s.t.endpoint, s.holes) }
	part.part = dirty.Batch{Entries: below(s.entries, paths)}
	s.t.sweep(part)
}

// paths sends paths.
func (s *sending) paths(paths []string, send func(paths []string) rsync.Job) {
	s.sweep(paths, sweep{names: paths, send: send})
}

// times brings along the times of directories of the workspace, those that are there.
func (s *sending) times(dirs []string) {
	rules := s.t.excluded()
	var there []string
	for _, dir := range dirs {
		info, err := s.t.lane.Lstat(dir)
		if dir != "" && err == nil && info.IsDir() && !rules.Excludes(dir, true) && !s.t.excepted(dir) {
			there = append(there, dir)
		}
	}
	if slices.Contains(dirs, "") && len(there) == 0 {
		s.paths([]string{""}, func([]string) rsync.Job { return rsync.Root(s.t.endpoint) })
	}
	s.paths(there, func(paths []string) rsync.Job { return rsync.Paths(s.t.endpoint, paths, false) })
}

// contents is how contents are sent.
func (s *sending) contents() func(paths []string) rsync.Job {
	t := s.t
	if t.Confirm {
		// What is there already is only looked at, and repaired where it differs.
		return func(paths []string) rsync.Job { return rsync.Paths(t.endpoint, paths, false).Checksum() }
	}
	return func(paths []string) rsync.Job { return rsync.Paths(t.endpoint, paths, true) }
}

// trees sends directories with all below them.
func (s *sending) trees(plan rsync.Plan) {
	t := s.t
	existing, except := plan.Trees, plan.Except
	quick := func(names []string) rsync.Job { return rsync.Paths(t.endpoint, names, false) }
	switch {
	case t.Confirm:
		s.compared(plan.Trees, except, quick)
		return
	case !t.endpoint.Strategy.Basic && !t.endpoint.Trashes():
		all := t.list(plan.Trees)
		s.sweep(plan.Trees, sweep{names: all.names, listed: true, failures: all.failures, send: quick})
		// What had to be made was sent with all that is in it.
		existing = slices.DeleteFunc(slices.Clone(plan.Trees), func(tree string) bool { return rsync.IsWithin(tree, t.made) })
		except = append(except, t.made...)
	default:
		// What is sent although it is there would be overwritten, which the trash
		// would keep.
	}
	s.compared(existing, except, func(names []string) rsync.Job { return rsync.Paths(t.endpoint, names, false).Contents(t.endpoint) })
}

// compared compares directories with all below them, and sends what differs.
func (s *sending) compared(trees, except []string, send func(names []string) rsync.Job) {
	t := s.t
	if len(trees) == 0 || t.out.Failure != nil {
		return
	}
	look := rsync.LookInto(t.endpoint, trees, slices.Concat(except, t.passedOver(trees)))
	if !t.Confirm {
		look = look.Contents(t.endpoint)
	}
	part := sweep{look: &look, send: send}
	if t.endpoint.Strategy.Basic {
		all := t.list(trees)
		part.names, part.failures = all.names, all.failures
	}
	s.sweep(trees, part)
}

// basicObstacles makes way for files where an openrsync only does where it may delete,
// which is in a recursive run. What is in the way has failed once.
func (s *sending) basicObstacles(plan rsync.Plan) {
	var failed []string
	for _, e := range s.entries {
		if !e.Failing() || !slices.Contains(plan.Contents, e.Path) {
			continue
		}
		// What is in a directory would be sent with it.
		if info, err := s.t.lane.Lstat(e.Path); err == nil && !info.IsDir() {
			failed = append(failed, e.Path)
		}
	}
	s.paths(failed, func(paths []string) rsync.Job { return rsync.Deletions(s.t.endpoint, paths) })
}

// lookThrough looks for files with several names in directories of the workspace
// that are sent with all below them, because of marks from seq on.
func (t *transfer) lookThrough(dirs []string, seq uint64, since time.Time) {
	for _, dir := range dirs {
		t.tree().Files(t.ctx, dir, func(name string, e fs.DirEntry) bool {
			t.lane.tools.Look(name)
			if info, err := e.Info(); err == nil {
				t.lane.links.Look(name, info, seq, since)
			}
			return true
		})
	}
}
