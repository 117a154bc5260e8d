package transfer

import (
	"context"
	"os"
	"os/exec"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/rsync"
)

// keepHouse looks after what wsync itself has left at the destination. That it
// fails is no failure of the transfer: the next full pass tries again, and a
// remote that is away is noticed by the run that follows. It comes before that
// run, which makes the times of the destination right again.
func (t *transfer) keepHouse() {
	release, err := t.lane.session(t.ctx)
	if err != nil {
		return
	}
	defer release()
	if job, ok := rsync.SweepDelayed(t.endpoint); ok {
		t.lane.runQuietly(t.ctx, "Cannot remove what delayed updates may have left", t.lane.root, job)
	}
	if t.endpoint.Trashes() {
		t.tendTrash(time.Now())
	}
}

// tendTrash removes from the trash what is too old, and makes it private: what
// was deleted may be nobody else's business any more.
func (t *transfer) tendTrash(now time.Time) {
	cmd := exec.CommandContext(t.ctx, "rsync", rsync.ListTrash(t.endpoint).Args...)
	cmd.Env = t.lane.environment()
	listing, _ := rsync.Output(cmd) // an error is that there is none yet, or will be the next run's, too
	old := rsync.TrashBefore(listing, now.Add(-time.Duration(t.Remote.Trash)))
	if len(old) == 0 && rsync.IsPrivate(listing) {
		return
	}
	empty, err := os.MkdirTemp(t.lane.scratch, "trash-")
	if err != nil {
		t.lane.log.Warn("Cannot tend the trash", zap.Error(err))
		return
	}
	defer os.Remove(empty)
	if t.lane.runQuietly(t.ctx, "Cannot tend the trash", empty, rsync.ExpireTrash(t.endpoint, old)) && len(old) > 0 {
		t.lane.log.Info("Old trash removed", zap.Int("transfers", len(old)))
	}
}

// runQuietly runs a job that does not count, and reports whether it was done.
func (l *Lane) runQuietly(ctx context.Context, complaint, dir string, job rsync.Job) bool {
	result, err := rsync.Run(ctx, dir, l.environment(), job, nil)
	if err != nil || result.Code != 0 {
		l.log.Warn(complaint, zap.Int("code", result.Code), zap.String("stderr", result.Stderr), zap.Error(err))
		return false
	}
	return true
}
