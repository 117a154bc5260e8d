package monitor

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/rsync"
)

// knowledge is what was found out about a remote.
type knowledge struct {
	version  rsync.Version
	strategy rsync.Strategy
	// probed: strategy was tried, not guessed.
	probed bool
	// direct is the lane for small changes, nil where there is none.
	direct *direct.Lane
	// notes say it in words.
	notes []string
}

// learn finds out about the remote unless that is known, and returns it in
// words. With probe it also tries what it finds, which writes to the
// destination; the failure is that it cannot be reached, or that no rsync answers.
func (l *lane) learn(ctx context.Context, endpoint *rsync.Endpoint, probe bool) (notes []string, failed *outcome) {
	k := l.known.Load()
	if k == nil {
		version := l.remoteVersion(ctx, endpoint.Remote)
		k = &knowledge{version: version, strategy: rsync.Choose(l.local, version)}
		l.known.Store(k)
	}
	endpoint.Strategy = k.strategy
	if !probe || k.probed {
		return k.notes, nil
	}
	release, err := l.session(ctx)
	if err != nil {
		return nil, &outcome{err: err}
	}
	defer release()
	var small *direct.Lane
	var refusal string
	strategy, err := rsync.Probe(ctx, *endpoint, l.scratch, l.environment(), func(witness string) {
		small, refusal = l.openDirect(ctx, endpoint.Remote, witness)
	})
	var failure *rsync.ProbeError
	if ctx.Err() != nil || errors.As(err, &failure) && (failure.Unreachable || failure.Busy || failure.Mute) {
		if small != nil && small.Err() == nil {
			small.Close() // it was there before that
		}
		if ctx.Err() != nil {
			return nil, &outcome{err: ctx.Err()}
		}
		return nil, &outcome{err: failure, hint: failure.Hint, offline: failure.Unreachable, broken: true,
			attention: !failure.Unreachable && !failure.Busy, mute: failure.Mute}
	}
	if small != nil {
		small.SetCapabilities(strategy.Capabilities)
	}
	k = &knowledge{version: k.version, strategy: strategy, probed: true, direct: small}
	tried := *endpoint
	tried.Strategy = strategy
	k.notes = append([]string{"here " + l.local.String() + ", there " + k.version.String()}, tried.Describe()...)
	switch {
	case small == nil:
		k.notes = append(k.notes, "all changes travel by rsync: "+refusal)
	case l.connection != nil:
		k.notes = append(k.notes, "small changes travel by sftp, and are confirmed by rsync")
	default:
		k.notes = append(k.notes, "small changes are made directly, and confirmed by rsync")
	}
	if err != nil {
		l.log.Warn("Cannot probe the remote", zap.Error(err))
		k.notes = append(k.notes, "this could not be tried out: "+err.Error())
	}
	l.known.Store(k)
	endpoint.Strategy = strategy
	return k.notes, nil
}

// remoteVersion asks for the version of the remote's rsync. It is unknown where
// only rsync itself may be run.
func (l *lane) remoteVersion(ctx context.Context, remote config.Remote) rsync.Version {
	if remote.Connection.Kind() == config.KindLocal {
		return l.local
	}
	if l.connection == nil {
		return rsync.Version{}
	}
	output, _, err := l.connection.Output(ctx, l.environment(), "rsync --version")
	version, ok := rsync.ParseVersion(output)
	if !ok {
		l.log.Debug("Cannot learn the remote's version of rsync", zap.Error(err))
	}
	return version
}
