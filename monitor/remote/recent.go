package remote

import "time"

// The rhythm of deletions. A few go at once; many wait until no more follow, so
// that they can be judged as a whole.
const (
	// deletionWindow is how long a deletion counts together with later ones.
	deletionWindow = time.Minute
	// togetherTime is the time in which deletions are one in recent.
	togetherTime = time.Second
	// settleTime in which no name comes or goes tells that a removal is over.
	settleTime = 250 * time.Millisecond
	// settleLimit bounds the wait for that, and quietLimit for those that do not
	// count.
	settleLimit = 5 * time.Second
	quietLimit  = time.Minute
)

// recent are the deletions of the last moments.
type recent []deletion

// deletion is that entries were deleted.
type deletion struct {
	at time.Time
	n  Count
}

// add takes in that entries were deleted.
func (r *recent) add(n Count, now time.Time) {
	if n.Entries == 0 {
		return
	}
	if last := len(*r) - 1; last >= 0 && now.Sub((*r)[last].at) < togetherTime {
		(*r)[last].n = (*r)[last].n.Plus(n)
		return
	}
	*r = append(*r, deletion{now, n})
}

// count is how many entries were deleted lately.
func (r *recent) count(now time.Time) (n Count) {
	for len(*r) > 0 && now.Sub((*r)[0].at) > deletionWindow {
		*r = (*r)[1:]
	}
	for _, d := range *r {
		n = n.Plus(d.n)
	}
	return n
}

// makeUp takes entries that were created from those that were deleted before: a
// tree that goes, comes and goes again, as in a build, is not twice as large.
func (r recent) makeUp(created int) {
	for i := range r {
		n := &r[i].n
		made := min(created, n.Entries)
		n.Entries -= made
		n.Counted = min(n.Counted, n.Entries)
		created -= made
	}
}
