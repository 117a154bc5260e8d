package remote

import (
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// totals count what became of transfers.
type totals struct{ report.Totals }

// report is a copy.
func (t *totals) report() *report.Totals {
	r := t.Totals
	r.Latency.Counts = slices.Clone(r.Latency.Counts)
	return &r
}

// take takes in how a transfer has ended.
func (t *totals) take(o Order, out Outcome, now time.Time) {
	t.Files += out.Files
	t.Bytes += out.Bytes
	t.Deleted += out.Record.Deleted.Count
	t.Renamed += out.Record.Renamed.Count
	switch {
	case out.Failure != nil:
		t.fail(out.Failure.Kind)
		return
	case o.Confirm:
		t.Confirmations++
	case o.Batch.Everything != nil:
		t.FullPasses++
	default:
		t.Changes++
	}
	for _, e := range out.Failed {
		if e.Attempts == 1 && e.Reason != dirty.LeftOut {
			t.FailedPaths++
		}
	}
	if !o.Confirm {
		t.acknowledge(o, out, now)
	}
}

func (t *totals) fail(kind FailureKind) {
	switch kind {
	case Canceled:
	case Offline:
		t.Failures.Offline++
	case Attention:
		t.Failures.Attention++
	case Met:
		t.Failures.Conflict++
	default:
		t.Failures.Other++
	}
}

// acknowledge takes in how long the changes have taken that are on the remote now.
func (t *totals) acknowledge(o Order, out Outcome, now time.Time) {
	at := now
	if !out.Acknowledged.IsZero() {
		at = out.Acknowledged
	}
	open := make(map[string]bool) // of those that are not
	for _, b := range []dirty.Batch{out.Again, out.Later, out.Large, {Entries: out.Failed}} {
		note(open, b)
	}
	if out.Hold != nil {
		note(open, out.Hold.Batch())
	}
	if out.Unreachable != nil {
		note(open, dirty.Batch{Entries: out.Unreachable.Entries})
	}
	for _, e := range o.Batch.Entries {
		if !open[e.Path] {
			t.Latency.Observe(at.Sub(e.Since))
		}
	}
	for _, m := range o.Batch.Moves {
		if !open[m.To] {
			t.Latency.Observe(at.Sub(m.Since))
		}
	}
}

// note notes the paths of a batch.
func note(paths map[string]bool, b dirty.Batch) {
	for _, e := range b.Entries {
		paths[e.Path] = true
	}
	for _, m := range b.Moves {
		paths[m.To] = true
	}
}
