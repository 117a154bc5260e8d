package monitor

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// worker keeps one remote equal to the workspace. Its goroutine takes batches
// from the dirty set, lets the lane transfer them, and puts back what is not
// proven. Workers share nothing but the watcher, so none can delay another.
type worker struct {
	log     *zap.Logger
	lane    *lane
	guard   func() string // looks at the root; why nothing may be sent, or ""
	nextSeq func() uint64 // numbers a new mark
	changed func()        // tells the reporter; must not block
	wake    chan struct{} // one token: something changed for the loop

	mu sync.Mutex // guards everything below
	// From the definition.
	remote           config.Remote
	paused           bool
	orders           report.Orders
	fullPassInterval time.Duration
	// halt says why nothing may be sent at all, "" if it may.
	halt string

	set      *dirty.Set
	inFlight dirty.Batch
	// barriers are the requests to wait that are not answered yet, in order.
	barriers []barrier
	asked    uint64 // the last barrier
	reached  uint64 // the last barrier answered
	// cancel ends the running transfer; nil when none runs.
	cancel   context.CancelFunc
	transfer report.Transfer

	// rounds counts the transfers in a row that left something to do again.
	rounds int
	// failures counts the failed transfers in a row, failure the last one.
	failures  int
	failure   outcome
	failedAt  time.Time
	retryAt   time.Time
	changedAt time.Time // of the last mark

	// hold are the deletions that wait for approval, nil for none, and held is
	// how the status shows them; deletions are those carried out lately.
	hold         *hold
	held         *report.Held
	holdChecked  time.Time
	deletions    []deletion
	limits       deletionLimits
	lastSuccess  time.Time
	lastFullPass time.Time
	nextFullPass time.Time
	drift        int
	adopted      bool
	// cleanAsOf is until when the remote is known to equal the workspace, zero
	// for not at all; stamp is the file that remembers it, stampedAt when it was
	// written last.
	cleanAsOf time.Time
	stamp     string
	stampedAt time.Time
	everArmed bool
	reason    passReason
	strategy  []string

	state report.State
	since time.Time
}

// barrier is a request to wait: it is reached when no mark up to seq is open.
type barrier struct {
	n   uint64
	seq uint64
}

// linkedInterval is the least time between two full passes for the sake of
// files with several names.
const linkedInterval = 10 * time.Second

// freeRounds is how often something is done again at once, before there is a
// wait in between.
const freeRounds = 10

// deletion is that n entries were deleted.
type deletion struct {
	at time.Time
	n  int
}

// passReason is why a full pass is due. Only one that nothing announced finds
// drift.
type passReason int

const (
	passStart passReason = iota
	passEvents
	passVerify
)

// mark makes a path dirty.
func (w *worker) mark(path string, change watch.Change, seq uint64, now time.Time) {
	w.mu.Lock()
	if path == "" && change&watch.Tree != 0 {
		w.everything(passEvents, seq, now, now)
	} else {
		w.set.Mark(path, change, seq, now)
	}
	w.changedAt = now
	w.mu.Unlock()
	w.poke()
}

// markMoved makes both names of a renamed entry dirty: the new one first, so
// that nobody finds neither.
func (w *worker) markMoved(from, to string, change watch.Change, seq uint64, now time.Time) {
	w.mu.Lock()
	w.set.Mark(to, change, seq, now)
	w.set.MarkMoved(from, change, seq, now)
	w.changedAt = now
	w.mu.Unlock()
	w.poke()
}

// markEverything makes a full pass due at notBefore.
func (w *worker) markEverything(reason passReason, seq uint64, now, notBefore time.Time) {
	w.mu.Lock()
	w.everything(reason, seq, now, notBefore)
	w.mu.Unlock()
	w.poke()
}

// everything marks a full pass; the caller holds mu.
func (w *worker) everything(reason passReason, seq uint64, now, notBefore time.Time) {
	if !w.set.Everything() || reason < w.reason {
		w.reason = reason
	}
	w.set.MarkEverything(seq, now, notBefore)
}

// addBarrier answers barrier n when all marks up to seq are proven.
func (w *worker) addBarrier(n, seq uint64) {
	w.mu.Lock()
	w.barriers = append(w.barriers, barrier{n, seq})
	w.asked = n
	w.mu.Unlock()
	w.poke()
}

// define takes in a new definition of the remote.
func (w *worker) define(remote config.Remote, workspacePaused bool, orders report.Orders, seq uint64, now time.Time) {
	w.mu.Lock()
	w.remote = remote
	w.paused = workspacePaused || remote.Paused
	w.adopted = w.adopted || !remote.AdoptionPending
	if orders.Resync != w.orders.Resync {
		w.everything(passVerify, seq, now, now)
		w.retryAt = time.Time{}
	}
	if orders.Retry != w.orders.Retry {
		w.retryAt = time.Time{}
		w.lane.reset()
		w.release(false, now)
	}
	if w.held != nil && orders.Approve == w.held.ID {
		w.release(true, now)
	}
	w.orders = orders
	if w.paused && w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	w.poke()
}

// setHalt stops transfers with a reason, or lets them go on with "": with a
// full pass, because what happened meanwhile is not known.
func (w *worker) setHalt(reason string, seq uint64, now time.Time) {
	w.mu.Lock()
	w.halt = reason
	switch {
	case reason == "":
		w.everything(passEvents, seq, now, now)
	case w.cancel != nil:
		w.cancel()
	}
	w.mu.Unlock()
	w.poke()
}

// arm lets transfers begin: before the tree is watched, a pass could miss a
// change behind it.
func (w *worker) arm() {
	w.mu.Lock()
	w.everArmed = true
	w.mu.Unlock()
	w.poke()
}

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
	w.changed()
}

// run is the worker's goroutine; it returns when ctx is done, with no child
// process left.
func (w *worker) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		w.mu.Lock()
		if w.everArmed && !w.nextFullPass.IsZero() && !now.Before(w.nextFullPass) {
			w.everything(passVerify, w.nextSeq(), now, now)
			w.nextFullPass = time.Time{}
		}
		at, ok := w.due(now)
		if ok && !at.After(now) {
			w.begin(ctx, now) // unlocks
			w.releaseRestored(now)
			w.changed()
			continue
		}
		w.answer()
		w.mu.Unlock()
		wait := time.Hour
		if ok {
			wait = at.Sub(now)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
	}
}

// due is when the loop has something to do next; the caller holds mu.
func (w *worker) due(now time.Time) (at time.Time, ok bool) {
	if !w.everArmed || w.paused || w.halt != "" || w.hold != nil && w.hold.all {
		return time.Time{}, false
	}
	at, ok = w.set.Ripe()
	if ok {
		at = w.notBefore(at)
	}
	if !w.nextFullPass.IsZero() && (!ok || w.nextFullPass.Before(at)) {
		at, ok = w.notBefore(w.nextFullPass), true
	}
	return at, ok
}

// notBefore delays at by the back-off that is in force, which a new change
// shortens; the caller holds mu.
func (w *worker) notBefore(at time.Time) time.Time {
	if w.failures == 0 || w.retryAt.IsZero() {
		return at
	}
	retry := w.retryAt
	if w.changedAt.After(w.failedAt) {
		if soon := w.failedAt.Add(eager(w.failures)); soon.Before(retry) {
			retry = soon
		}
	}
	if retry.After(at) {
		return retry
	}
	return at
}

// begin takes a batch and transfers it. The caller holds mu; begin unlocks it.
func (w *worker) begin(ctx context.Context, now time.Time) {
	batch := w.set.Take(now)
	if batch.Empty() {
		w.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.cancel = cancel
	w.inFlight = batch
	w.transfer = report.Transfer{Kind: "changes", Since: now, Paths: batch.Len()}
	if batch.Everything != nil {
		w.transfer.Kind = "full pass"
	}
	req := request{
		batch:   batch,
		remote:  w.remote,
		adopt:   !w.adopted,
		limits:  w.limits,
		recent:  w.recentDeletions(now),
		settled: w.settled(batch, now),
		holding: w.hold != nil,
	}
	for _, e := range append(w.set.Failing(), batch.Entries...) {
		if !e.Failing() {
			continue
		}
		req.failing = append(req.failing, e)
		// A mode that cannot be set keeps nothing below it from being sent.
		if e.Change&^watch.Meta != 0 {
			req.except = append(req.except, e.Path)
		}
	}
	reason := w.reason
	if batch.Everything != nil && batch.Everything.Change&watch.Content != 0 {
		reason = passEvents // paths were folded into it
	}
	if reason != passVerify {
		req.since = w.cleanAsOf
	}
	w.mu.Unlock()
	w.changed()

	out := outcome{err: context.Canceled}
	if w.guard() == "" {
		out = w.lane.transfer(ctx, req, w.progress)
	}

	w.mu.Lock()
	w.cancel = nil
	w.inFlight = dirty.Batch{}
	w.transfer = report.Transfer{}
	if errors.Is(out.err, context.Canceled) {
		w.set.Restore(batch, now)
		w.leftovers(batch, now)
		w.mu.Unlock()
		return
	}
	w.settle(batch, out, reason, time.Now())
	w.noteClean(now)
	w.answer()
	w.mu.Unlock()
	w.logOutcome(batch, out, time.Since(now))
}

// leftovers makes a full pass due after a transfer that was interrupted: the
// remote may have kept a temporary file. The caller holds mu.
func (w *worker) leftovers(batch dirty.Batch, now time.Time) {
	if seq, _, ok := batch.Oldest(); ok {
		w.everything(passEvents, seq, now, now)
	}
}

// noteClean remembers that nothing is open after a transfer that began at
// began. The caller holds mu.
func (w *worker) noteClean(began time.Time) {
	if w.set.Len() > 0 || w.set.Everything() || w.hold != nil || w.lastFullPass.IsZero() {
		return
	}
	w.cleanAsOf = began.Add(-cleanMargin)
	if began.Sub(w.stampedAt) < stampInterval {
		return
	}
	w.stampedAt = began
	if err := writeStamp(w.stamp, w.cleanAsOf); err != nil {
		w.log.Debug("Cannot remember what is clean", zap.Error(err))
	}
}

// recentDeletions is how many entries were deleted lately; the caller holds mu.
func (w *worker) recentDeletions(now time.Time) int {
	n := 0
	for len(w.deletions) > 0 && now.Sub(w.deletions[0].at) > deletionWindow {
		w.deletions = w.deletions[1:]
	}
	for _, d := range w.deletions {
		n += d.n
	}
	return n
}

// settled tells that nothing changes right now, or that this has been waited
// for long enough; the caller holds mu.
func (w *worker) settled(batch dirty.Batch, now time.Time) bool {
	_, since, _ := batch.Oldest()
	return now.Sub(w.changedAt) >= settleTime || now.Sub(since) >= settleLimit
}

// release puts held deletions back into the set, approved by the user or to be
// judged anew. The caller holds mu.
func (w *worker) release(approved bool, now time.Time) {
	h := w.hold
	if h == nil {
		return
	}
	w.hold, w.held = nil, nil
	batch := dirty.Batch{Everything: h.pass, Entries: h.entries}
	if approved {
		if h.pass != nil {
			h.pass.Approved = h.count
		}
		for _, e := range h.entries {
			e.Approved = h.count
		}
		w.deletions = nil
	}
	w.set.Restore(batch, now)
}

// releaseRestored ends a hold when all that was gone is there again. It is
// called without mu.
func (w *worker) releaseRestored(now time.Time) {
	w.mu.Lock()
	if w.hold == nil || w.hold.pass != nil || now.Sub(w.holdChecked) < settleLimit {
		w.mu.Unlock()
		return
	}
	w.holdChecked = now
	checked, entries := w.hold, w.hold.entries
	w.mu.Unlock()
	lstat := rsync.LstatIn(w.lane.root)
	for _, e := range entries {
		if _, err := lstat(e.Path); err != nil {
			return
		}
	}
	w.mu.Lock()
	if w.hold == checked && len(checked.entries) == len(entries) {
		w.release(false, now)
	}
	w.mu.Unlock()
}

// serves tells that the worker can go on with this definition of its remote:
// the destination is the same.
func (w *worker) serves(r config.Remote) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.remote.Destination() == r.Destination() && reflect.DeepEqual(w.remote.Connection, r.Connection)
}

// progress is called by the lane while a transfer runs.
func (w *worker) progress(p rsync.Progress) {
	w.mu.Lock()
	w.transfer.Files, w.transfer.Bytes = p.Files, p.Bytes
	w.mu.Unlock()
	w.changed()
}

// settle takes in how a transfer ended: what it proved is clean, the rest is
// dirty again. The caller holds mu.
func (w *worker) settle(batch dirty.Batch, out outcome, reason passReason, now time.Time) {
	if len(out.strategy) > 0 {
		w.strategy = out.strategy
	}
	w.adopted = w.adopted || out.accepted
	if out.err != nil && out.hold != nil && out.hold.pass == nil {
		out.hold = nil // its entries are in the batch, which goes back as a whole
	}
	if out.hold != nil {
		w.holdBack(out.hold)
	}
	seq, _, _ := batch.Oldest()
	// These passes are as old as the batch: whoever waits for that waits for
	// them, too.
	switch {
	case out.lost:
		w.everything(passEvents, seq, now, now)
		w.log.Warn("The remote has lost something; a full pass follows")
	case out.broken:
		w.leftovers(batch, now)
	case out.linked:
		w.everything(passEvents, seq, now, w.lastFullPass.Add(linkedInterval))
	}
	if out.err != nil {
		w.failures++
		w.failure, w.failedAt = out, now
		limit := maxBackoff
		if out.attention {
			limit = attentionBackoff
		}
		w.retryAt = now.Add(backoff(w.failures, limit))
		w.set.Restore(batch, now)
		return
	}
	w.failures, w.failure, w.retryAt = 0, outcome{}, time.Time{}
	w.lastSuccess = now
	if out.deleted > 0 {
		w.deletions = append(w.deletions, deletion{now, out.deleted})
	}
	w.settlePaths(out, now)
	if batch.Everything == nil || out.again.Everything != nil || out.hold != nil && out.hold.pass != nil {
		return
	}
	// A full pass that had nothing to hold has deleted all that was held before.
	w.hold, w.held = nil, nil
	w.lastFullPass = now
	w.nextFullPass = now.Add(jittered(w.fullPassInterval))
	if reason == passVerify {
		w.drift += out.drift
	}
}

// settlePaths puts back what is to be done again at once, and the paths that
// failed, each with a wait of its own. The caller holds mu.
func (w *worker) settlePaths(out outcome, now time.Time) {
	again := now
	if out.again.Empty() {
		w.rounds = 0
	} else if w.rounds++; w.rounds > freeRounds {
		again = now.Add(backoff(w.rounds-freeRounds, maxBackoff))
	}
	w.set.Restore(out.again, again)
	w.set.Restore(out.later, now.Add(settleTime))
	for _, e := range out.failed {
		w.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, now.Add(backoff(e.Attempts, maxBackoff)))
	}
}

// holdBack keeps deletions until the user decides; the caller holds mu.
func (w *worker) holdBack(h *hold) {
	if w.hold != nil && h.pass != nil && h.count == w.hold.count && h.reason == w.hold.reason {
		w.hold.pass = h.pass
		return // the same again, which keeps its ID
	}
	if w.hold == nil {
		w.hold = h
	} else {
		w.hold.add(h)
	}
	w.held = w.hold.report()
}

// heldBatch is what is held; the caller holds mu.
func (w *worker) heldBatch() dirty.Batch {
	if w.hold == nil {
		return dirty.Batch{}
	}
	return dirty.Batch{Everything: w.hold.pass, Entries: w.hold.entries}
}

// answer reaches the barriers behind which nothing is open; the caller holds
// mu. While the workspace is halted, nothing is known about it.
func (w *worker) answer() {
	if len(w.barriers) == 0 || !w.everArmed || w.halt != "" {
		return
	}
	oldest, _, open := w.set.Oldest()
	for _, b := range []dirty.Batch{w.inFlight, w.heldBatch()} {
		if seq, _, ok := b.Oldest(); ok && (!open || seq < oldest) {
			oldest, open = seq, true
		}
	}
	for len(w.barriers) > 0 && (!open || oldest > w.barriers[0].seq) {
		w.reached = w.barriers[0].n
		w.barriers = w.barriers[1:]
		w.changed()
	}
}

// logOutcome writes one line per batch.
func (w *worker) logOutcome(batch dirty.Batch, out outcome, took time.Duration) {
	fields := []zap.Field{zap.Int("paths", batch.Len()), zap.Bool("full_pass", batch.Everything != nil), zap.Duration("took", took)}
	switch {
	case out.err != nil:
		w.log.Warn("Cannot transfer", append(fields, zap.Error(out.err), zap.String("hint", out.hint))...)
	case out.hold != nil:
		w.log.Warn("Deletions are held", append(fields, zap.String("reason", out.hold.reason), zap.Int("deletions", out.hold.count))...)
	case len(out.failed) > 0:
		w.log.Warn("Some paths failed", append(fields, zap.Int("failed", len(out.failed)),
			zap.String("path", out.failed[0].Path), zap.String("error", out.failed[0].Problem))...)
	case batch.Everything != nil:
		w.log.Info("Full pass done", append(fields, zap.Int("files", out.progress.Files), zap.Int64("bytes", out.progress.Bytes))...)
	default:
		w.log.Debug("Batch done", append(fields, zap.Int("files", out.progress.Files), zap.Int64("bytes", out.progress.Bytes))...)
	}
}
