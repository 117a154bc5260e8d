package transfer

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// run runs a job of rsync in a directory, by the standby if that is for it; ahead
// reports whether it was. There is never more than one connection, but for what goes beside.
// rate is the remote's bandwidth.
func (l *Lane) run(ctx context.Context, dir string, job rsync.Job, rate config.Rate, progress func(rsync.Progress)) (r rsync.Result, ahead bool, err error) {
	end := l.pace.run(rate, time.Now())
	defer func() { end(time.Now()) }()
	if s := l.standby; s != nil {
		l.standby = nil
		if dir != l.root {
			s.Close()
		} else if result, ok, err := s.Run(ctx, job, progress); ok {
			return result, true, err
		}
	}
	release, err := l.session(ctx)
	if err != nil {
		return rsync.Result{}, false, err
	}
	defer release()
	r, err = rsync.Run(ctx, dir, l.environment(), job, progress)
	return r, false, err
}

// session waits until one more command may run on the connection, and returns
// the function that says it has ended. The direct lane does without: it has the
// one session that all remotes of a host share, so that no run of rsync keeps a
// small change waiting.
func (l *Lane) session(ctx context.Context) (release func(), err error) {
	if l.connection == nil {
		return func() {}, nil
	}
	return l.connection.Acquire(ctx)
}

// prepare makes the next small change quick that has to go by rsync. To connect
// to a daemon and agree with it takes most of the time.
func (l *Lane) prepare(endpoint rsync.Endpoint) {
	r := endpoint.Remote
	if r.Connection.Kind() != config.KindRsyncDaemon || endpoint.Strategy.Basic {
		return
	}
	endpoint.Began = l.now()
	standby, err := rsync.Prepare(l.root, l.environment(), rsync.Paths(endpoint, nil, true).Limit(endpoint, 0))
	if err != nil {
		l.log.Debug("Cannot prepare a run of rsync", zap.Error(err))
		return
	}
	l.standby, l.standbyBegan = standby, endpoint.Began
}

// realPath is a directory as rsync names it: without symbolic links.
func realPath(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// ran is how a run of rsync ended whose outcome is not final.
type ran struct {
	rsync.Result
	verdict rsync.Verdict // Done, Vanished, Partial or PartialDeletion
	said    rsync.Complaints
}

// held reports whether more had to go than was allowed.
func (r ran) held() bool { return r.verdict == rsync.PartialDeletion || r.said.DeletionsHeld }

// isClean reports whether rsync had nothing to say but that deletions were held.
func (r ran) isClean() bool {
	return (r.verdict == rsync.Done || r.verdict == rsync.PartialDeletion) &&
		len(r.said.Failures) == 0 && len(r.said.Unattributed) == 0 && !r.said.DeletionsSkipped && !r.Truncated
}

// run runs one job in a directory, and adds it to the progress. ok is false when the
// outcome is final.
func (t *transfer) run(dir string, job rsync.Job) (r ran, ok bool) {
	if !job.IsDry() {
		job.Sending = t.counter.begin
	}
	var progress func(rsync.Progress)
	if job.Sending != nil {
		progress = func(p rsync.Progress) {
			t.counter.reach(p.Part)
			t.publish()
		}
	}
	job.Gently = t.gently
	began := time.Now()
	result, ahead, err := t.lane.run(t.ctx, dir, job, t.Remote.Bandwidth, progress)
	if err != nil {
		t.counter.stop()
		hint := ""
		if errors.Is(err, exec.ErrNotFound) {
			err, hint = errors.New("there is no rsync in PATH"), "install rsync"
		}
		t.out.Failure = failed(remote.Attention, err, hint)
		return ran{}, false
	}
	t.ahead = t.ahead || ahead
	t.out.Verified = time.Now()
	if r := result.Progress; t.Remote.Bandwidth == 0 && !job.IsDry() {
		t.lane.line.do(func(m *measures) {
			m.ran(runMeasured{files: r.Files, bytes: r.Bytes, took: t.out.Verified.Sub(began), compressed: t.endpoint.Compresses()})
		})
	}
	r = ran{Result: result, said: rsync.ParseStderr(result.Stderr, realPath(dir), t.Remote.RemotePath)}
	r.verdict = rsync.Judge(result.Code, r.said)
	if rsync.EndsRun(result.Code) && r.said.NamesPaths() && !r.said.MissingDestination {
		// One path has ended it, which others need not. See judge.
		r.verdict = rsync.Partial
	}
	t.lane.log.Debug("rsync ended", zap.Int("code", result.Code), zap.Strings("args", job.Args),
		zap.ByteString("input", job.Input[:min(len(job.Input), 2000)]), zap.String("stderr", result.Stderr))
	switch r.verdict {
	case rsync.Done, rsync.Vanished, rsync.Partial, rsync.PartialDeletion:
		t.counter.end()
		t.publish()
		return r, true
	}
	t.counter.stop()
	t.fail(result.Code, r.verdict, r.said)
	t.mute = rsync.Mute(result.Stderr)
	return r, false
}

// fail ends the transfer with what rsync said.
func (t *transfer) fail(code int, verdict rsync.Verdict, said rsync.Complaints) {
	message, hint := rsync.Words(code, said)
	kind := remote.Trouble
	switch verdict {
	case rsync.Unreachable:
		kind = remote.Offline
		t.out.Causes |= remote.Interrupted
	case rsync.Attention:
		kind = remote.Attention
	}
	t.out.Failure = &remote.Failure{Kind: kind, Cure: rsync.CureOf(verdict, said), Message: message, Hint: hint}
}

// failed is the failure that an error is. If nobody wants the outcome any more, the
// error is only that.
func failed(kind remote.FailureKind, err error, hint string) *remote.Failure {
	f := &remote.Failure{Kind: kind, Message: err.Error(), Hint: hint}
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind = remote.Canceled
	case kind == remote.Attention:
		f.Cure = dirty.ByPerson
	}
	return f
}
