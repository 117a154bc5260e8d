package transfer

import (
	"context"
	"errors"
	"math"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// directLimits are what the direct lane takes at once: below these bounds it is
// faster than a run of rsync, which BenchmarkLanes measures. What is beside a large
// directory is what is no burst.
var directLimits = direct.Limits{Paths: 8000, Bytes: 64 << 20, FileSize: 1 << 20, Beside: 500}

// abortTime is how long requests may be under way when nobody wants their
// outcome any more.
const abortTime = 500 * time.Millisecond

// openDirect opens the lane for small changes. witness is a file that rsync has
// just made at the destination. The refusal says why there is none.
func (l *Lane) openDirect(ctx context.Context, r config.Remote, witness string) (d *direct.Lane, refusal string) {
	switch {
	case r.DelayUpdates:
		return nil, "its updates are to be delayed"
	case r.Sudo:
		return nil, "that is run by sudo there, and sftp would write as another user"
	}
	var target direct.Target
	switch r.Connection.Kind() {
	case config.KindLocal:
		target = direct.NewLocal(r.RemotePath)
	case config.KindSSH:
		session, err := l.connection.SFTP(ctx, l.environment())
		if err != nil {
			l.log.Debug("No sftp", zap.Error(err))
			return nil, "sftp is not offered"
		}
		var ok bool
		if target, ok = direct.NewSFTP(session, r.RemotePath, witness); !ok {
			return nil, "the sftp that is offered is not OpenSSH's, or shows other files"
		}
	default:
		return nil, "the remote is an rsync daemon"
	}
	d, err := direct.NewLane(l.root, target, l.files)
	if err != nil {
		l.log.Debug("No direct lane", zap.Error(err))
		return nil, err.Error()
	}
	if err := d.SetRemote(r, witness); err != nil {
		d.Close()
		return nil, err.Error()
	}
	if r.Trash != 0 {
		d.KeepTrash(func() string { return rsync.TrashOf(l.now()) })
	}
	return d, ""
}

// directLane is the lane for small changes, nil where there is none.
func (l *Lane) directLane() *direct.Lane {
	if k := l.known.Load(); k != nil {
		return k.direct
	}
	return nil
}

// exclusively calls do while nobody else uses the direct lane d, and reports whether
// it has: not if d was closed meanwhile.
func (l *Lane) exclusively(d *direct.Lane, do func()) bool {
	l.directMu.Lock()
	defer l.directMu.Unlock()
	if l.directLane() != d {
		return false
	}
	do()
	return true
}

// closeDirect ends the use of the direct lane, and forgets what is known.
func (l *Lane) closeDirect() {
	l.directMu.Lock()
	defer l.directMu.Unlock()
	if d := l.directLane(); d != nil && d.Err() == nil {
		d.Close()
	}
	l.known.Store(nil)
}

// directly brings in line what is small and simple of the batch, and leaves the
// rest of it.
func (t *transfer) directly() {
	d := t.lane.directLane()
	if d == nil {
		return
	}
	if err := d.Err(); err != nil {
		t.out = t.lane.directFailure(err)
		return
	}
	plan := t.planDirectly(d)
	if t.await(plan) {
		t.out.Later = dirty.Batch{}
		plan = t.planDirectly(d)
	}
	if len(t.Batch.Moves) == 0 && len(plan.Steps) == 0 || plan.SeesGone() && !t.believesGone() {
		return
	}
	result, ok := t.fly(d, plan)
	if !ok {
		return
	}
	t.endpoint.Began = t.lane.now() // what rsync replaces must not replace what is in the trash now
	if result.Drifted {
		t.out.Causes |= remote.Drifted
	}
	removed := t.tally()
	for _, name := range result.Removed {
		removed.add(name, false)
		t.record.AddDeleted(name)
	}
	for _, s := range result.Cleared {
		t.recordCleared(s)
	}
	t.addDeleted(removed.number())
	t.Batch = dirty.Batch{Moves: result.MovesFailed, Entries: append(plan.Rest, result.Failed...)}.WithoutMoves()
}

// planDirectly decides what of the batch goes directly. Deletions that have to wait
// are in the outcome.
func (t *transfer) planDirectly(d *direct.Lane) direct.Plan {
	limits := t.directLimits()
	limits.Deletions = math.MaxInt32
	entries, below := t.belowFailing(t.Batch.Entries)
	plan := direct.MakePlan(t.Batch.Moves, entries, t.source(), d.Owns, limits)
	calm := t.asker.Calm() // after the plan was made, which may have taken long enough
	// It deletes nothing but what an event named, so that this need not be counted on
	// the remote.
	removals := t.tally()
	for name := range plan.Removals() {
		removals.add(name, false)
	}
	switch t.verdict(removals.deletions(t.Recent, calm)).Action {
	case guard.Allow:
	case guard.Wait:
		// There may be more to come, with which they are to be judged.
		t.out.Later.Entries = plan.LeaveRemovals()
	default:
		limits.Deletions = 0
		plan = direct.MakePlan(t.Batch.Moves, entries, t.source(), d.Owns, limits)
	}
	if t.capabilities().Folds() && plan.Removes() {
		t.keepAliveDirectly(&plan)
	}
	plan.Rest = append(plan.Rest, below...)
	return plan
}

// directLimits are the bounds of this transfer.
func (t *transfer) directLimits() direct.Limits {
	limits := directLimits
	if t.Remote.LeavesGone() {
		limits.Deletes = t.Deletes
	}
	limits.Paths = min(limits.Paths, t.Room)
	if rate := t.Remote.Bandwidth; rate != 0 {
		limits.Bytes, limits.FileSize = min(limits.Bytes, largeSize(rate)), min(limits.FileSize, largeSize(rate))
	}
	return limits
}

// fly carries out a plan, with the moves of the batch, and takes into the outcome
// what it has brought in line. ok is false when nothing is known of it.
func (t *transfer) fly(d *direct.Lane, plan direct.Plan) (result direct.Result, ok bool) {
	t.lookAtTrees(plan.Steps)
	t.expectFlight(plan.Steps)
	landed := make(chan struct{})
	stop := context.AfterFunc(t.ctx, func() {
		select {
		case <-landed:
		case <-time.After(abortTime):
			if t.lane.connection != nil {
				t.lane.connection.EndSFTP()
			}
		}
	})
	var err error
	ok = t.lane.exclusively(d, func() { result, err = d.Do(t.Batch.Moves, plan.Steps, t.directLimits().FileSize, t.Mark) })
	close(landed)
	stop()
	switch {
	case !ok:
		return direct.Result{}, false
	case err != nil:
		t.breakFlight(plan, err)
		return direct.Result{}, false
	}
	t.out.Sent, t.out.Acknowledged = result.Sent, time.Now()
	if result.Lost {
		t.out.Causes |= remote.Lost
		t.lane.stale.Store(true)
	}
	t.recordFlight(plan, result)
	for _, l := range result.Left {
		t.stays(remote.Gone{Path: l.Path, Dir: l.Dir})
	}
	t.out.Created += result.Created
	t.lane.pace.sent(result.Bytes, t.Remote.Bandwidth, time.Now())
	t.out.Unconfirmed = touched(t.Batch.Moves, plan.Steps, result)
	return result, true
}

// breakFlight ends the transfer when its flight broke.
func (t *transfer) breakFlight(plan direct.Plan, err error) {
	t.lane.log.Debug("The direct lane broke", zap.Error(err))
	t.recordBroken(plan)
	t.out = t.lane.directFailure(err)
	if t.lane.connection != nil {
		t.out.Late = touched(t.Batch.Moves, plan.Steps, direct.Result{})
	}
	if err := t.ctx.Err(); err != nil {
		t.out.Failure = failed(t.out.Failure.Kind, err, "")
	}
}

// lookAtTrees looks for files with several names among those that go with a
// directory.
func (t *transfer) lookAtTrees(steps []direct.Step) {
	seq, since, _ := t.Batch.Oldest()
	for _, s := range steps {
		if s.Kind == direct.PutFile && s.Path != s.Entry.Path {
			t.lane.links.Look(s.Path, s.Info, seq, since)
		}
	}
}

// directFailure is how a transfer ends whose direct lane can no longer be used. A
// local destination that is another directory lacks all there was.
func (l *Lane) directFailure(err error) remote.Outcome {
	if l.connection == nil {
		return remote.Outcome{Failure: failed(remote.Trouble, err, ""), Causes: remote.Lost, Replaced: true}
	}
	return remote.Outcome{Failure: failed(remote.Offline, errors.New("the connection broke"), ""), Causes: remote.Interrupted}
}

// belowFailing divides entries: below a path that fails, which may be something
// else on the remote than in the workspace, only rsync finds its way. And only rsync
// tells what is there before it is deleted, which matters where directories of a name
// are excluded and files are not; and what is left of a directory that is here again.
func (t *transfer) belowFailing(entries []*dirty.Entry) (others, below []*dirty.Entry) {
	rules := t.excluded()
	for _, e := range entries {
		if t.excepted(e.Path) || rules.Depends(e.Path) && t.isGone(e.Path) || t.isBackAsDirectory(e) {
			below = append(below, e)
		} else {
			others = append(others, e)
		}
	}
	return others, below
}

// toConfirm are entries that say which paths rsync is to compare, and of which no more than
// the attributes.
func toConfirm(entries []*dirty.Entry) []*dirty.Entry {
	var confirm []*dirty.Entry
	for _, e := range entries {
		change := watch.Content
		if e.Change == watch.Meta { // it may be a directory, which has no content
			change = watch.Meta
		}
		confirm = append(confirm, &dirty.Entry{Path: e.Path, Change: change, Seq: e.Seq, Since: e.Since})
	}
	return confirm
}

// touched are the entries that say what a plan has changed on the remote, and
// the names of what was moved.
func touched(moves []dirty.Move, steps []direct.Step, result direct.Result) []*dirty.Entry {
	refused := make(map[*dirty.Entry]bool)
	for _, e := range result.Failed {
		refused[e] = true
	}
	var entries []*dirty.Entry
	add := func(path string, change watch.Change, seq uint64, since time.Time) {
		entries = append(entries, &dirty.Entry{Path: path, Change: change, Seq: seq, Since: since})
	}
	for _, m := range moves[:len(moves)-len(result.MovesFailed)] { // the last ones fail
		to, from := m.States()
		add(to.Path, to.Change, to.Seq, to.Since)
		add(from.Path, from.Change, from.Seq, from.Since)
	}
	for _, s := range steps {
		if s.Kind == direct.Leave || refused[s.Entry] && !s.Parent { // whose time was set all the same
			continue
		}
		change := watch.Content
		switch {
		case s.Info == nil:
			change = watch.Entry
		case s.Info.IsDir(): // what is in it has steps of its own
			change = watch.Meta
		}
		add(s.Path, change, s.Entry.Seq, s.Entry.Since)
	}
	return entries
}
