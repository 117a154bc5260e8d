package transfer

import (
	"slices"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/mounts"
	"wsync/monitor/rsync"
)

// beside carries out the order while another transfer of the lane has a run of rsync
// under way. It makes and changes what it can on the direct lane, as that is open
// now, and removes nothing: whatever has to be judged, or found out, is to be done
// again. That somebody has changed the remote says nothing meanwhile.
//
// It uses nothing of the Lane but what any goroutine may use, and the direct lane
// exclusively.
func (t *transfer) beside() {
	defer t.findObstacles(t.Batch.Entries)
	k := t.lane.known.Load()
	if k == nil || k.direct == nil || k.strategy.Capabilities.Limited() || t.lane.stale.Load() {
		t.out.Again = t.Batch
		return
	}
	t.endpoint = rsync.Endpoint{Remote: t.Remote, Strategy: k.strategy}
	t.Batch = t.Batch.WithoutMoves() // a rename removes a name
	if err := k.direct.Err(); err != nil {
		t.out = t.lane.directFailure(err)
	} else {
		t.putBeside(k.direct)
	}
	if t.out.Failure != nil {
		t.lane.stale.Store(true) // see Transfer
	}
}

// putBeside makes and changes what it can.
func (t *transfer) putBeside(d *direct.Lane) {
	if len(t.Away) > 0 {
		// What is unreachable is to be left alone, as is what fails.
		t.Except = slices.Concat(t.Except, mounts.Places(t.Away, t.lane.Lstat))
	}
	limits := t.directLimits()
	limits.Deletions = -1 // not even those that need no judgement
	entries, below := t.belowFailing(t.Batch.Entries)
	plan := direct.MakePlan(nil, entries, t.source(), d.Owns, limits)
	rest := append(plan.Rest, below...)
	if !slices.ContainsFunc(plan.Steps, func(s direct.Step) bool { return !s.Parent }) {
		t.out.Again = t.Batch
		return
	}
	result, ok := t.fly(d, plan)
	switch {
	case ok:
		t.out.Again = dirty.Batch{Entries: append(rest, result.Failed...)}
	case t.out.Failure == nil:
		t.out.Again = t.Batch
	}
}
