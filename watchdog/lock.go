package watchdog

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Lock guards the daemon's state. Work under it that panics has left the state
// in an unknown condition, and work that does not return blocks everything: in
// both cases the daemon cannot be repaired from within, and fatal is called,
// once. It must end the process.
type Lock struct {
	log   *zap.Logger
	fatal func(reason string)
	once  sync.Once

	mu sync.Mutex
	// heldSince is when mu was taken, in nanoseconds since made, and one more;
	// 0 while it is free. The clock is the monotonic one, which stands still while the
	// machine sleeps.
	heldSince atomic.Int64
	made      time.Time
}

// NewLock returns a lock. fatal is called from the goroutine that found the
// trouble.
func NewLock(log *zap.Logger, fatal func(reason string)) *Lock {
	return &Lock{log: log.Named("watchdog"), fatal: fatal, made: time.Now()}
}

// Do runs f while no other f runs.
func (l *Lock) Do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heldSince.Store(int64(time.Since(l.made)) + 1)
	defer l.heldSince.Store(0)
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("Panic while the state was locked", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			l.die("a panic while the state was locked")
		}
	}()
	f()
}

// Watch ends the daemon when the lock stays held for longer than limit. It
// returns when ctx is done.
func (l *Lock) Watch(ctx context.Context, limit time.Duration) {
	ticker := time.NewTicker(max(limit/4, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		since := l.heldSince.Load()
		if since != 0 && time.Since(l.made)-time.Duration(since) > limit {
			l.log.Error("The state has been locked for too long", zap.Duration("limit", limit))
			l.die("the state has been locked for longer than " + limit.String())
		}
	}
}

// maxStacks bounds the stacks in bytes: the line with them must fit into the
// smallest log file, which has a megabyte.
const maxStacks = 1 << 19

// die logs what every goroutine does, and ends the daemon.
func (l *Lock) die(reason string) {
	l.once.Do(func() {
		stacks := make([]byte, maxStacks)
		stacks = stacks[:runtime.Stack(stacks, true)]
		l.log.Error("The daemon ends itself", zap.String("reason", reason), zap.ByteString("goroutines", stacks))
		l.fatal(reason)
	})
}
