package monitor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/links"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

// askedWatcher is a watcher that only remembers the barrier it was asked for.
type askedWatcher struct {
	stats   watch.Stats
	barrier uint64
}

func (w *askedWatcher) Run(context.Context, func()) error { return nil }
func (w *askedWatcher) Barrier(n uint64)                  { w.barrier = n }
func (w *askedWatcher) Events(n uint64)                   { w.barrier = n }
func (w *askedWatcher) Stats() watch.Stats                { return w.stats }

// A ping is answered when the watcher has come to it; at once where that would
// take a round of looks at all directories, or is no proof.
func TestPings(t *testing.T) {
	for _, test := range []struct {
		stats watch.Stats
		waits bool
	}{
		{watch.Stats{Lossless: true}, true},
		{watch.Stats{Lossless: true, Polled: 1}, false},
		{watch.Stats{}, false},
	} {
		w := &askedWatcher{stats: test.stats}
		m := &mirror{watcher: w, answers: make(chan struct{}, 1)}
		m.answer(7)
		if got := m.pong.Load(); (got == 0) != test.waits {
			t.Errorf("%+v: pong %d before the barrier", test.stats, got)
		}
		m.Barrier(w.barrier)
		if got := m.pong.Load(); got != 7 || len(m.answers) != 1 {
			t.Errorf("%+v: pong %d, %d reports", test.stats, got, len(m.answers))
		}
	}
}

// Behind a watcher that misses changes a full pass follows each change, also when
// the one that was due has been made before its time.
func TestLossyPasses(t *testing.T) {
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{set: dirty.NewSet(), confirmations: remote.NewConfirmations(), remote: config.Remote{Name: "r"}, changed: func(bool) {}, wake: make(chan struct{}, 1)}
		m := &mirror{root: root, watcher: &askedWatcher{}, changes: make(chan struct{}, 1), answers: make(chan struct{}, 1)}
		m.workers, m.links = map[string]*runningWorker{"r": {worker: w}}, links.New(root, exclude.Rules{}, m.tellLinks)
		passes := func(wait time.Duration) bool {
			time.Sleep(wait) // of the bubble's clock
			return w.set.Take(time.Now()).Everything != nil
		}
		m.Changed("a", watch.Content)
		if passes(lossyDelay-1) || !passes(1) {
			t.Error("the first change is not followed by a pass in time")
		}
		m.Changed("b", watch.Content)
		m.Changed("c", watch.Content)
		if passes(lossyInterval-1) || !passes(1) || passes(time.Hour) {
			t.Error("two more are not followed by one pass in time")
		}
		m.Changed("d", watch.Content)
		m.reached(1)
		if !passes(0) {
			t.Error("a request to wait makes no pass")
		}
		m.Changed("e", watch.Content)
		if !w.set.Everything() || passes(lossyDelay-1) || !passes(1) {
			t.Error("a change after an early pass is not followed by another")
		}
	})
}
