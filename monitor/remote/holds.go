package remote

import (
	"slices"
	"time"

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

// holds are the deletions that wait for the user's word, and what became of those
// before.
type holds struct {
	*held     // nil for none
	approvals approvals
	// earlier: an earlier monitor held deletions, nobody knows which, and nobody has let
	// them go since.
	earlier bool
	// owed are those that are judged anew because the user has asked for that, and that
	// nobody has let go since.
	owed guard.Names
}

// settled takes in that nothing is left of what was ever held.
func (h *holds) settled() { h.earlier, h.owed = false, guard.Names{} }

// others reports whether deletions were held before those that are now, and nobody has let
// them go since, nor were they all there again.
func (h *holds) others() bool { return h.earlier || h.owed.Len() > 0 }

// unapproved is others, or that deletions are held.
func (h *holds) unapproved() bool { return h.others() || h.held != nil && !h.All }

// owe has what is held be owed, to be judged anew: a part of it may be held again, or
// none, since there is less of it at once.
func (h *holds) owe() {
	if h.held != nil && !h.All {
		h.owed.AddAll(h.Names)
	}
}

// held is a hold with its life so far.
type held struct {
	Hold
	// id is the name of what is shown, "" while nothing is: a new one when more is
	// held, and the same as long as there is only less.
	id string
	// reason is what is shown of the verdict: it is found anew when the workspace
	// changes.
	reason string
	// whole: a full pass has found it, which has left nothing alone.
	whole bool
	// most is how many of the names counted when they were most.
	most int
	// before is how many others that count had gone a moment before it was shown.
	before int
	// back are names of it to which something has happened since: they may be there
	// again.
	back map[string]bool
	// grown is when names were last added, checked when the reason was found.
	grown, checked time.Time
}

// isShown reports whether the user is told of the hold: not before it is sure that it
// is one.
func (h *held) isShown() bool { return h != nil && h.id != "" && len(h.back) == 0 }

// stopsAll reports whether nothing at all may be sent.
func (h *held) stopsAll() bool { return h != nil && h.All }

// batch is what is held.
func (h *held) batch() dirty.Batch {
	if h == nil {
		return dirty.Batch{}
	}
	return h.Batch()
}

// report is the hold as the status shows it.
func (h *held) report() *report.Held {
	return &report.Held{
		Overwritten: h.Overwritten, Overwrites: h.Overwrites, Missing: h.Missing,
		ID: h.id, Count: h.Names.Len() - h.Overwritten, Sample: h.Sample[:min(len(h.Sample), SampleSize)], Reason: h.reason,
	}
}

// add merges a later hold into h, and reports whether there is more in it than
// before. Beyond the size that a dirty set may have, the entries become a full pass.
func (h *Hold) add(other *Hold) (grew bool) {
	before := h.Names.Len()
	known := make(map[string]*dirty.Entry, len(h.Entries))
	for _, e := range h.Entries {
		known[e.Path] = e
	}
	for _, e := range other.Entries {
		if k := known[e.Path]; k != nil {
			k.Change |= e.Change
			k.Seq = min(k.Seq, e.Seq)
			continue
		}
		h.Entries = append(h.Entries, e)
	}
	if len(h.Entries) > dirty.Limit && h.Pass == nil {
		seq, since, _ := dirty.Batch{Entries: h.Entries}.Oldest()
		h.Pass, h.Entries = &dirty.Entry{Seq: seq, Since: since}, nil
	}
	if other.Pass != nil {
		// The list of a full pass has all that is to be deleted.
		grew = !other.Names.Within(h.Names)
		if h.Pass != nil {
			// What was held before is open from its mark on.
			other.Pass.Seq, other.Pass.Since = min(other.Pass.Seq, h.Pass.Seq), earlier(other.Pass.Since, h.Pass.Since)
		}
		h.Pass, h.All = other.Pass, h.All || other.All
		h.Overwritten, h.Overwrites, h.Missing = other.Overwritten, other.Overwrites, other.Missing
	}
	if other.Pass != nil && !other.Partial {
		h.Names, h.Sample = other.Names, other.Sample
	} else {
		for _, name := range other.Sample {
			if len(h.Sample) < SampleReserve && !h.Names.Has(name) {
				h.Sample = append(h.Sample, name)
			}
		}
		h.Names.AddAll(other.Names)
	}
	return grew || h.Names.Len() > before
}

// Merge is add for what one transfer finds.
func (h *Hold) Merge(other *Hold) { h.add(other) }

// touch takes in that something has happened to a path.
func (h *held) touch(path string) {
	if h == nil || h.All || !h.Names.Has(path) {
		return
	}
	if h.back == nil {
		h.back = make(map[string]bool)
	}
	h.back[path] = true
}

// due is when the hold is to be looked at next; changed is when the workspace last
// changed.
func (h *held) due(changed time.Time) (at time.Time, ok bool) {
	switch {
	case h == nil || h.All:
		return time.Time{}, false
	case len(h.back) > 0:
		return time.Time{}, true
	case h.id != "":
		return h.checked.Add(restateInterval), changed.After(h.checked)
	}
	_, since, _ := h.Batch().Oldest()
	at = h.grown.Add(holdQuiet)
	if limit := since.Add(holdLimit); limit.Before(at) {
		at = limit
	}
	if first := since.Add(holdDelay); first.After(at) {
		at = first
	}
	return at, true
}

// HoldLook is what has to be found out about a hold by a look at the workspace.
type HoldLook struct {
	// Back are paths that may be there again; then nothing else is asked.
	Back map[string]bool
	// Shown: the reason is to be found anew that the hold is shown with, which Was
	// the verdict about when Most of it counted.
	Shown     bool
	Was       guard.Verdict
	Most      int
	Limits    guard.Limits
	Deletions guard.Deletions

	of *held
}

// Judge answers what is asked but for Back.
func (l HoldLook) Judge(w guard.Workspace) (v guard.Verdict) {
	if l.Shown {
		return guard.Verdict{Action: guard.Hold, Reason: guard.Restate(l.Limits, l.Was, l.Most, l.Deletions, w)}
	}
	return guard.Judge(l.Limits, l.Deletions, w)
}

// take takes names out of a hold, which are there again, and whether each is a
// directory. It returns the entries that are not held any more. A directory may
// still lack what was in it, and stays until that is there, too.
func (h *held) take(there map[string]bool) (returned []*dirty.Entry, changed bool) {
	back := make(map[string]bool)
	for name, dir := range there {
		if h.Names.Remove(name) {
			back[name] = dir
		}
	}
	if len(back) == 0 {
		return nil, false
	}
	h.checked = time.Time{}
	h.Sample = slices.DeleteFunc(slices.Clone(h.Sample), func(name string) bool { return !h.Names.Has(name) })
	if h.Names.Len() == 0 {
		return nil, true
	}
	h.Entries = slices.DeleteFunc(slices.Clone(h.Entries), func(e *dirty.Entry) bool {
		dir, is := back[e.Path]
		if !is || dir {
			return false
		}
		returned = append(returned, e)
		return true
	})
	return returned, true
}

// add keeps deletions until the user decides, or they are there again. newID
// makes an ID.
func (h *holds) add(found *Hold, now time.Time, newID func() string) {
	if h.held == nil {
		h.held = &held{Hold: *found, whole: !found.Partial, most: found.Names.Counted(), grown: now}
		if found.All {
			h.reason, h.id = found.Verdict.Reason, newID()
		}
		return
	}
	grew := h.Hold.add(found)
	h.whole = h.whole || !found.Partial
	h.most = max(h.most, h.Names.Counted())
	if !grew {
		return // the same again, which keeps its ID
	}
	h.grown, h.checked = now, time.Time{}
	if h.id != "" {
		h.id = newID()
	}
}

// end ends the hold, approved by the user or to be judged anew, and returns what was
// held.
func (h *holds) end(approved bool, now time.Time) dirty.Batch {
	ended := h.held
	h.held = nil
	if approved {
		h.owed.RemoveAll(ended.Names)
		if ended.whole {
			h.earlier = false // the user has seen all of it
		}
		n := ended.Names.Len()
		if ended.Pass != nil {
			ended.Pass.Approved = n
		}
		approveEntries(ended.Entries, ended.Names, n)
		h.approvals.give(ended.Names, now)
	}
	return ended.Batch()
}

// approveEntries marks entries as approved, with so many names. What was to be done in the
// same transfer, and is none of these, is nothing that anybody has approved.
func approveEntries(entries []*dirty.Entry, names guard.Names, n int) {
	for _, e := range entries {
		e.Approved, e.Unlisted = n, !names.Has(e.Path)
	}
}
