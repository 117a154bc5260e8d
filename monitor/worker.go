package monitor

import (
	"context"
	"math"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/mounts"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// worker keeps one remote equal to the workspace. Its goroutine takes batches
// from the dirty set, lets the lane transfer them, and puts back what is not
// proven. Workers share the watcher, and looks at the workspace, but no work for
// a remote, so none can delay another.
type worker struct {
	log  *zap.Logger
	lane *lane
	// exclude are the workspace's rules.
	exclude exclude.Rules
	// guard has the root looked at before marks up to one are sent; why nothing may
	// be, or "".
	guard   func(mark uint64) string
	nextSeq func() uint64 // numbers a new mark
	// changed tells the reporter, which is to report at once or soon; it must not
	// block.
	changed func(atOnce bool)
	lastSeq func() uint64 // the number of the last mark
	// afterEvents calls back when all that events tell of from before is marked; it
	// must be called without mu.
	afterEvents func(do func())
	wake        chan struct{} // one token: something changed for the loop

	mu sync.Mutex // guards everything below
	// From the definition.
	remote config.Remote
	paused bool
	orders report.Orders
	// halt says why nothing may be sent at all, "" if it may.
	halt string

	set      *dirty.Set
	inFlight dirty.Batch
	// confirmations are what the direct lane brought in line and rsync has not
	// compared yet.
	confirmations remote.Confirmations
	// sought are files of which other names are looked for.
	sought   sought
	endings  remote.Endings
	gitLocks gitLocks
	barriers remote.Barriers
	// unanswered: barriers came that nobody has looked at.
	unanswered bool
	// cancel ends the running transfer; nil when none runs.
	cancel   context.CancelFunc
	transfer report.Transfer

	// phase is that of slot.
	phase time.Duration
	// failures counts the failed transfers in a row, failure the last one.
	failures  int
	failure   outcome
	failedAt  time.Time
	retryAt   time.Time
	changedAt time.Time // of the last mark
	// burstSince is when the set had so many paths that they are a burst, zero
	// while it has not.
	burstSince time.Time

	// hold are the deletions that wait for approval, nil for none; deletions are
	// those carried out lately.
	hold      *hold
	deletions []deletion
	limits    guard.Limits
	// unreachable is what is held because its file system is not mounted any more,
	// nil for nothing; see mounts.Memory and mountTable.
	unreachable *unreachable
	memory      mounts.Memory
	mounted     *mounts.Table
	// approved are deletions that the user has approved, nil for none; no name is
	// added to it. approvedAt is when that was, and approvals counts it.
	approved    *guard.Names
	approvedAt  time.Time
	approvals   int
	lastSuccess time.Time
	passes      remote.Passes
	// met is another mirror that was found at the destination, nil for none, and
	// meeting how the status shows it; takeOver are those that are to give way.
	met      *meeting
	meeting  *report.Held
	takeOver []string
	// adopted: what the destination holds is known not to be anybody else's;
	// replaced: it is another directory since.
	adopted, replaced bool
	// cleanAsOf is until when the remote is known to equal the workspace, zero
	// for not at all; stamp is the file that remembers it, stampedAt when it was
	// written last.
	cleanAsOf time.Time
	stamp     string
	stampedAt time.Time
	everArmed bool
	strategy  []string

	state report.State
	since time.Time
}

// excluded says what is not mirrored to this remote; the caller holds mu.
func (w *worker) excluded() exclude.Rules { return w.exclude.At(w.remote) }

// mark makes a path dirty.
func (w *worker) mark(path string, change watch.Change, seq uint64, now time.Time) {
	w.mu.Lock()
	if path, change = w.excluded().Change(path, change); change == 0 {
		w.mu.Unlock()
		return
	}
	if path == "" && change&watch.Tree != 0 {
		w.everything(remote.PassEvents, seq, now, now)
	} else {
		w.set.Mark(path, change, seq, now)
	}
	w.noteBack(path)
	w.changedAt = now
	w.mu.Unlock()
	w.poke()
}

// markMoved makes a rename due on the remote, where that can be: there is a lane
// for it, and nothing that is under way has seen one of the names. Otherwise
// both names are dirty: the new one first, so that nobody finds neither.
func (w *worker) markMoved(from, to string, change watch.Change, repeatable bool, seq uint64, now time.Time) {
	dir := change&watch.Tree != 0
	w.mu.Lock()
	if excluded := w.excluded(); excluded.Excludes(from) || excluded.Excludes(to) {
		w.mu.Unlock()
		w.mark(to, change, seq, now)
		w.mark(from, change, seq, now)
		return
	}
	if repeatable && w.canMove(from, to) && w.set.Move(from, to, dir, seq, now) {
		w.confirmations.Moved(from, to)
	} else {
		w.set.Mark(to, change, seq, now)
		w.set.MarkMoved(from, to, change, seq, now)
	}
	w.noteBack(to)
	w.changedAt = now
	w.mu.Unlock()
	w.poke()
}

// markEverything makes a full pass due at notBefore.
func (w *worker) markEverything(reason remote.PassReason, seq uint64, now, notBefore time.Time) {
	w.mu.Lock()
	w.everything(reason, seq, now, notBefore)
	w.mu.Unlock()
	w.poke()
}

// everything marks a full pass; the caller holds mu.
func (w *worker) everything(reason remote.PassReason, seq uint64, now, notBefore time.Time) {
	w.passes.Because(reason, w.set.Everything())
	w.set.MarkEverything(seq, now, notBefore)
}

// define takes in a new definition of the remote.
func (w *worker) define(r config.Remote, workspacePaused bool, settings report.Settings, orders report.Orders, proof, seq uint64, now time.Time) {
	w.mu.Lock()
	w.passes.SetInterval(settings.FullPassInterval)
	w.limits.Share, w.limits.Count = settings.HoldDeletionsShare, settings.HoldDeletionsCount
	w.remote = r
	w.paused = workspacePaused || r.Paused
	w.adopted = w.adopted || !r.AdoptionPending
	w.set.SkipParked(r.SkipUnsupported)
	if orders.Resync != w.orders.Resync {
		w.everything(remote.PassVerify, seq, now, now)
		w.hurry(now)
	}
	if orders.Retry != w.orders.Retry {
		w.met = nil // to be found again
		w.hurry(now)
		w.lane.reset(w.failures > 0)
		w.release(false, now)
		w.judgeUnreachable(now)
	}
	if w.unreachable != nil && orders.Approve == w.unreachable.held.ID {
		w.approveUnreachable(now)
	}
	if w.hold != nil && w.hold.id != "" && orders.Approve == w.hold.id {
		w.release(true, now)
	}
	if w.met != nil && orders.Approve == w.meeting.ID {
		w.takeOver, w.retryAt = w.met.ids, time.Time{}
	}
	w.orders = orders
	w.barriers.Wanted = proof
	if w.paused && w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	w.poke()
}

// hurry ends all waits after failures; the caller holds mu.
func (w *worker) hurry(now time.Time) {
	w.retryAt = time.Time{}
	w.set.Hurry(now)
	w.confirmations.Retry()
}

// setHalt stops transfers with a reason, or lets them go on with "": with a
// full pass, because what happened meanwhile is not known.
func (w *worker) setHalt(reason string, seq uint64, now time.Time) {
	w.mu.Lock()
	w.halt = reason
	switch {
	case reason == "":
		w.everything(remote.PassEvents, seq, now, now)
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
	w.changed(false)
}

// run is the worker's goroutine; it returns when ctx is done, with no child
// process left.
func (w *worker) run(ctx context.Context) {
	defer func() {
		w.mu.Lock()
		may := w.met == nil && !w.paused && w.halt == ""
		w.mu.Unlock()
		w.lane.leave(func() bool { return may && w.guard(math.MaxUint64) == "" })
		w.lane.close()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		w.mu.Lock()
		if w.everArmed && w.passes.TakeNext(now) {
			w.everything(remote.PassVerify, w.nextSeq(), now, now)
		}
		look, looking := w.holdDue()
		if looking && !look.After(now) {
			w.mu.Unlock()
			w.lookAtHold(now)
			w.changed(false)
			continue
		}
		at, ok := w.due(now)
		if ok && !at.After(now) {
			w.begin(ctx, now) // unlocks
			w.changed(false)
			continue
		}
		if w.unanswered {
			w.answer()
		}
		w.mu.Unlock()
		if looking && (!ok || look.Before(at)) {
			at, ok = look, true
		}
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
	// Two waits that do not need a look at all paths, of which there may be many.
	if retry := w.notBefore(now); retry.After(now) {
		return retry, true
	}
	if end := w.burstEnd(now); end.After(now) {
		return end, true
	}
	at, ok = w.set.Ripe()
	if ok {
		at = w.notBefore(at)
	}
	if confirm, due := w.confirmations.Due(); due && (!ok || confirm.Before(at)) {
		at, ok = w.notBefore(confirm), true
	}
	if pass, due := w.passes.Next(); due && (!ok || pass.Before(at)) {
		at, ok = w.notBefore(pass), true
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

// serves tells that the worker can go on with this definition of its remote:
// the destination is the same.
func (w *worker) serves(r config.Remote) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.remote.Destination() == r.Destination() && reflect.DeepEqual(w.remote.Connection, r.Connection) &&
		w.remote.DelayUpdates == r.DelayUpdates && w.remote.Trash == r.Trash && w.remote.ID == r.ID
}
