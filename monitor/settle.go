package monitor

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// freeRounds is how often something is done again at once, before there is a
// wait in between.
const freeRounds = 10

// begin takes a batch and transfers it. The caller holds mu; begin unlocks it.
func (w *worker) begin(ctx context.Context, now time.Time) {
	away, turn := w.lookAtMounts(now)
	if w.quiet(now) {
		w.set.EndDeferral(now)
	}
	w.endApproval(now)
	batch := w.holdLocked(w.set.Take(now), now)
	confirm := batch.Empty()
	if confirm {
		batch = w.confirmations.Take(now)
	}
	if batch.Empty() {
		w.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.cancel = cancel
	w.transfer = report.Transfer{Kind: "changes", Since: now, Paths: batch.Len()}
	switch {
	case confirm:
		w.transfer.Kind = "confirmation"
	case batch.Everything != nil:
		w.transfer.Kind = "full pass"
		w.inFlight = batch
	default:
		w.inFlight = batch
	}
	req := request{
		batch:    batch,
		remote:   w.remote,
		adopt:    !w.adopted || w.replaced,
		adopted:  w.adopt,
		limits:   w.limits,
		recent:   w.recentDeletions(now),
		settled:  w.settled(batch, now),
		holding:  w.hold != nil,
		approved: w.approved,
		bounds:   w.directBounds(),
		mark:     w.lastSeq(),
		confirm:  confirm,

		announced: w.announcer(),
		away:      away,
		root: func() string {
			if !w.sameMounts(turn) {
				return "what is mounted in it has changed"
			}
			return w.guard(math.MaxUint64)
		},
		awayHeld: w.unreachable != nil,

		takeOver: w.takeOver,
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
	reason := w.passes.Reason()
	if batch.Everything != nil && batch.Everything.Change&watch.Content != 0 {
		reason = remote.PassEvents // paths were folded into it
	}
	if reason != remote.PassVerify {
		req.since = w.cleanAsOf
	}
	approvals := w.approvals
	w.mu.Unlock()
	w.changed(false)

	out := outcome{err: context.Canceled}
	if w.guard(req.mark) == "" {
		out = w.lane.transfer(ctx, req, w.progress)
	}

	w.mu.Lock()
	defer w.afterEvents(w.noteEnd(batch, out.obstacles))
	w.cancel = nil
	if batch.Everything != nil {
		w.passes.Because(reason, true) // in case it goes back and merges with a later one
	}
	w.inFlight = dirty.Batch{}
	w.confirmations.End()
	w.transfer = report.Transfer{}
	if errors.Is(out.err, context.Canceled) {
		w.putBack(batch, confirm, now)
		w.leftovers(batch, now)
		w.confirmations.AddLate(out.late, time.Now())
		w.mu.Unlock()
		return
	}
	if out.hold != nil && approvals != w.approvals {
		// It was judged before the user's word.
		out.again, out.hold = join(out.again, out.hold.batch()), nil
	}
	ended := time.Now()
	w.noteSent(batch, now, ended)
	w.settle(batch, confirm, out, reason, ended)
	w.noteClean(now)
	w.answer()
	w.mu.Unlock()
	w.logOutcome(batch, out, now)
	w.trace(batch, confirm, out, now)
}

// noteSent takes in what files cost that were sent while they were open. It comes
// before settle, which may put them back. The caller holds mu.
func (w *worker) noteSent(batch dirty.Batch, began, ended time.Time) {
	for _, e := range batch.Entries {
		if e.Change&watch.Open == 0 {
			continue
		}
		cost := ended.Sub(began)
		if info, err := w.lane.lstat(e.Path); err == nil {
			cost = min(cost, mostCost(info.Size()))
		}
		w.set.Sent(e.Path, cost, ended)
	}
}

// mostCost is what a file of so many bytes costs at most of a transfer that it had
// a part in.
func mostCost(size int64) time.Duration {
	const (
		least  = 100 * time.Millisecond
		second = 5 << 20 // bytes
	)
	return least + time.Duration(float64(size)/second*float64(time.Second))
}

// toldTime bounds the wait for what the watcher has to tell.
const toldTime = 5 * time.Second

// announcer returns what request.announced is. Events about what is in a new
// directory come before that of the directory, which is told when all of it is
// watched; so the first call waits until all that has happened so far is told. It
// is called without mu, and while the transfer runs, so that what is marked
// meanwhile is still in the set.
func (w *worker) announcer() func(ctx context.Context, path string) bool {
	told := false
	return func(ctx context.Context, path string) bool {
		if !told {
			done := make(chan struct{})
			w.afterEvents(func() { close(done) })
			select {
			case <-done:
				told = true
			case <-ctx.Done():
			case <-time.After(toldTime):
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.set.Announces(path)
	}
}

// adopt is called by the lane before it sends anything to a destination for the
// first time. That is told at once: what a pass leaves there that is interrupted
// must not be taken for somebody else's.
func (w *worker) adopt() {
	w.mu.Lock()
	w.adopted, w.replaced = true, false
	w.mu.Unlock()
	w.changed(true)
}

// progress is called by the lane while a transfer runs.
func (w *worker) progress(p rsync.Progress) {
	w.mu.Lock()
	w.transfer.Files, w.transfer.Bytes = p.Files, p.Bytes
	w.mu.Unlock()
	w.changed(false)
}

// settle takes in how a transfer ended: what it proved is clean, the rest is
// dirty again. The caller holds mu.
func (w *worker) settle(batch dirty.Batch, confirm bool, out outcome, reason remote.PassReason, now time.Time) {
	if len(out.strategy) > 0 {
		w.strategy = out.strategy
	}
	if out.err != nil && out.hold != nil && out.hold.pass == nil {
		out.hold = nil // its entries are in the batch, which goes back as a whole
	}
	if out.hold != nil {
		w.holdBack(out.hold, now)
	}
	w.replaced = w.replaced || out.replaced
	w.settleMeeting(out.met)
	seq, _, _ := batch.Oldest()
	// These passes are as old as the batch: whoever waits for that waits for
	// them, too.
	switch {
	case out.met != nil:
		w.everything(remote.PassLost, seq, now, now) // the other may have changed anything
	case out.lost, out.drifted && w.passes.Noticed(now):
		w.everything(remote.PassLost, seq, now, now)
		message := "The remote has lost something; a full pass follows"
		if !out.lost {
			message = "Somebody else has changed the destination; a full pass follows"
		}
		w.log.Warn(message)
	case out.broken:
		w.leftovers(batch, now)
	case out.misspelt:
		w.everything(remote.PassEvents, seq, now, now)
	}
	if out.err != nil {
		w.noteDeletions(out.deleted, now)
		w.failures++
		w.failure, w.failedAt = out, now
		limit := maxBackoff
		if out.attention {
			limit = attentionBackoff
		}
		if out.met != nil {
			limit = meetingBackoff
		}
		w.retryAt = now.Add(backoff(w.failures, limit))
		w.confirmations.AddLate(out.late, now)
		if confirm {
			w.confirmations.Failed(func(n int) time.Time { return now.Add(backoff(n, limit)) })
		}
		if e := batch.Everything; e != nil && !out.offline && !out.broken && w.adopted && !w.replaced {
			// The changes are not to wait for a pass that fails.
			e.Attempts, e.Problem, e.TriedAt = e.Attempts+1, out.err.Error(), now
			at := slot(now, w.phase, e.Attempts, limit)
			if alone := w.retryAt.Add(firstBackoff); at.Before(alone) {
				at = alone // they are tried once without it
			}
			w.set.Restore(dirty.Batch{Everything: e}, at)
			batch.Everything = nil
		}
		w.putBack(batch, confirm, now)
		return
	}
	w.failures, w.failure, w.retryAt = 0, outcome{}, time.Time{}
	if confirm {
		w.confirmations.Succeeded()
	}
	if out.hold == nil || !out.hold.all {
		w.lastSuccess = now
	}
	if !slices.ContainsFunc(batch.Entries, func(e *dirty.Entry) bool { return e.Cleared() }) {
		w.makeUp(out.created) // and not what was only renamed
	}
	w.noteDeletions(out.deleted, now)
	w.retryBelow(batch, now)
	w.settlePaths(out, now)
	if out.unreachable != nil {
		w.holdUnreachable(out.unreachable)
	}
	if len(out.reachable) > 0 {
		w.forgetMounts(out.reachable)
		w.judgeUnreachable(now)
	}
	w.addUnconfirmed(out.direct, now)
	if batch.Everything == nil || out.again.Everything != nil || out.hold != nil && out.hold.pass != nil {
		return
	}
	// A full pass that had nothing to hold has deleted all that was held before, but
	// for what it had to leave alone.
	if w.hold != nil {
		w.hold.pass = nil
		w.release(false, now)
	}
	w.passes.Done(reason, out.drift, now, jittered(w.passes.Interval))
}

// settleMeeting takes in which other mirror a transfer has found, if any. What is
// found anew after it was to give way needs another approval. The caller holds mu.
func (w *worker) settleMeeting(met *meeting) {
	if met == nil {
		w.met, w.meeting, w.takeOver = nil, nil, nil
		return
	}
	if w.met == nil || w.takeOver != nil || !slices.Equal(w.met.ids, met.ids) {
		w.meeting = &report.Held{ID: strconv.FormatInt(time.Now().UnixNano(), 36), Other: met.other, Reason: "another mirror has the same destination"}
	}
	w.met, w.takeOver = met, nil
}

// putBack returns a batch to where it came from; the caller holds mu.
func (w *worker) putBack(batch dirty.Batch, confirm bool, now time.Time) {
	if confirm {
		w.confirmations.Restore(batch, now)
	} else {
		w.set.Restore(batch, now)
	}
}

// settlePaths puts back what is to be done again at once, and the paths that
// failed, each with a wait of its own. The caller holds mu.
func (w *worker) settlePaths(out outcome, now time.Time) {
	w.again(out.again, now)
	quiet := w.changedAt.Add(settleTime)
	if quiet.Before(now) {
		quiet = now
	}
	w.set.Defer(out.later, now, quiet)
	for _, e := range out.failed {
		e.TriedAt = now
		at := slot(now, w.phase, e.Attempts, maxBackoff)
		if e.Reason != "" {
			at = dirty.Never // but for full passes
		}
		w.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, at)
	}
}

// again puts back what is to be done again at once, unless that was so too often
// for the same. The caller holds mu.
func (w *worker) again(b dirty.Batch, now time.Time) {
	at := func(e *dirty.Entry) time.Time {
		if e.Rounds++; e.Rounds <= freeRounds {
			return now
		}
		return slot(now, w.phase, e.Rounds-freeRounds, maxBackoff)
	}
	if e := b.Everything; e != nil {
		w.set.Restore(dirty.Batch{Everything: e}, at(e))
	}
	for _, e := range b.Settled().Entries {
		w.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, at(e))
	}
}

// leftovers makes a full pass due after a transfer that was interrupted: the
// remote may have kept a temporary file. The caller holds mu.
func (w *worker) leftovers(batch dirty.Batch, now time.Time) {
	if seq, _, ok := batch.Oldest(); ok {
		w.everything(remote.PassEvents, seq, now, now)
	}
}

// noteClean remembers that nothing is open after a transfer that began at
// began. The caller holds mu.
func (w *worker) noteClean(began time.Time) {
	if w.set.Len() > 0 || w.set.Everything() || w.sought.files > 0 || !w.confirmations.None() || w.hold != nil || w.unreachable != nil || w.passes.Last.IsZero() {
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

// logOutcome writes one line per batch.
func (w *worker) logOutcome(batch dirty.Batch, out outcome, began time.Time) {
	fields := []zap.Field{zap.Int("paths", batch.Len()), zap.Bool("full_pass", batch.Everything != nil), zap.Duration("took", time.Since(began))}
	switch {
	case out.err != nil:
		w.log.Warn("Cannot transfer", append(fields, zap.Error(out.err), zap.String("hint", out.hint))...)
	case out.hold != nil:
		w.log.Info("Deletions are held back", append(fields, zap.String("reason", out.hold.verdict.Reason), zap.Int("deletions", out.hold.names.Len()))...)
	case out.unreachable != nil && out.unreachable.held != nil:
		w.log.Warn("Files are unreachable", append(fields, zap.String("reason", out.unreachable.held.Reason), zap.Int("deletions", out.unreachable.held.Count))...)
	case len(out.failed) > 0:
		w.log.Warn("Some paths failed", append(fields, zap.Int("failed", len(out.failed)),
			zap.String("path", out.failed[0].Path), zap.String("error", out.failed[0].Problem))...)
	case batch.Everything != nil:
		w.log.Info("Full pass done", append(fields, zap.Int("files", out.progress.Files), zap.Int64("bytes", out.progress.Bytes))...)
	}
}

// trace tells at the debug level where the time of a batch went: when its
// oldest change was hinted at, how long after that it was taken, had left, was
// visible by the remote's word, and was proven by rsync.
func (w *worker) trace(batch dirty.Batch, confirm bool, out outcome, taken time.Time) {
	_, hinted, ok := batch.Oldest()
	if !ok || out.err != nil || batch.Everything != nil || !w.log.Core().Enabled(zap.DebugLevel) {
		return
	}
	fields := []zap.Field{zap.Int("paths", batch.Len()), zap.Int("files", out.progress.Files), zap.Int64("bytes", out.progress.Bytes),
		zap.Time("hinted", hinted), zap.Duration("taken", taken.Sub(hinted))}
	for _, moment := range []struct {
		name string
		at   time.Time
	}{{"sent", out.sent}, {"visible", out.visible}, {"proven", out.proven}} {
		if !moment.at.IsZero() {
			fields = append(fields, zap.Duration(moment.name, moment.at.Sub(hinted)))
		}
	}
	message := "Batch done"
	if confirm {
		message = "Batch confirmed"
	}
	w.log.Debug(message, fields...)
}
