package worker

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/hook"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// flight is a transfer under way.
type flight struct {
	*remote.Sending
	ctx    context.Context
	cancel context.CancelFunc
	// turn is that of the mounts when it was taken. taken is when that was, by the
	// machine's time, and began by the clock's.
	turn         uint64
	taken, began time.Time
}

// begin takes what is to be sent now; nil for nothing. The flight has to be carried.
// The caller holds mu.
func (w *Worker) begin(ctx context.Context, now time.Time) *flight {
	_, turn := w.lookAtMounts(now)
	s := w.machine.Send(repositories(w.Root), w.LastMark(), w.Carrier.Beside(), now)
	if s == nil {
		return nil
	}
	return w.newFlight(ctx, s, turn, now)
}

// newFlight is one for a transfer, or a step of a comparison, that was taken at now. The
// caller holds mu.
func (w *Worker) newFlight(ctx context.Context, s *remote.Sending, turn uint64, now time.Time) *flight {
	f := &flight{Sending: s, turn: turn, taken: now, began: w.World.Now()}
	f.ctx, f.cancel = context.WithCancel(ctx)
	w.flights[f] = true
	return f
}

// carry has the transfer carried out, and takes in how it ended.
func (w *Worker) carry(f *flight) {
	defer f.cancel()
	out := remote.Outcome{Failure: &remote.Failure{Kind: remote.Canceled}}
	if w.Guard(f.Order.Mark) == "" {
		out = w.Carrier.Transfer(f.ctx, f.Order, &asker{w: w, flight: f})
	}
	sizes := w.openSizes(f.Order.Batch)
	ended := w.World.Now()
	w.mu.Lock()
	delete(w.flights, f)
	if out.Unreachable != nil {
		w.lookAtMounts(ended) // it may be back
	}
	after := w.machine.End(f.Sending, out, sizes, ended)
	events := remote.Events(f.Order, out, after, f.began, ended, rsync.PathWords)
	root := w.machine.Root()
	w.forgetMounts(after.Forget)
	w.rememberPostponed()
	w.rememberLate()
	w.answer()
	w.mu.Unlock()
	w.AfterEvents(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		after.Marked()
	})
	w.remember(after.Stamp, root)
	if after.Pass != "" {
		w.Log.Warn("A full pass follows: " + after.Pass)
	}
	w.logOutcome(f.Order, out, f.taken)
	w.trace(f.Order, out, f.taken)
	w.wakeUp()
	w.Changed(false)
	w.Hook.Take(changedPaths(out.Record), out.Failure == nil)
	for _, e := range events {
		w.Happened(e)
		w.logEvent(e)
	}
}

// openSizes are the sizes of files of a batch that were open when it was taken.
func (w *Worker) openSizes(batch dirty.Batch) (sizes map[string]int64) {
	for _, e := range batch.Entries {
		if e.Change&watch.Open == 0 {
			continue
		}
		if info, err := w.Carrier.Lstat(e.Path); err == nil {
			if sizes == nil {
				sizes = make(map[string]int64)
			}
			sizes[e.Path] = info.Size()
		}
	}
	return sizes
}

// remember writes the stamp for the next monitor, which is about the directory root,
// unless it is zero.
func (w *Worker) remember(stamp time.Time, root *config.RootIdentity) {
	if stamp.IsZero() {
		return
	}
	if err := writeStamp(w.World, w.Stamp, root, stamp); err != nil {
		w.Log.Debug("Cannot remember what is clean", zap.Error(err))
	}
}

// rememberHold has the next monitor know whether deletions are held; the caller holds
// mu. What cannot be remembered is held all the same by this one.
func (w *Worker) rememberHold() {
	is := w.machine.Unapproved()
	if is == w.unapproved {
		return
	}
	w.unapproved = is
	if err := writeUnapproved(w.World, w.Stamp, is); err != nil {
		w.Log.Warn("Cannot remember what is held", zap.Error(err))
	}
}

// asker is asked while a transfer is under way; it implements remote.Asker.
type asker struct {
	w *Worker
	*flight
	told atomic.Bool // all is marked that had happened when Announced was called first
}

// now is what the machine's time has become since the flight was taken.
func (a *asker) now() time.Time { return a.taken.Add(a.w.World.Now().Sub(a.began)) }

// Root implements remote.Asker.
func (a *asker) Root() string {
	if !a.w.sameMounts(a.turn) {
		return "what is mounted in it has changed"
	}
	return a.w.Guard(math.MaxUint64)
}

// Adopted implements remote.Asker.
func (a *asker) Adopted() {
	a.w.tell((*remote.Machine).Adopted)
	a.w.Changed(true)
}

// Calm implements remote.Asker.
func (a *asker) Calm() remote.Calm {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.w.machine.Calm(a.Since, a.now())
}

// OnlyRsync implements remote.Asker.
func (a *asker) OnlyRsync(direct bool) {
	now := a.now()
	a.w.tell(func(m *remote.Machine) { m.OnlyRsync(a.Sending, direct, now) })
}

// Progress implements remote.Asker.
func (a *asker) Progress(p remote.Progress) {
	a.w.mu.Lock()
	a.w.machine.Progress(a.Sending, p, a.now())
	a.w.mu.Unlock()
	a.w.Changed(false)
}

// toldTime bounds the wait for what the watcher has to tell.
const toldTime = 5 * time.Second

// Told implements remote.Asker. What is marked meanwhile is still in the set.
func (a *asker) Told(ctx context.Context) bool { return a.w.await(ctx, a.w.AfterEvents, toldTime) }

// Announced implements remote.Asker. Events about what is in a new directory come
// before that of the directory, which is told when all of it is watched; so the first
// call waits until all that has happened so far is told.
func (a *asker) Announced(ctx context.Context, path string) bool {
	if !a.told.Load() && a.Told(ctx) {
		a.told.Store(true)
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.w.machine.Announces(path)
}

// changedPaths are those that a transfer has changed on the remote, or may have.
func changedPaths(r remote.Record) (paths hook.Paths) {
	for _, list := range []report.PathList{r.Sent, r.Renamed, r.Deleted, r.Unsure} {
		paths.AddList(list)
	}
	return paths
}

// logEvent writes to the log what people look for there by its name.
func (w *Worker) logEvent(e report.Event) {
	fields := []zap.Field{zap.Int("count", e.Count), zap.Strings("paths", e.Names())}
	switch e.Kind {
	case report.EventDeleted:
		message := "Deleted"
		if e.Unsure {
			message = "Deleted, as far as is known"
		}
		w.Log.Info(message, fields...)
	case report.EventRepaired:
		w.Log.Warn("Repaired what nothing had told of", fields...)
	case report.EventFailing:
		w.Log.Warn("Paths fail", fields...)
	}
}

// logOutcome writes one line about a batch that says more than its events.
func (w *Worker) logOutcome(o remote.Order, out remote.Outcome, began time.Time) {
	batch := o.Batch
	if out.Failure == nil && !o.Beside {
		w.levelOfFailure("")
	}
	fields := []zap.Field{zap.Int("paths", batch.Len()), zap.Bool("full_pass", batch.Everything != nil), zap.Duration("took", w.World.Now().Sub(began))}
	switch {
	case out.Failure != nil && out.Failure.Kind == remote.Canceled:
	case out.Failure != nil:
		w.Log.Log(w.levelOfFailure(out.Failure.Message), "Cannot transfer", append(fields, zap.Error(out.Failure), zap.String("hint", out.Failure.Hint))...)
	case out.Hold != nil:
		w.Log.Info("Deletions are held back", append(fields, zap.String("reason", out.Hold.Verdict.Reason), zap.Int("deletions", out.Hold.Names.Len()))...)
	case out.Unreachable != nil && out.Unreachable.Held != nil:
		w.Log.Warn("Files are unreachable", append(fields, zap.String("reason", out.Unreachable.Held.Reason), zap.Int("deletions", out.Unreachable.Held.Count))...)
	case len(out.Failed) > 0:
		w.Log.Debug("Some paths failed", append(fields, zap.Int("failed", len(out.Failed)),
			zap.String("path", out.Failed[0].Path), zap.String("error", out.Failed[0].Problem))...)
	case batch.Everything != nil:
		w.Log.Info("Full pass done", append(fields, zap.Int("files", out.Files), zap.Int64("bytes", out.Bytes))...)
	}
}

// levelOfFailure is how severe it is that a transfer failed, "" for one that did not: what
// fails the same way as the one before is no news.
func (w *Worker) levelOfFailure(message string) zapcore.Level {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.failure
	w.failure = message
	if message == before {
		return zap.DebugLevel
	}
	return zap.WarnLevel
}

// trace writes at the debug level where the time of a batch went: when its oldest
// change was hinted at, how long after that it was taken, had left, was acknowledged
// by the remote, and was verified by rsync.
func (w *Worker) trace(o remote.Order, out remote.Outcome, taken time.Time) {
	_, hinted, ok := o.Batch.Oldest()
	if !ok || out.Failure != nil || o.Batch.Everything != nil || !w.Log.Core().Enabled(zap.DebugLevel) {
		return
	}
	fields := []zap.Field{zap.Int("paths", o.Batch.Len()), zap.Int("files", out.Files), zap.Int64("bytes", out.Bytes),
		zap.Time("hinted", hinted), zap.Duration("taken", taken.Sub(hinted)), zap.Bool("beside", o.Beside)}
	for _, moment := range []struct {
		name string
		at   time.Time
	}{{"sent", out.Sent}, {"acknowledged", out.Acknowledged}, {"verified", out.Verified}} {
		if !moment.at.IsZero() {
			fields = append(fields, zap.Duration(moment.name, moment.at.Sub(hinted)))
		}
	}
	message := "Batch done"
	if o.Confirm {
		message = "Batch confirmed"
	}
	w.Log.Debug(message, fields...)
}
