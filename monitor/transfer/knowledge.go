package transfer

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// knowledge is what was found out about a remote. It is not changed.
type knowledge struct {
	version rsync.Version
	user    user
	// noACLs, noXattrs: its rsync was built without them.
	noACLs, noXattrs bool
	strategy         rsync.Strategy
	// pathMax is how long a path may be, 0 for not known.
	pathMax int
	// probed: strategy was tried, not guessed.
	probed bool
	// direct is the lane for small changes, nil where there is none; keeps: the remote
	// keeps what is gone.
	direct *direct.Lane
	keeps  bool
	// notes say it in words.
	notes []string
}

// besides reports whether something can be sent beside a run of rsync. Where names fold,
// it takes a look around; an openrsync cannot be kept from removing.
func (k *knowledge) besides() bool {
	return k.probed && !k.strategy.Capabilities.Limited() && (k.direct != nil || !k.strategy.Basic)
}

// guess finds out which rsync the remote has, unless that is known, and what that
// can do.
func (l *Lane) guess(ctx context.Context, endpoint *rsync.Endpoint) *knowledge {
	k := l.known.Load()
	if k == nil {
		k = l.ask(ctx, endpoint.Remote)
		k.strategy = rsync.Choose(l.local, k.version)
		k.strategy.NoACLs, k.strategy.NoXattrs = k.noACLs, k.noXattrs
		l.known.Store(k)
	}
	endpoint.Strategy = k.strategy
	return k
}

// ask asks for the version of the remote's rsync, who writes there, and how long a path
// may be. That is unknown where only rsync itself may be run.
func (l *Lane) ask(ctx context.Context, r config.Remote) *knowledge {
	if r.Connection.Kind() == config.KindLocal {
		return &knowledge{version: l.local, user: l.thisUser(ctx)}
	}
	if l.connection == nil {
		return &knowledge{}
	}
	output, said, err := l.connection.Output(ctx, l.environment(), r.RsyncCommand()+" --version; id; getconf PATH_MAX /")
	version, ok := rsync.ParseVersion(output + "\n" + said) // where some openrsyncs have it
	if !ok {
		l.log.Debug("Cannot learn the remote's version of rsync", zap.Error(err))
	}
	return &knowledge{
		version: version, user: parseUser(output), pathMax: lastNumber(output),
		noACLs: rsync.WithoutFeature(output, "ACLs"), noXattrs: rsync.WithoutFeature(output, "xattrs"),
	}
}

// lastNumber is that in the last line of an output, 0 if there is none.
func lastNumber(output string) int {
	output = strings.TrimSpace(output)
	n, err := strconv.Atoi(output[strings.LastIndexByte(output, '\n')+1:])
	if err != nil {
		return 0
	}
	return n
}

// probe tries what the remote can do, unless that is known, which writes to the
// destination. ok is false when the outcome is final: the remote cannot be reached,
// or no rsync answers.
func (t *transfer) probe() (ok bool) {
	k := t.lane.guess(t.ctx, &t.endpoint)
	if !k.probed {
		var err error
		if k, err = t.lane.probe(t.ctx, t.endpoint, k); err != nil {
			t.failProbe(err)
			return false
		}
		t.lane.known.Store(k)
	}
	t.endpoint.Strategy, t.out.Strategy = k.strategy, k.notes
	if note := t.lane.compression(&t.endpoint); note != "" {
		t.out.Strategy = append(slices.Clone(k.notes), note)
	}
	t.out.Cannot = k.user.cannot(t.Remote, k.strategy.Cannot())
	return true
}

// failProbe ends a transfer whose probe failed.
func (t *transfer) failProbe(err error) {
	var failure *rsync.ProbeError
	if !errors.As(err, &failure) {
		t.out = remote.Outcome{Failure: failed(remote.Trouble, err, "")}
		return
	}
	kind := remote.Attention
	switch {
	case failure.Unreachable:
		kind = remote.Offline
	case failure.Busy:
		kind = remote.Trouble
	}
	t.out = remote.Outcome{Failure: failed(kind, failure, failure.Hint), Causes: remote.Interrupted}
	t.mute = failure.Mute
}

// probe tries what a remote can do of which only the version is known, and opens the
// direct lane.
func (l *Lane) probe(ctx context.Context, endpoint rsync.Endpoint, guessed *knowledge) (*knowledge, error) {
	release, err := l.session(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var d *direct.Lane
	var refusal string
	strategy, err := rsync.Probe(ctx, endpoint, l.scratch, l.environment(), func(witness string) {
		d, refusal = l.openDirect(ctx, endpoint.Remote, witness)
	})
	var failure *rsync.ProbeError
	if ctx.Err() != nil || errors.As(err, &failure) && (failure.Unreachable || failure.Busy || failure.Mute) {
		if d != nil && d.Err() == nil {
			d.Close() // it was there before that
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failure
	}
	if guessed.pathMax > 0 && guessed.pathMax < rsync.PathMax {
		strategy.Capabilities.PathMax = guessed.pathMax
	}
	if d != nil && l.connection != nil && endpoint.Remote.Trash != 0 && strategy.Capabilities.NoSymlinks {
		d.Close()
		d, refusal = nil, "the file system there has no symbolic links, without which only that keeps a trash"
	}
	strategy.Capabilities.LeavesSpecials = endpoint.Remote.Devices == config.DevicesOff
	if d != nil {
		d.SetCapabilities(strategy.Capabilities)
		if l.connection != nil {
			took := d.RoundTrip()
			l.line.do(func(m *measures) { m.roundTripTook(took) })
		}
	}
	endpoint.Strategy = strategy
	k := &knowledge{version: guessed.version, user: guessed.user, strategy: strategy, probed: true, direct: d, keeps: endpoint.Remote.Keeps()}
	k.notes = append([]string{"here " + l.local.String() + ", there " + k.version.String()}, endpoint.Describe()...)
	k.notes = append(k.notes, l.describeDirect(d, refusal))
	if err != nil {
		l.log.Warn("Cannot probe the remote", zap.Error(err))
		k.notes = append(k.notes, "this could not be tried out: "+err.Error())
	}
	return k, nil
}

// describeDirect says in words how small changes go.
func (l *Lane) describeDirect(d *direct.Lane, refusal string) string {
	switch {
	case d == nil:
		return "all changes travel by rsync: " + refusal
	case l.connection != nil:
		return "small changes travel by sftp, and are confirmed by rsync"
	}
	return "small changes are made directly, and confirmed by rsync"
}
