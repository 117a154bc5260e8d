package monitor

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/remotefs"
	"wsync/monitor/watch"
)

// small is what the direct lane takes at once: below these bounds it is faster
// than a run of rsync, which BenchmarkLanes measures.
var small = direct.Limits{Paths: 8000, Bytes: 64 << 20, FileSize: 1 << 20, Beside: burstCount}

// abortTime is how long requests may be under way when nobody wants their
// outcome any more.
const abortTime = 500 * time.Millisecond

// openDirect opens the lane for small changes. witness is a file that rsync has
// just made at the destination. The refusal says why there is none.
func (l *lane) openDirect(ctx context.Context, r config.Remote, witness string) (small *direct.Lane, refusal string) {
	switch {
	case r.DelayUpdates:
		return nil, "its updates are to be delayed"
	case r.Trash != 0:
		return nil, "only that keeps what it replaces in the trash"
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
	small, err := direct.NewLane(l.root, target, l.files)
	if err != nil {
		l.log.Debug("No direct lane", zap.Error(err))
		return nil, err.Error()
	}
	return small, ""
}

// source is the workspace for a plan, without what the remote cannot hold of a
// directory.
type source struct {
	*lane
	excluded     exclude.Rules
	capabilities remotefs.Capabilities
}

func (s source) abs(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s source) Lstat(name string) (fs.FileInfo, error) { return s.lstat(name) }

func (s source) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(s.abs(name))
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return s.excluded.Excludes(relpath.Join(name, e.Name()))
	})
	for _, u := range unfitOf(s.capabilities, name, entries) {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return relpath.Join(name, e.Name()) == u.path })
	}
	return entries, err
}

// directly brings in line what is small and simple of the batch, and leaves the
// rest of it.
func (t *transfer) directly() {
	lane := t.lane.directly()
	if lane == nil {
		return
	}
	if err := lane.Err(); err != nil {
		t.out = t.lane.directFailure(err)
		return
	}
	limits := t.bounds
	limits.Deletions = math.MaxInt32
	entries, below := t.belowFailing(t.batch.Entries)
	plan := direct.MakePlan(t.batch.Moves, entries, source{t.lane, t.excluded(), t.capabilities()}, lane.Owns, limits)
	settled := t.settled() // after the plan was made, which may have taken long enough
	// It deletes nothing but what an event named, so that this need not be counted on
	// the remote.
	removals := t.tally()
	for name := range plan.Removals() {
		removals.add(name)
	}
	switch t.verdict(removals.deletions(t.recent, settled)).Action {
	case guard.Allow:
	case guard.Wait:
		// There may be more to come, with which they are to be judged.
		t.out.later.Entries = plan.LeaveRemovals()
	default:
		limits.Deletions = 0
		plan = direct.MakePlan(t.batch.Moves, entries, source{t.lane, t.excluded(), t.capabilities()}, lane.Owns, limits)
	}
	if t.capabilities().Folds() && plan.Removes() {
		t.keepAliveDirectly(&plan)
	}
	plan.Rest = append(plan.Rest, below...)
	t.lookAtTrees(plan.Steps)
	if len(t.batch.Moves) == 0 && len(plan.Steps) == 0 || plan.Removes() && !t.believesGone() {
		return
	}
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
	result, err := lane.Do(t.batch.Moves, plan.Steps, limits.FileSize, t.mark)
	close(landed)
	stop()
	if err != nil {
		t.lane.log.Debug("The direct lane broke", zap.Error(err))
		t.out = t.lane.directFailure(err)
		if t.lane.connection != nil {
			t.out.late = touched(t.batch.Moves, plan.Steps, direct.Result{})
		}
		if t.ctx.Err() != nil {
			t.out.err = t.ctx.Err()
		}
		return
	}
	t.out.sent, t.out.visible = result.Sent, time.Now()
	if result.Lost {
		t.out.lost = true
		t.lane.stale.Store(true)
	}
	t.out.drifted = result.Drifted
	t.out.created += result.Created
	removed := t.tally()
	for _, name := range result.Removed {
		removed.add(name)
	}
	t.addDeleted(removed.number())
	t.out.progress.Files += result.Files
	t.out.progress.Bytes += result.Bytes
	t.out.direct = touched(t.batch.Moves, plan.Steps, result)
	t.batch = dirty.Batch{Moves: result.MovesFailed, Entries: append(plan.Rest, result.Failed...)}.Settled()
}

// lookAtTrees looks for files with several names among those that go with a
// directory.
func (t *transfer) lookAtTrees(steps []direct.Step) {
	seq, since, _ := t.batch.Oldest()
	for _, s := range steps {
		if s.Kind == direct.PutFile && s.Path != s.Entry.Path {
			t.lane.links.Look(s.Path, s.Info, seq, since)
		}
	}
}

// directFailure is how a transfer ends whose direct lane can no longer be used. A
// local destination that is another directory lacks all there was.
func (l *lane) directFailure(err error) outcome {
	if l.connection == nil {
		return outcome{err: err, lost: true, replaced: true}
	}
	return outcome{err: errors.New("the connection broke"), offline: true, broken: true}
}

// belowFailing divides entries: below a path that fails, which may be something
// else on the remote than in the workspace, only rsync finds its way.
func (t *transfer) belowFailing(entries []*dirty.Entry) (others, below []*dirty.Entry) {
	for _, e := range entries {
		if t.excepted(e.Path) {
			below = append(below, e)
		} else {
			others = append(others, e)
		}
	}
	return others, below
}

// toConfirm are entries that say of which paths a proof is wanted.
func toConfirm(entries []*dirty.Entry) []*dirty.Entry {
	var confirm []*dirty.Entry
	for _, e := range entries {
		confirm = append(confirm, &dirty.Entry{Path: e.Path, Change: watch.Content, Seq: e.Seq, Since: e.Since})
	}
	return confirm
}

// touched are the entries that say what a plan has changed on the remote, and
// the names of what was moved.
func touched(moves []dirty.Move, steps []direct.Step, result direct.Result) []*dirty.Entry {
	failed := make(map[*dirty.Entry]bool)
	for _, e := range result.Failed {
		failed[e] = true
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
		if failed[s.Entry] {
			continue
		}
		change := watch.Content
		if s.Info == nil {
			change = watch.Entry
		}
		add(s.Path, change, s.Entry.Seq, s.Entry.Since)
	}
	return entries
}
