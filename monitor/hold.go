package monitor

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/report"
)

// The life of a hold. At first nobody is told: what tools clear away and make anew is
// there again a moment later. Then it is shown, until the user approves it or all of
// it is there again.
const (
	// holdDelay is how long deletions wait, from the first of them on, before they
	// are called held.
	holdDelay = 3 * time.Second
	// holdQuiet is how long no more must have come by then, and holdLimit bounds
	// the wait for that.
	holdQuiet = 500 * time.Millisecond
	holdLimit = 30 * time.Second
	// restateInterval is how often the reason is found anew while the workspace
	// changes.
	restateInterval = time.Second
)

// hold is a set of deletions that waits for the user's approval.
type hold struct {
	// id is the name of what is shown, "" while nothing is: a new one when more is
	// held, and the same as long as there is only less.
	id string
	// verdict is the first one, reason what is shown of it: it is found anew when
	// the workspace changes.
	verdict guard.Verdict
	reason  string
	// names are the entries that would be deleted, each once, whoever found it. most
	// is how many counted when they were most; sample are some of them.
	names  guard.Names
	most   int
	sample []string
	// before is how many others that count had gone a moment before it was shown.
	before int
	// entries are the paths that are gone; pass: deletions of a full pass are
	// held as well or instead.
	entries []*dirty.Entry
	pass    *dirty.Entry
	// all: nothing at all may be sent, because the destination holds what may
	// be somebody else's.
	all bool
	// back are names of it to which something has happened since: they may be there
	// again.
	back map[string]bool
	// grown is when names were last added, checked when the reason was found.
	grown, checked time.Time
}

// isShown tells that the user is told of the hold: not before it is sure that it is
// one.
func (h *hold) isShown() bool { return h.id != "" && len(h.back) == 0 }

// rename gives the hold a new ID, which no other has, in this monitor or an earlier
// one.
func (h *hold) rename() { h.id = strconv.FormatInt(time.Now().UnixNano(), 36) }

// report is the hold as the status shows it.
func (h *hold) report() *report.Held {
	return &report.Held{ID: h.id, Count: h.names.Len(), Sample: h.sample[:min(len(h.sample), sampleSize)], Reason: h.reason}
}

// batch is what is held.
func (h *hold) batch() dirty.Batch { return dirty.Batch{Everything: h.pass, Entries: h.entries} }

// add merges a later hold into h, and tells whether there is more in it than before.
// Beyond the size that a dirty set may have, the entries become a full pass.
func (h *hold) add(other *hold) (grew bool) {
	before := h.names.Len()
	known := make(map[string]*dirty.Entry, len(h.entries))
	for _, e := range h.entries {
		known[e.Path] = e
	}
	for _, e := range other.entries {
		if k := known[e.Path]; k != nil {
			k.Change |= e.Change
			k.Seq = min(k.Seq, e.Seq)
			continue
		}
		h.entries = append(h.entries, e)
	}
	if len(h.entries) > dirty.Limit && h.pass == nil {
		seq, since, _ := dirty.Batch{Entries: h.entries}.Oldest()
		h.pass, h.entries = &dirty.Entry{Seq: seq, Since: since}, nil
	}
	if other.pass != nil {
		// The list of a full pass has all that is to be deleted.
		grew = !other.names.Within(h.names)
		h.pass, h.names, h.sample, h.all = other.pass, other.names, other.sample, h.all || other.all
	} else {
		for _, name := range other.sample {
			if len(h.sample) < sampleReserve && !h.names.Has(name) {
				h.sample = append(h.sample, name)
			}
		}
		h.names.AddAll(other.names)
	}
	h.most = max(h.most, h.names.Counted())
	return grew || h.names.Len() > before
}

// holdBack keeps deletions until the user decides, or they are there again; the
// caller holds mu.
func (w *worker) holdBack(h *hold, now time.Time) {
	if w.hold == nil {
		h.most, h.grown = h.names.Counted(), now
		w.hold = h
		if h.all {
			h.reason = h.verdict.Reason
			h.rename()
		}
		return
	}
	if !w.hold.add(h) {
		return // the same again, which keeps its ID
	}
	w.hold.grown, w.hold.checked = now, time.Time{}
	if w.hold.id != "" {
		w.hold.rename()
	}
}

// heldBatch is what is held; the caller holds mu.
func (w *worker) heldBatch() dirty.Batch {
	var batch dirty.Batch
	if w.hold != nil {
		batch = w.hold.batch()
	}
	if w.unreachable != nil {
		batch.Entries = append(slices.Clip(batch.Entries), w.unreachable.entries...)
	}
	return batch
}

// noteBack takes in that something has happened to a path; the caller holds mu.
func (w *worker) noteBack(path string) {
	if w.hold == nil || w.hold.all || !w.hold.names.Has(path) {
		return
	}
	if w.hold.back == nil {
		w.hold.back = make(map[string]bool)
	}
	w.hold.back[path] = true
}

// holdDue is when the hold is to be looked at next; the caller holds mu.
func (w *worker) holdDue() (at time.Time, ok bool) {
	h := w.hold
	switch {
	case h == nil || h.all:
		return time.Time{}, false
	case len(h.back) > 0:
		return time.Time{}, true
	case h.id != "":
		return h.checked.Add(restateInterval), w.changedAt.After(h.checked)
	}
	_, since, _ := h.batch().Oldest()
	at = h.grown.Add(holdQuiet)
	if limit := since.Add(holdLimit); limit.Before(at) {
		at = limit
	}
	if first := since.Add(holdDelay); first.After(at) {
		at = first
	}
	return at, true
}

// lookAtHold takes out of the hold what is there again. Otherwise it judges what is
// held anew and shows it, or lets it go if it is nothing to hold any more; or it finds
// the reason anew of what is shown. It is called without mu.
func (w *worker) lookAtHold(now time.Time) {
	w.mu.Lock()
	h := w.hold
	if h == nil || h.all {
		w.mu.Unlock()
		return
	}
	back, limits := h.back, w.limits
	h.back = nil
	most, shown := h.most, h.id != ""
	d := guard.Deletions{Entries: h.names.Len(), Counted: h.names.Counted(), Settled: true, Quiet: true}
	if d.RecentCounted = h.before; !shown {
		d.RecentCounted = w.recentDeletions(now).counted
	}
	w.mu.Unlock()

	if len(back) > 0 {
		there := w.findBack(back)
		w.mu.Lock()
		if w.hold == h {
			w.takeBack(there, now)
		}
		w.mu.Unlock()
		return
	}
	workspace := w.lane.workspace()
	var verdict guard.Verdict
	if !shown {
		verdict = guard.Judge(limits, d, workspace)
	}
	reason := verdict.Reason
	if shown {
		reason = guard.Restate(limits, h.verdict, most, d, workspace)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.hold != h:
	case !shown && verdict.Action == guard.Allow:
		w.release(false, now)
	default:
		h.reason, h.checked = reason, now
		if !shown {
			h.verdict, h.before = verdict, d.RecentCounted
			h.rename()
			w.log.Warn("Deletions are held", zap.String("reason", reason), zap.Int("deletions", h.names.Len()))
		}
	}
}

// findBack returns those of the paths that exist, with all that is below them.
func (w *worker) findBack(paths map[string]bool) (there []string) {
	for p := range paths {
		filepath.WalkDir(filepath.Join(w.lane.root, filepath.FromSlash(p)), func(path string, e fs.DirEntry, err error) error {
			if e == nil {
				return nil // it is gone
			}
			if name, err := filepath.Rel(w.lane.root, path); err == nil {
				there = append(there, filepath.ToSlash(name))
			}
			return nil
		})
	}
	return there
}

// takeBack takes names out of the hold, which are there again, and ends it with the
// last of them. The caller holds mu.
func (w *worker) takeBack(there []string, now time.Time) {
	h := w.hold
	files := make(map[string]bool, len(there))
	for _, name := range there {
		if h.names.Remove(name) {
			files[name] = true
		}
	}
	if len(files) == 0 {
		return
	}
	h.checked = time.Time{}
	h.sample = slices.DeleteFunc(slices.Clone(h.sample), func(name string) bool { return !h.names.Has(name) })
	if h.names.Len() == 0 {
		w.release(false, now)
		return
	}
	// A directory may still lack what was in it, and stays until that is there, too.
	var returned []*dirty.Entry
	h.entries = slices.DeleteFunc(slices.Clone(h.entries), func(e *dirty.Entry) bool {
		if !files[e.Path] {
			return false
		}
		info, err := os.Lstat(filepath.Join(w.lane.root, filepath.FromSlash(e.Path)))
		if err != nil || info.IsDir() {
			return false
		}
		returned = append(returned, e)
		return true
	})
	w.set.Restore(dirty.Batch{Entries: returned}, now)
}

// release puts held deletions back into the set, approved by the user or to be
// judged anew. The caller holds mu.
func (w *worker) release(approved bool, now time.Time) {
	h := w.hold
	if h == nil {
		return
	}
	w.hold = nil
	if approved {
		n := h.names.Len()
		if h.pass != nil {
			h.pass.Approved = n
		}
		for _, e := range h.entries {
			e.Approved = n
		}
		if w.approved != nil {
			h.names.AddAll(*w.approved)
		}
		w.approved, w.approvedAt = &h.names, now
		w.approvals++
		w.deletions = nil
	}
	w.set.Restore(h.batch(), now)
}

// endApproval forgets what was approved when it is gone, and nothing is to be expected
// any more that went with it. The caller holds mu, and no batch is under way.
func (w *worker) endApproval(now time.Time) {
	if w.approved != nil && now.Sub(w.approvedAt) > deletionWindow && !w.set.Approved() {
		w.approved = nil
	}
}
