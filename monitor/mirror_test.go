package monitor

import (
	"context"
	"testing"

	"wsync/monitor/watch"
)

// askedWatcher is a watcher that only remembers the barrier it was asked for.
type askedWatcher struct {
	stats   watch.Stats
	barrier uint64
}

func (w *askedWatcher) Run(context.Context, func()) error { return nil }
func (w *askedWatcher) Barrier(n uint64)                  { w.barrier = n }
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
