package transfer

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/remotefs"
	"wsync/monitor/rsync"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
)

// transfer is one transfer of a lane. It belongs to one goroutine. What is left of
// the order gets less on its way, and the outcome more.
type transfer struct {
	remote.Order
	asker    remote.Asker
	lane     *Lane
	ctx      context.Context
	endpoint rsync.Endpoint
	// ahead: a run was used that had connected before. It has the directory that
	// the daemon had then, in whose place another may be.
	ahead bool
	// mute: nothing on the remote answered as an rsync does.
	mute bool
	// gently: nobody waits for it.
	gently bool
	// moved is what the paths that were judged last have been renamed to.
	moved   map[string]string
	fitting fitting
	// absent is how many entries a look at the destination has found to be missing there,
	// where nothing else was different; 0 if nobody has looked, or there was.
	absent int
	// made are directories that the remote did not have before.
	made []string
	// shared: something may go beside this transfer, by what its batch reaches.
	shared bool
	// replacing: what is looked for is in the way, by its name. unsure: a look has not seen
	// all that is there.
	replacing, unsure bool
	// counter counts what is to be sent, and was.
	counter counter
	out     remote.Outcome
	// record is that of the outcome, which may be made anew on the way.
	record remote.Record
}

// do transfers the batch.
func (t *transfer) do() {
	defer t.findObstacles(t.Batch.Entries)
	defer t.settle(t.Batch)
	if !t.begin() {
		return
	}
	t.Batch.Entries = t.renamedLarge(t.Batch.Entries)
	if t.Batch.Everything == nil && !t.Confirm && !t.Uncompared && t.leaveOvertaken() {
		t.directly()
	}
	t.Batch = t.Batch.WithoutMoves()
	t.recheckMoved()
	t.endDirect()
	if t.out.Failure == nil && t.Batch.Everything != nil {
		t.fullPass()
	}
	if t.out.Failure == nil {
		t.entries()
	}
	t.closeNested()
	t.clearReplaced()
	if t.out.Failure == nil && t.ahead {
		t.out.Unconfirmed = append(t.out.Unconfirmed, toConfirm(t.Batch.Entries)...)
	}
}

// begin finds out whether the batch may and can be transferred, and takes out of it
// what cannot; ok is false when the outcome is final.
func (t *transfer) begin() (ok bool) {
	k := t.lane.guess(t.ctx, &t.endpoint)
	if why := k.user.cannot(t.Remote, k.strategy.Cannot())["owner"]; why != "" && t.Remote.Owner.Demands() {
		t.out.Failure = failed(remote.Attention, errors.New(why), bindHint)
		return false
	}
	if !t.take() || !t.probe() || !t.serves() {
		return false
	}
	if t.Adopt {
		t.asker.Adopted() // of what cannot be served, attach refuses all
	}
	if t.leaveExcluded(); t.Batch.Empty() {
		return false
	}
	if t.setApart(); t.out.Failure != nil {
		return false
	}
	if t.Remote.LeavesGone() {
		t.Batch = t.Batch.WithoutMoves() // the old name stays
	}
	if t.Batch.Everything != nil {
		t.setMoved(nil)
	}
	t.recheckMoved()
	t.fit()
	return t.out.Failure == nil
}

// take reports whether the destination is this mirror's: nothing foreign is there
// that has not been approved, and no other mirror.
func (t *transfer) take() bool {
	if t.overwrites() {
		return false
	}
	if t.Adopt && !t.MayAdopt && t.holdAdoption() {
		t.meets(false) // whose it is says more than what there is
		return false
	}
	if t.out.Failure != nil {
		return false
	}
	if t.Adopt {
		if t.meets(t.Remote.AdoptDelete) {
			return false // having left nothing there
		}
	}
	return !t.meets(true)
}

// serves reports whether the remote can do what it is for.
func (t *transfer) serves() bool {
	switch {
	case t.endpoint.Untrashed():
		t.out.Failure = failed(remote.Attention,
			errors.New("the remote cannot keep what is deleted or overwritten: one of the two rsyncs is openrsync"),
			"install rsync there, or turn the trash off with wsync set")
	case t.Remote.Keeps() && t.endpoint.Strategy.Basic:
		t.out.Failure = failed(remote.Attention,
			errors.New("the remote may delete what is to be kept there: one of the two rsyncs is openrsync"),
			"install rsync there, or let it delete with wsync set delete=mirror")
	case t.Remote.LeavesGone() && t.endpoint.Strategy.Basic:
		t.out.Failure = failed(remote.Attention,
			errors.New("the remote may delete what is to stay there for now: one of the two rsyncs is openrsync"),
			"install rsync there, or let it delete at once with wsync set delete-after=")
	case !t.servesOwners():
	case t.endpoint.Strategy.KeepsExisting:
		t.out.Failure = failed(remote.Attention,
			errors.New("the remote keeps files as they are that are there already, and nothing can be mirrored to it"),
			"take -no-overwrite from rrsync in the remote's authorized_keys")
	}
	return t.out.Failure == nil
}

// endDirect ends the use of the direct lane, which another transfer may have while
// rsync runs for what is left of the batch. What rsync does is not to be taken for
// somebody else's work.
func (t *transfer) endDirect() {
	if t.out.Failure != nil || t.Batch.Empty() {
		return
	}
	d := t.lane.directLane()
	if d == nil {
		if t.Batch.Everything == nil && t.lane.Beside() {
			t.share(false)
		}
		return
	}
	t.lane.exclusively(d, func() {
		// A flight has looked. Where there was none, what rsync does here would hide
		// what somebody else has done since the last transfer.
		if t.Batch.Everything == nil && d.Drifted() {
			t.out.Causes |= remote.Drifted
		}
		d.ClearTrash()
		d.ForgetTimes()
	})
	if t.Batch.Everything == nil && !t.capabilities().Limited() {
		t.share(true)
	}
}

// share lets something go beside the transfer, unless that comes upon obstacles, which
// would be put on the remote: what goes beside might lead through them.
func (t *transfer) share(direct bool) {
	if t.shared = len(t.obstaclesTo(t.Batch.Entries)) == 0; t.shared {
		t.asker.OnlyRsync(direct)
	}
}

// fullPass compares the whole tree. Nothing is deleted before what would have to
// go was counted and judged.
//
// A pass that has to find changes also looks into the files that may have
// changed since the remote was last known to be equal: size and modification
// time can be made to look the same, the time of the last change of the inode
// cannot.
func (t *transfer) fullPass() {
	var scanning sync.WaitGroup
	scanning.Go(func() { t.lane.links.Scan(t.ctx) })
	defer scanning.Wait()
	if t.Remote.HardLinks {
		scanning.Wait() // it has the names that go together
	}
	t.keepHouse()
	everything := dirty.Batch{Everything: t.Batch.Everything}
	reread := t.changedFiles()
	holes := t.tree().HasHoles(t.ctx, []string{""})
	checksum := t.Batch.Everything.Change&watch.Content != 0
	compare := func(job rsync.Job) rsync.Job {
		if checksum {
			return job.Checksum()
		}
		return job
	}
	pass := sweep{
		send: func(names []string) rsync.Job {
			return compare(rsync.Paths(t.endpoint, names, false)).WithoutMissing().Making(t.endpoint).Sparse(t.endpoint, holes)
		},
		part: everything,
	}
	if t.passTooLong(pass); t.out.Failure != nil {
		return
	}
	if t.whole(&pass); pass.names == nil || t.endpoint.Strategy.Basic {
		look := compare(rsync.Look(t.endpoint, slices.Concat(t.Except, t.passedOver([]string{""}))))
		pass.look = &look
	}
	t.sweep(pass)
	rules := t.excluded()
	left := make(map[string]bool) // for transfers of their own
	for _, e := range t.out.Large.Entries {
		left[e.Path] = true
	}
	reread = slices.DeleteFunc(reread, func(p string) bool {
		return left[p] || len(p) > t.endpoint.MaxPath() || t.excepted(p) || rules.Excludes(p, false)
	})
	if len(reread) == 0 || t.out.Failure != nil || t.out.Hold != nil || t.out.Again.Everything != nil {
		return
	}
	t.sweep(sweep{
		names:  reread,
		unlike: true,
		send: func(names []string) rsync.Job {
			return rsync.Paths(t.endpoint, names, false).Checksum().Sparse(t.endpoint, holes)
		},
		part: everything,
	})
}

// whole has a pass send all there is, where no look would say anything else: nothing of
// it is there, or it is openrsync, which does not tell what differs.
func (t *transfer) whole(pass *sweep) {
	if t.absent == 0 && !t.endpoint.Strategy.Basic {
		return
	}
	all := t.list([]string{""})
	if t.endpoint.Strategy.Basic || len(all.names) <= t.absent {
		pass.names, pass.failures = all.names, all.failures
	}
}

// changedFiles are the files that a full pass has to look into. If they are too
// many, it looks into all.
func (t *transfer) changedFiles() []string {
	if t.Since.IsZero() {
		return nil
	}
	paths, all := t.tree().ChangedSince(t.ctx, t.Since, dirty.Limit)
	if !all {
		t.Batch.Everything.Change |= watch.Content
		return nil
	}
	return paths
}

// believesGone reports, after paths were found to be gone, whether they are: while
// they were looked at, the root was still the one that the guard saw. If it was not,
// the transfer ends as one that was cancelled.
func (t *transfer) believesGone() bool {
	if t.ctx.Err() == nil && t.asker.Root() == "" {
		return true
	}
	t.out.Failure = failed(remote.Canceled, context.Canceled, "")
	return false
}

// modeThere is what becomes of a mode on the remote.
func (t *transfer) modeThere(mode fs.FileMode) fs.FileMode {
	return t.Remote.ModeChanges().Apply(mode)
}

func (t *transfer) capabilities() remotefs.Capabilities { return t.endpoint.Strategy.Capabilities }

// excluded says what is not mirrored to the remote, as of now.
func (t *transfer) excluded() exclude.Rules { return t.lane.exclude.Rules().At(t.Remote) }

// excepted reports whether a path is left out because it fails, or it or what it is in
// is unreachable.
func (t *transfer) excepted(name string) bool {
	within := func(p string) bool { return relpath.Within(name, p) }
	return slices.ContainsFunc(t.Except, within) || slices.ContainsFunc(t.endpoint.Unreachable, within)
}

// tree is the workspace without what is not mirrored to the remote.
func (t *transfer) tree() walk.Tree {
	own := exclude.OwnOf(t.Remote)
	return walk.Tree{Root: t.lane.root, Opens: func(dir string) bool {
		return !own.Excludes(dir) && !t.excepted(dir) && t.lane.exclude.Opens(dir)
	}}
}

// leaveExcluded takes out of the batch what is not mirrored. What an event has told of
// was looked at by its name alone, and by rules that may be others by now.
func (t *transfer) leaveExcluded() {
	rules := t.excluded()
	t.Batch.Entries = slices.DeleteFunc(slices.Clone(t.Batch.Entries), func(e *dirty.Entry) bool {
		if !rules.Excludes(e.Path, true) {
			return false
		}
		info, err := t.lane.Lstat(e.Path)
		if err != nil {
			// Of what is gone the remote may have a file. What it has of a directory is
			// looked at before it goes.
			return rules.Excludes(e.Path, false)
		}
		return rules.Excludes(e.Path, info.IsDir())
	})
}
