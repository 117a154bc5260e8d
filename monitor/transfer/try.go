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
	dir, endpoint, failure := l.aside(ctx, r)
	if failure != nil {
		t.Unknown = failure.Message
		return t
	}
	defer os.RemoveAll(dir)
	var who user
	if k := l.known.Load(); k != nil {
		who = k.user
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
	result, failure := l.runAside(ctx, dir, job)
	switch {
	case failure != nil:
		return failure
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
