package exclude

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wsync/config"
	"wsync/monitor/watch"
)

// settling is a Live with a settler, and what was applied.
type settling struct {
	*live
	*Settler
	ready   atomic.Bool
	applied atomic.Int32
}

func newSettling(t *testing.T, w config.Workspace, files map[string]string) *settling {
	s := &settling{live: newLive(t, w, files)}
	s.ready.Store(true)
	s.Settler = NewSettler(s.Live, SettlerOptions{
		Context: t.Context,
		Ready:   s.ready.Load,
		Apply:   func(Settled) { s.applied.Add(1) },
	})
	return s
}

// Who waits goes on when what a file says is in force and applied, and at once if nothing
// is to be waited for.
func TestSettler(t *testing.T) {
	s := newSettling(t, config.Workspace{}, map[string]string{".wsyncignore": "a\n"})
	synctest.Test(t, func(t *testing.T) {
		s.Settler = NewSettler(s.Live, SettlerOptions{Context: context.Background, Ready: s.ready.Load, Apply: func(Settled) { s.applied.Add(1) }})
		var went atomic.Int32
		wait := func() { s.When(func() { went.Add(100*s.applied.Load() + 1) }) }
		if wait(); went.Load() != 1 {
			t.Error("nothing is unsettled, and it waits")
		}
		write(t, s.root, ".wsyncignore", "b\n")
		s.Noticed(".wsyncignore", watch.Content, time.Now())
		s.Later()
		wait()
		s.ready.Store(false)
		time.Sleep(settleTime + time.Millisecond) // of the bubble's clock
		synctest.Wait()
		if went.Load() != 1 || s.applied.Load() > 0 {
			t.Error("a file of a directory that is not there was believed")
		}
		s.ready.Store(true)
		time.Sleep(2 * notReadyInterval) // of the bubble's clock
		synctest.Wait()
		if went.Load() != 102 {
			t.Errorf("it went on with %d", went.Load())
		}
		wants(t, s.Rules(), "a", "-b")
	})
}

// Of definitions that come while a tree is looked through, the newest counts.
func TestDefineInOrder(t *testing.T) {
	s := newSettling(t, config.Workspace{}, map[string]string{"d/.gitignore": "x\n", ".wsyncignore": "y\n"})
	done := make(chan struct{})
	for i := range 20 {
		s.Settler.Define(config.Workspace{GitIgnore: i%2 == 0})
	}
	s.Settler.Define(config.Workspace{Ignore: []string{"z"}})
	s.When(func() { close(done) })
	<-done
	wants(t, s.Rules(), "d/x", "-d/y", "-z")
}
