package transfer

import (
	"context"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// Examination is what an examination has found out about a remote.
type Examination struct {
	// Version is that of the remote's rsync, unknown where only rsync itself may be run.
	Version  rsync.Version
	Strategy rsync.Strategy
	// Notes say in words how the remote is served.
	Notes []string
	// Direct: small changes go without rsync.
	Direct bool
}

// Examine connects to a remote, and tries in a scratch directory at the destination what
// can be done there; nothing of the workspace is sent. It is called instead of Transfer,
// and the lane closed after it.
func (l *Lane) Examine(ctx context.Context, r config.Remote) (x Examination, failure *remote.Failure) {
	t := &transfer{Order: remote.Order{Remote: r}, lane: l, ctx: ctx}
	if t.endpoint, failure = l.connect(ctx, r); failure != nil {
		return x, failure
	}
	if !t.probe() {
		return x, t.out.Failure
	}
	k := l.known.Load()
	return Examination{Version: k.version, Strategy: k.strategy, Notes: k.notes, Direct: k.direct != nil}, nil
}
