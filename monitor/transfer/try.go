package transfer

import (
	"context"
	"errors"
	"os"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// Try finds out, by runs of rsync that change nothing, whether the remote can be served with
// the options of r: whether rsync can be run so there, knows the names that files are to
// belong to, and may give files away. It may be called beside transfers.
func (l *Lane) Try(ctx context.Context, r config.Remote) (t report.TrialStatus) {
	dir, err := os.MkdirTemp(l.scratch, "trial")
	if err != nil {
		t.Unknown = err.Error()
		return t
	}
	defer os.RemoveAll(dir)
	endpoint := rsync.Endpoint{Remote: r, Strategy: rsync.Choose(l.local, rsync.Version{})}
	var who user
	if k := l.known.Load(); k != nil {
		endpoint.Strategy, who = k.strategy, k.user
	}
	if l.connection != nil {
		if err := l.connection.Ensure(ctx, l.environment()); err != nil {
			t.Unknown = connectFailure(err).Message
			return t
		}
		endpoint.SSH = l.connection.Command()
	}
	if failure := l.try(ctx, dir, rsync.Try(endpoint), r); failure != nil {
		return tried(failure)
	}
	if !r.Owner.Demands() && !r.Group.Demands() || endpoint.Strategy.NoMaps {
		return t
	}
	gives := false
	giving := rsync.TryGiving(endpoint)
	giving.Differing = func(_, code string) { gives = gives || rsync.Gives(code) }
	if failure := l.try(ctx, dir, giving, r); failure != nil {
		return tried(failure)
	}
	endpoint.Strategy.NoGiving = !gives
	if why := who.givesTo(r, endpoint.Strategy); why != "" {
		t.Refused, t.Hint = why, bindHint
	}
	return t
}

// tried is the end of a trial in which a run has failed: what would go away by itself says
// nothing about the options.
func tried(failure *remote.Failure) report.TrialStatus {
	if failure.Kind == remote.Attention {
		return report.TrialStatus{Refused: failure.Message, Hint: failure.Hint}
	}
	return report.TrialStatus{Unknown: failure.Message}
}

// try makes one run of a trial. The failure is of kind remote.Attention if it is about how
// rsync was to be run, or what it was to do.
func (l *Lane) try(ctx context.Context, dir string, job rsync.Job, r config.Remote) *remote.Failure {
	release, err := l.session(ctx)
	if err != nil {
		return failed(remote.Trouble, err, "")
	}
	defer release()
	result, err := rsync.Run(ctx, dir, l.environment(), job, nil)
	switch {
	case err != nil:
		return failed(remote.Trouble, err, "")
	case result.Code == 0:
		return nil
	}
	said := rsync.ParseStderr(result.Stderr, dir, r.RemotePath)
	message, hint := rsync.Words(result.Code, said)
	kind := remote.Trouble
	if rsync.AboutOptions(result, said) {
		kind = remote.Attention
	}
	return failed(kind, errors.New(message), hint)
}
