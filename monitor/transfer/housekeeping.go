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

// maxTended is how many directories of transfers a pass removes from the trash, and
// maxTrash how many entries of it are looked at for their size.
const (
	maxTended = 40 * rsync.MaxExpired
	maxTrash  = 1_000_000
)

// tendTrash removes from the trash what is too old or too much, and makes it private: what
// was deleted may be nobody else's business any more.
func (t *transfer) tendTrash(now time.Time) {
	cmd := exec.CommandContext(t.ctx, "rsync", rsync.ListTrash(t.endpoint).Args...)
	cmd.Env = t.lane.environment()
	listing, _ := rsync.Output(cmd) // an error is that there is none yet, or will be the next run's, too
	old := rsync.TrashBefore(listing, now.Add(-time.Duration(t.Remote.Trash)))
	if len(old) > 0 || !rsync.IsPrivate(listing) {
		t.expireTrash(old)
	}
	if t.Remote.TrashSize == 0 || listing == "" {
		return
	}
	if above := t.trashSizes().Above(int64(t.Remote.TrashSize)); len(above) > 0 {
		t.expireTrash(above)
	}
}

// expireTrash removes directories of transfers from the trash, the first of them.
func (t *transfer) expireTrash(names []string) {
	empty, err := os.MkdirTemp(t.lane.scratch, "trash-")
	if err != nil {
		t.lane.log.Warn("Cannot tend the trash", zap.Error(err))
		return
	}
	defer os.Remove(empty)
	names = names[:min(len(names), maxTended)]
	for {
		part := names[:min(len(names), rsync.MaxExpired)]
		if !t.lane.runQuietly(t.ctx, "Cannot tend the trash", empty, rsync.ExpireTrash(t.endpoint, part)) {
			return
		}
		if len(part) > 0 {
			t.lane.log.Info("Old trash removed", zap.Int("transfers", len(part)))
		}
		if names = names[len(part):]; len(names) == 0 {
			return
		}
	}
}

// trashSizes finds out how large the trash is, or at least how large.
func (t *transfer) trashSizes() rsync.TrashSizes {
	sizes := make(rsync.TrashSizes)
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	lines := 0
	job := rsync.ListTrashSizes(t.endpoint, func(line string) {
		if lines++; lines <= maxTrash {
			sizes.Add(line)
		} else {
			cancel()
		}
	})
	// What was not listed counts for nothing: no more than necessary is removed.
	if _, err := rsync.Run(ctx, t.lane.root, t.lane.environment(), job, nil); err != nil && ctx.Err() == nil {
		t.lane.log.Warn("Cannot tend the trash", zap.Error(err))
	}
	return sizes
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
