package watchdog

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Ping tells a watchdog outside of this process that it is well, which that must hear
// once in limit: ping is called as long as check, which has a quarter of limit, finds
// nothing wrong. It returns when ctx is done.
func Ping(ctx context.Context, log *zap.Logger, limit time.Duration, check func(context.Context) error, ping func() error) {
	log = log.Named("watchdog")
	ticker := time.NewTicker(limit / 4)
	defer ticker.Stop()
	for {
		checking, cancel := context.WithTimeout(ctx, limit/4)
		err := check(checking)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			log.Error("The daemon does not answer itself; without an answer it is ended, to be started again",
				zap.Duration("after", limit), zap.Error(err))
		} else if err := ping(); err != nil {
			log.Error("Cannot tell the service manager that the daemon is well", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
