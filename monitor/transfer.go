package monitor

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/rsync"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
)

// transfer is one transfer of a lane.
type transfer struct {
	request
	lane     *lane
	ctx      context.Context
	endpoint rsync.Endpoint
	report   func(rsync.Progress)
	// ahead: a run was used that had connected before. It has the directory that
	// the daemon had then, in whose place another may be.
	ahead bool
	// moved is what the paths that were judged last have been renamed to.
	moved   map[string]string
	fitting fitting
	// made are directories that the remote did not have before.
	made []string
	out  outcome
}

// ran is how a run of rsync ended whose outcome is not final.
type ran struct {
	rsync.Result
	verdict rsync.Verdict // Done, Vanished, Partial or PartialDeletion
	said    rsync.Complaints
}

// do transfers the batch.
func (t *transfer) do() {
	defer t.findObstacles(t.batch.Entries)
	t.lane.learn(t.ctx, &t.endpoint, false)
	if t.adopt && t.approvedByUser() == 0 && t.holdAdoption() {
		t.meets(false) // whose it is says more than what there is
		return
	}
	if t.out.err != nil {
		return
	}
	if t.adopt {
		if t.meets(false) {
			return // having left nothing there
		}
		t.adopted()
	}
	if t.meets(true) {
		return
	}
	notes, failed := t.lane.learn(t.ctx, &t.endpoint, true)
	if failed != nil {
		t.out = *failed
		return
	}
	t.out.strategy = notes
	if t.endpoint.Untrashed() {
		t.out.err = errors.New("the remote cannot keep what is deleted or overwritten: one of the two rsyncs is openrsync")
		t.out.hint, t.out.attention = "install rsync there, or attach it again without --trash", true
		return
	}
	if t.endpoint.Strategy.KeepsExisting {
		t.out.err = errors.New("the remote keeps files as they are that are there already, and nothing can be mirrored to it")
		t.out.hint, t.out.attention = "take -no-overwrite from rrsync in the remote's authorized_keys", true
		return
	}
	if t.setApart(); t.out.err != nil {
		return
	}
	t.recheckMoved()
	if t.fit(); t.out.err != nil {
		return
	}
	if t.batch.Everything == nil && !t.confirm {
		t.directly()
	}
	t.batch = t.batch.Settled()
	t.recheckMoved()
	if t.out.err == nil && t.batch.Everything != nil {
		t.fullPass()
	}
	if t.out.err == nil {
		t.entries()
	}
	t.closeNested()
	t.clearReplaced()
	if t.out.err == nil && t.ahead {
		t.out.direct = append(t.out.direct, toConfirm(t.batch.Entries)...)
	}
}

// approvedByUser is how many deletions of a full pass the user has approved.
func (t *transfer) approvedByUser() int {
	if t.batch.Everything == nil {
		return 0
	}
	return t.batch.Everything.Approved
}

// run runs one job, and adds it to the progress. ok is false when the outcome
// is final.
func (t *transfer) run(job rsync.Job) (r ran, ok bool) {
	before := t.out.progress
	sum := func(p rsync.Progress) rsync.Progress {
		return rsync.Progress{Files: before.Files + p.Files, Bytes: before.Bytes + p.Bytes}
	}
	result, ahead, err := t.lane.run(t.ctx, job, func(p rsync.Progress) { t.report(sum(p)) })
	if err != nil {
		t.out.err = err
		if errors.Is(err, exec.ErrNotFound) {
			t.out.err = errors.New("there is no rsync in PATH")
			t.out.hint = "install rsync"
		}
		t.out.attention = true
		return ran{}, false
	}
	t.ahead = t.ahead || ahead
	t.out.proven = time.Now()
	t.out.progress = sum(result.Progress)
	r = ran{Result: result, said: rsync.ParseStderr(result.Stderr, t.lane.realRoot(), t.remote.RemotePath)}
	r.verdict = rsync.Judge(result.Code, r.said)
	if rsync.EndsRun(result.Code) && r.said.NamesPaths() && !r.said.MissingDestination {
		// One path has ended it, which others need not. See judge.
		r.verdict = rsync.Partial
	}
	t.lane.log.Debug("rsync ended", zap.Int("code", result.Code), zap.Strings("args", job.Args),
		zap.ByteString("input", job.Input[:min(len(job.Input), 2000)]), zap.String("stderr", result.Stderr))
	switch r.verdict {
	case rsync.Done, rsync.Vanished, rsync.Partial, rsync.PartialDeletion:
		return r, true
	}
	t.fail(result.Code, r.verdict, r.said)
	t.out.mute = rsync.Mute(result.Stderr)
	return r, false
}

// fail ends the transfer with what rsync said.
func (t *transfer) fail(code int, verdict rsync.Verdict, said rsync.Complaints) {
	message, hint := rsync.Words(code, said)
	t.out.err, t.out.hint = errors.New(message), hint
	t.out.offline = verdict == rsync.Unreachable
	t.out.broken = t.out.offline
	t.out.attention = verdict == rsync.Attention
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
	t.tendOwn()
	everything := dirty.Batch{Everything: t.batch.Everything}
	var reread []string
	if !t.since.IsZero() {
		paths, all := walk.ChangedSince(t.ctx, t.lane.root, t.since, dirty.Limit)
		if reread = paths; !all {
			reread, t.batch.Everything.Change = nil, t.batch.Everything.Change|watch.Content
		}
	}
	holes := walk.HasHoles(t.ctx, t.lane.root, []string{""})
	compare := func(job rsync.Job) rsync.Job {
		job = job.Sparse(t.endpoint, holes)
		if t.batch.Everything.Change&watch.Content != 0 {
			return job.Checksum()
		}
		return job
	}
	if t.passTooLong(compare); t.out.err != nil {
		return
	}
	t.sweep(sweep{
		run:  func(maxDelete int) rsync.Job { return compare(rsync.FullPass(t.endpoint, t.except, maxDelete)) },
		list: rsync.ListDeletions(t.endpoint, t.except),
		part: everything,
	})
	reread = slices.DeleteFunc(reread, func(p string) bool { return len(p) > t.endpoint.MaxPath() || t.excepted(p) })
	if len(reread) == 0 || t.out.err != nil || t.out.hold != nil || t.out.again.Everything != nil {
		return
	}
	job := rsync.Paths(t.endpoint, reread, false).Checksum().Sparse(t.endpoint, holes)
	t.sweep(sweep{
		run:  func(maxDelete int) rsync.Job { return job.Limit(t.endpoint, maxDelete) },
		list: job.DryRun(),
		part: everything,
	})
}

// excluded says what is not mirrored to the remote.
func (t *transfer) excluded() exclude.Rules { return t.lane.exclude.At(t.remote) }

// excepted tells that a path is left out, because it fails or is not mirrored.
func (t *transfer) excepted(name string) bool {
	return t.excluded().Excludes(name) ||
		slices.ContainsFunc(t.except, func(p string) bool { return relpath.Within(name, p) })
}
