package watchdog

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestPing: who waits for pings hears them in time as long as the check succeeds, and no
// more from when it fails or hangs.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		const limit = time.Minute
		var fails, hangs atomic.Bool
		var pings atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			Ping(ctx, zap.New(core), limit, func(ctx context.Context) error {
				switch {
				case hangs.Load():
					<-ctx.Done()
					return ctx.Err()
				case fails.Load():
					return errors.New("no such socket")
				}
				return nil
			}, func() error { pings.Add(1); return nil })
		}()
		for range 10 {
			before := pings.Load()
			pass(limit / 2)
			if pings.Load() == before {
				t.Fatal("no ping in half of the limit")
			}
		}
		if logs.Len() != 0 {
			t.Errorf("logged: %v", logs.All())
		}

		for what, wrong := range map[string]*atomic.Bool{"fails": &fails, "hangs": &hangs} {
			logs.TakeAll()
			wrong.Store(true)
			before := pings.Load()
			pass(3 * limit)
			if more := pings.Load() - before; more != 0 {
				t.Errorf("%d pings though the check %s", more, what)
			}
			if logs.FilterMessageSnippet("does not answer itself").Len() == 0 {
				t.Errorf("nothing is logged though the check %s", what)
			}
			wrong.Store(false)
			pass(limit)
			if pings.Load() == before {
				t.Errorf("no ping though the check %s no more", what)
			}
		}
		cancel()
		<-ended
	})
}
