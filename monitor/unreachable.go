package monitor

import (
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/mounts"
	"wsync/monitor/relpath"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// unreachable is what a remote holds of file systems that are mounted no longer. It
// is neither sent nor deleted, until they are back or the user approves. All else
// goes on, other deletions as well.
type unreachable struct {
	away    []string // where they were mounted
	entries []*dirty.Entry
	held    *report.Held
}

// unreachableReason says what is unreachable.
func unreachableReason(away []string) string {
	if len(away) == 1 {
		return away[0] + " was on a file system that is no longer mounted"
	}
	return fmt.Sprintf("%s and %d more were on file systems that are no longer mounted", away[0], len(away)-1)
}

// lookAtMounts returns where something was mounted that is not any more, and the
// turn of the mountTable by which that is so. What is held for others is to be judged
// anew. The caller holds mu.
func (w *worker) lookAtMounts(now time.Time) (away []string, turn uint64) {
	below, turn := w.mounted.Now()
	if err := w.memory.Compare(below, turn); err != nil {
		w.log.Warn("Only this monitor knows of them", zap.Error(err))
	}
	if w.unreachable != nil && !slices.Equal(w.unreachable.away, w.memory.Away) {
		w.judgeUnreachable(now)
	}
	return w.memory.Away, turn
}

// sameMounts tells that nothing was mounted or unmounted since turn.
func (w *worker) sameMounts(turn uint64) bool {
	_, now := w.mounted.Now()
	return now == turn
}

// judgeUnreachable puts what is held as unreachable back into the set, to be judged
// anew. The caller holds mu.
func (w *worker) judgeUnreachable(now time.Time) {
	if u := w.unreachable; u != nil {
		w.unreachable = nil
		w.set.Restore(dirty.Batch{Entries: u.entries}, now)
	}
}

// approveUnreachable takes what is unreachable for deleted, by the user's word. The
// caller holds mu.
func (w *worker) approveUnreachable(now time.Time) {
	u := w.unreachable
	for _, e := range u.entries {
		e.Approved = u.held.Count
	}
	w.forgetMounts(u.away)
	w.judgeUnreachable(now)
}

func (w *worker) forgetMounts(paths []string) {
	if err := w.memory.Forget(paths); err != nil {
		w.log.Warn("It will be asked for again", zap.Error(err))
	}
}

// holdUnreachable takes in what a transfer has found unreachable; the caller holds
// mu.
func (w *worker) holdUnreachable(found *unreachable) {
	if u := w.unreachable; u != nil {
		known := make(map[string]bool, len(u.entries))
		for _, e := range u.entries {
			known[e.Path] = true
		}
		found.entries = slices.DeleteFunc(found.entries, func(e *dirty.Entry) bool { return known[e.Path] })
		found.entries = append(u.entries, found.entries...)
		if found.held == nil || found.held.Count == u.held.Count && found.held.Reason == u.held.Reason {
			found.held = u.held // the same, which keeps its ID
		}
	}
	w.unreachable = found
}

// setApart takes out of the batch what is on file systems that are mounted no
// longer, and has all that follows leave it alone on both sides. If the remote
// holds nothing that would have to go, there is nothing to be careful about.
func (t *transfer) setApart() {
	if len(t.away) == 0 {
		return
	}
	places := mounts.Places(t.away, t.lane.lstat)
	within := func(path string) bool {
		return slices.ContainsFunc(places, func(place string) bool { return relpath.Within(path, place) })
	}
	found := &unreachable{away: t.away}
	if t.batch.Everything != nil || !t.awayHeld {
		if found.held = t.countUnreachable(places); t.out.err != nil {
			return
		}
		if found.held == nil {
			t.out.reachable = t.away
			return
		}
	}
	if slices.ContainsFunc(t.batch.Moves, func(m dirty.Move) bool {
		return slices.ContainsFunc(places, func(place string) bool {
			return within(m.From) || within(m.To) || relpath.Within(place, m.From) || relpath.Within(place, m.To)
		})
	}) {
		t.batch = t.batch.Settled()
	}
	seq, since, _ := t.batch.Oldest()
	var rest []*dirty.Entry
	for _, e := range t.batch.Entries {
		if within(e.Path) {
			found.entries = append(found.entries, e)
		} else {
			rest = append(rest, e)
		}
	}
	if !t.awayHeld {
		for _, place := range places {
			found.entries = append(found.entries, &dirty.Entry{Path: place, Change: watch.Entry | watch.Content | watch.Tree, Seq: seq, Since: since})
		}
	}
	t.batch.Entries = rest
	t.endpoint.Unreachable = places
	t.out.unreachable = found
}

// countUnreachable counts what would be deleted at places; nil for nothing.
func (t *transfer) countUnreachable(places []string) *report.Held {
	found := &tally{tools: t.lane.tools}
	list, ok := t.tallied(rsync.CountDeletions(t.endpoint, places), found)
	if list.said.MissingDestination {
		t.out.err, t.out.hint = nil, ""
		return nil
	}
	if !ok || list.Deleted == 0 && list.verdict == rsync.Done {
		return nil
	}
	// Where something cannot be read, nobody knows how much it is.
	h := found.hold(guard.Verdict{})
	h.reason = unreachableReason(t.away)
	h.rename()
	held := h.report()
	held.Unmounted = t.away
	return held
}

// mountsChanged is called by the watcher when something was mounted or unmounted.
func (m *mirror) mountsChanged() {
	m.each(func(w *runningWorker, seq uint64, now time.Time) { w.mountsChanged(seq, now) })
}

// mountsChanged ends a transfer that may have seen half of it.
func (w *worker) mountsChanged(seq uint64, now time.Time) {
	w.mu.Lock()
	before := w.memory.Away
	away, _ := w.lookAtMounts(now)
	for _, path := range away {
		if slices.Contains(before, path) {
			continue
		}
		w.set.Mark(path, watch.Entry|watch.Content|watch.Tree, seq, now)
		if w.cancel != nil {
			w.cancel()
		}
	}
	w.mu.Unlock()
	w.poke()
}
