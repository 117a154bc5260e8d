package worker

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/remote"
)

// beginStep begins a step of a comparison; nil for none. The flight has to be made. The
// caller holds mu.
func (w *Worker) beginStep(ctx context.Context, now time.Time) *flight {
	_, turn := w.lookAtMounts(now)
	s := w.machine.Compare(w.LastMark(), now)
	if s == nil {
		return nil
	}
	return w.newFlight(ctx, s, turn, now)
}

// compare has a step of a comparison made, and takes in how it ended.
func (w *Worker) compare(f *flight) {
	defer f.cancel()
	canceled := &remote.Failure{Kind: remote.Canceled}
	end := remote.StepEnd{Failure: canceled}
	c := w.comparer(f)
	if w.Guard(f.Order.Mark) == "" {
		a := &asker{w: w, flight: f}
		end = c.Step(f.ctx, f.Order, a)
		if end.Failure == nil && a.Root() != "" {
			end.Failure = canceled // it may have looked into nothing
		}
	}
	if end.Failure != nil && end.Failure.Kind != remote.Canceled {
		w.Log.Info("Cannot compare", zap.Error(end.Failure))
	}
	w.mu.Lock()
	delete(w.flights, f)
	before := w.machine.Verified()
	again := w.machine.EndStep(f.Sending, end, w.NextMark(), w.World.Now())
	verified := w.machine.Verified()
	if end.Failure != nil && !again {
		delete(w.comparers, f.Order.Comparison.ID)
		defer c.Close()
	}
	w.mu.Unlock()
	givenUp := end.Part != nil && end.Part.Last && verified.Ended.Equal(before.Ended)
	if end.Failure == nil && end.Part != nil && f.Order.Comparison.Checksum && !givenUp {
		w.tellVerified(f, end.Part, verified)
	}
	w.wakeUp()
	w.Changed(true)
}

// comparer is who makes the steps of the comparison that a flight is about.
func (w *Worker) comparer(f *flight) remote.Comparer {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := f.Order.Comparison.ID
	c := w.comparers[id]
	if c == nil {
		known := func(ctx context.Context) (remote.Known, bool) {
			w.await(ctx, w.AfterChanges, knownTime)
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.machine.Known(id)
		}
		c = w.Carrier.Compare(*f.Order.Comparison, filepath.Join(w.Comparisons, id), known)
		w.comparers[id] = c
	}
	return c
}

// knownTime bounds the wait for what the watcher has to tell of changes that a comparison
// may have found: it may have to look at directories for that.
const knownTime = time.Minute

// await waits until all is marked that has happened so far, of which after tells, though
// not for longer than limit.
func (w *Worker) await(ctx context.Context, after func(do func()), limit time.Duration) (told bool) {
	done := make(chan struct{})
	after(func() { close(done) })
	return w.World.Await(ctx, done, limit)
}

// dropComparers closes those whose comparisons nobody waits for any more. The caller
// holds mu.
func (w *Worker) dropComparers() {
	for id, c := range w.comparers {
		if !w.machine.Compares(id) {
			c.Close()
			delete(w.comparers, id)
		}
	}
}
