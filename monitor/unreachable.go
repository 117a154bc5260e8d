package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
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
	below, turn := w.mounted.now()
	if err := w.memory.compare(below, turn); err != nil {
		w.log.Warn("Only this monitor knows of them", zap.Error(err))
	}
	if w.unreachable != nil && !slices.Equal(w.unreachable.away, w.memory.away) {
		w.judgeUnreachable(now)
	}
	return w.memory.away, turn
}

// sameMounts tells that nothing was mounted or unmounted since turn.
func (w *worker) sameMounts(turn uint64) bool {
	_, now := w.mounted.now()
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
	if err := w.memory.forget(paths); err != nil {
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
	places := unreachablePlaces(t.away, t.lane.lstat)
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

// unreachablePlaces are the paths at which something is not reachable: where it was
// mounted, or what is missing of the directories that led there. A directory comes
// without those in it.
func unreachablePlaces(away []string, lstat func(string) (fs.FileInfo, error)) []string {
	var places []string
	for _, path := range away {
		place := path
		for i := range path {
			if path[i] != '/' {
				continue
			}
			info, err := lstat(path[:i])
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir() {
				place = path[:i]
				break
			}
		}
		places = append(places, place)
	}
	slices.SortFunc(places, func(a, b string) int { return strings.Compare(a+"/", b+"/") })
	var tops []string
	for _, p := range places {
		if len(tops) == 0 || !relpath.Within(p, tops[len(tops)-1]) {
			tops = append(tops, p)
		}
	}
	return tops
}
