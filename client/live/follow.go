package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"wsync/client"
	"wsync/daemon/api"
)

const (
	// changeInterval is the least time between two statuses, so that busy workspaces do not
	// keep views busy.
	changeInterval = 200 * time.Millisecond
	// askInterval is how often the monitors are asked whether they are alive: one that hangs
	// reports no change.
	askInterval = 2 * time.Second
	// reconnectInterval is how often a daemon is looked for that has ended.
	reconnectInterval = 500 * time.Millisecond
)

// An Update is news of the status.
type Update struct {
	// Status is the newest, nil if it is the one that is known.
	Status *api.Status
	// At is when the daemon said so.
	At time.Time
	// Err is why there is no answer, nil if there is one. It is tried again.
	Err error
}

// Follow tells of the status of all workspaces, of one or of a remote, as client.Status does,
// whenever it changes and, without a Status, whenever it was found to be true still. It does
// so over restarts of the daemon, until ctx is done, which is no error, or the daemon says
// that there is no such workspace or remote. first is the status that is known, nil for none.
// tell is not called concurrently.
func Follow(ctx context.Context, daemon *client.Client, workspace, remote string, first *api.Status, tell func(Update)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f := &following{daemon: daemon, workspace: workspace, remote: remote, tell: tell, refused: cancel, last: first}
	var asking sync.WaitGroup
	asking.Go(func() { f.ask(ctx) })
	f.poll(ctx)
	asking.Wait()
	var refusal *api.Error
	if cause := context.Cause(ctx); errors.As(cause, &refusal) {
		return cause
	}
	return nil
}

// following is a status that is followed.
type following struct {
	daemon            *client.Client
	workspace, remote string
	tell              func(Update)
	refused           context.CancelCauseFunc

	mu   sync.Mutex // held while tell is called
	last *api.Status
	gone bool
}

// poll waits for changes until ctx is done.
func (f *following) poll(ctx context.Context) {
	for ctx.Err() == nil {
		status, err := f.daemon.Status(ctx, f.workspace, f.remote, f.revision())
		f.take(ctx, status, err)
		pause(ctx, err, changeInterval)
	}
}

// ask asks now and then what the status is, whether it has changed or not, until ctx is done.
// The answer is no older than the question, so that whoever waits for changes hears of a
// monitor that does not answer.
func (f *following) ask(ctx context.Context) {
	for pause(ctx, nil, askInterval); ctx.Err() == nil; pause(ctx, nil, askInterval) {
		status, err := f.daemon.Status(ctx, f.workspace, f.remote, 0)
		f.take(ctx, status, err)
	}
}

// pause waits for a while, longer after an error.
func pause(ctx context.Context, err error, d time.Duration) {
	if err != nil {
		d = reconnectInterval
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// revision is what the next status is to be newer than, 0 for any.
func (f *following) revision() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil || f.gone {
		return 0
	}
	return f.last.Revision
}

// take takes in an answer, and tells of it.
func (f *following) take(ctx context.Context, status *api.Status, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var refusal *api.Error
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &refusal) && (refusal.Kind == api.NotFound || refusal.Kind == api.Invalid):
		f.refused(err)
	case err != nil:
		f.gone = true
		f.tell(Update{Err: err, At: time.Now()})
	case !f.gone && f.knows(status):
		f.tell(Update{At: time.Now()})
	default:
		f.last, f.gone = status, false
		f.tell(Update{Status: status, At: time.Now()})
	}
}

// knows reports whether a status is not newer than the last one: one of the two requests may
// have been overtaken by the other.
func (f *following) knows(status *api.Status) bool {
	return f.last != nil && f.last.Daemon.PID == status.Daemon.PID && f.last.Daemon.Since.Equal(status.Daemon.Since) &&
		status.Revision <= f.last.Revision
}
