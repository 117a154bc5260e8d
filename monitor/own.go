package monitor

import (
	"go.uber.org/zap"

	"wsync/monitor/rsync"
)

// sweepOwn removes what wsync itself has left at the destination. That it
// fails is no failure of the transfer: the next full pass tries again, and a
// remote that is away is noticed by the run that follows.
func (t *transfer) sweepOwn() {
	job, ok := rsync.SweepDelayed(t.endpoint)
	if !ok {
		return
	}
	result, err := rsync.Run(t.ctx, t.lane.root, t.lane.environment(), job, nil)
	if err != nil || result.Code != 0 {
		t.lane.log.Warn("Cannot remove what delayed updates may have left", zap.Int("code", result.Code), zap.String("stderr", result.Stderr), zap.Error(err))
	}
}
