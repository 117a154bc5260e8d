package remote

import (
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// latencies are how long changes took until the remote had acknowledged them, those of the
// oldest of each batch, the newest last.
type latencies []time.Duration

// add takes in how a transfer ended at now, if that says how long a change took: a full
// pass and a confirmation do not, what is left of a batch may be its oldest change, and what
// was held has waited for a person.
func (l *latencies) add(o Order, out Outcome, now time.Time) {
	_, since, ok := o.Batch.Oldest()
	left := out.Again.Len() + out.Later.Len() + out.Large.Len() + len(out.Failed)
	held := out.Hold != nil || slices.ContainsFunc(o.Batch.Entries, func(e *dirty.Entry) bool { return e.Approved > 0 })
	if !ok || o.Confirm || o.Batch.Everything != nil || left > 0 || held || out.Unreachable != nil {
		return
	}
	*l = append(*l, max(now.Sub(since), 0))
	if more := len(*l) - report.MaxLatencies; more > 0 {
		*l = slices.Delete(*l, 0, more)
	}
}
