package monitor

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
	"wsync/monitor/worker"
)

// askedWatcher is a watcher that only remembers the barrier it was asked for.
type askedWatcher struct {
	stats   watch.Stats
	barrier uint64
}

func (w *askedWatcher) Run(context.Context, func()) error { return nil }
func (w *askedWatcher) Barrier(n uint64)                  { w.barrier = n }
func (w *askedWatcher) Events(n uint64)                   { w.barrier = n }
func (w *askedWatcher) Look([]string)                     {}
func (w *askedWatcher) Stats() watch.Stats                { return w.stats }

// A ping is answered when the watcher has come to it; at once where that would
// take a round of looks at all directories, or says nothing.
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

// Try implements worker.Carrier.
func (r *recorder) Ask(context.Context, config.Remote, string) report.Look { return report.Look{} }
func (r *recorder) Try(context.Context, config.Remote) report.TrialStatus {
	return report.TrialStatus{}
}

// Compare implements worker.Carrier.
func (r *recorder) Compare(report.Comparison, string, func(context.Context) (remote.Known, bool)) remote.Comparer {
	return nil
}

// recorder is a remote to which everything goes; it implements worker.Carrier.
type recorder struct {
	mu      sync.Mutex
	batches []dirty.Batch
}

func (r *recorder) Transfer(_ context.Context, o remote.Order, _ remote.Asker) remote.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, o.Batch)
	return remote.Outcome{}
}

func (r *recorder) Drifted() bool                     { return false }
func (r *recorder) Direct() bool                      { return true }
func (r *recorder) Beside() bool                      { return true }
func (r *recorder) Reset(bool)                        {}
func (r *recorder) Lstat(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist }
func (r *recorder) Walk(string, func(string, bool))   {}
func (r *recorder) Workspace() guard.Workspace        { return nil }
func (r *recorder) Leave(func() bool)                 {}
func (r *recorder) Close()                            {}

// take returns what has been sent since the last call.
func (r *recorder) take() (all []dirty.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, r.batches = r.batches, nil
	return all
}

// recorded adds a worker to a mirror that is watched by w, for a remote that records
// what is sent to it.
func recorded(t *testing.T, m *mirror, w watch.Watcher) *recorder {
	t.Helper()
	r := &recorder{}
	m.watcher, m.changes, m.answers = w, make(chan struct{}, 1), make(chan struct{}, 1)
	if m.ruling.live == nil {
		m.ruling = m.newRuling(config.Workspace{})
	}
	m.links = m.newLinks()
	made := worker.New(worker.Options{
		Log: zap.NewNop(), Root: m.root, Carrier: r, Stamp: filepath.Join(m.root, "stamp"),
		Guard: func(uint64) string { return "" }, NextMark: func() uint64 { return m.seq.Add(1) }, LastMark: m.seq.Load,
		AfterEvents: func(do func()) { do() }, Changed: func(bool) {}, Happened: m.happened,
	}, config.Remote{})
	made.Define(remote.Definition{Remote: config.Remote{Name: "r"}, Settings: report.Settings{FullPassInterval: 1000 * time.Hour}}, 0, time.Now())
	made.Arm()
	m.workers = map[string]*runningWorker{"r": {Worker: made}}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { made.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

// Behind a watcher that misses changes a full pass follows each change, also when
// the one that was due has been made before its time.
func TestLossyPasses(t *testing.T) {
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &mirror{root: root}
		r := recorded(t, m, &askedWatcher{})
		passes := func(wait time.Duration) bool {
			time.Sleep(wait) // of the bubble's clock
			synctest.Wait()
			return slices.ContainsFunc(r.take(), func(b dirty.Batch) bool { return b.Everything != nil })
		}
		m.Changed("a", watch.Content)
		if passes(watch.LossyDelay-1) || !passes(1) {
			t.Error("the first change is not followed by a pass in time")
		}
		m.Changed("b", watch.Content)
		m.Changed("c", watch.Content)
		if passes(watch.LossyInterval-1) || !passes(1) || passes(time.Hour) {
			t.Error("two more are not followed by one pass in time")
		}
		m.Changed("d", watch.Content)
		m.reached(1)
		if !passes(0) {
			t.Error("a request to wait makes no pass")
		}
		m.Changed("e", watch.Content)
		if passes(watch.LossyDelay-1) || !passes(1) {
			t.Error("a change after an early pass is not followed by another")
		}
	})
}
