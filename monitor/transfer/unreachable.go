package transfer

import (
	"fmt"
	"slices"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/mounts"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// setApart takes out of the batch what is on file systems that are mounted no
// longer, and has all that follows leave it alone on both sides. If the remote
// holds nothing that would have to go, there is nothing to be careful about.
func (t *transfer) setApart() {
	if len(t.Away) == 0 {
		return
	}
	places := mounts.Places(t.Away, t.lane.Lstat)
	within := func(path string) bool {
		return slices.ContainsFunc(places, func(place string) bool { return relpath.Within(path, place) })
	}
	found := &remote.Unreachable{Away: t.Away}
	if t.Batch.Everything != nil || !t.AwayHeld {
		if found.Held, found.Names = t.countUnreachable(places); t.out.Failure != nil {
			return
		}
		if found.Held == nil {
			t.out.Reachable = t.Away
			return
		}
	}
	if slices.ContainsFunc(t.Batch.Moves, func(m dirty.Move) bool {
		return slices.ContainsFunc(places, func(place string) bool {
			return within(m.From) || within(m.To) || relpath.Within(place, m.From) || relpath.Within(place, m.To)
		})
	}) {
		t.Batch = t.Batch.WithoutMoves()
	}
	seq, since, _ := t.Batch.Oldest()
	var rest []*dirty.Entry
	for _, e := range t.Batch.Entries {
		if within(e.Path) {
			found.Entries = append(found.Entries, e)
		} else {
			rest = append(rest, e)
		}
	}
	if !t.AwayHeld {
		for _, place := range places {
			found.Entries = append(found.Entries, &dirty.Entry{Path: place, Change: watch.Entry | watch.Content | watch.Tree, Seq: seq, Since: since})
		}
	}
	t.Batch.Entries = rest
	t.endpoint.Unreachable = places
	t.out.Unreachable = found
}

// countUnreachable counts what would be deleted at places; nil for nothing.
func (t *transfer) countUnreachable(places []string) (*report.Held, guard.Names) {
	found := &tally{tools: t.lane.tools, rules: t.excluded()}
	list, ok := t.tallied(t.lane.root, rsync.CountDeletions(t.endpoint, places), found)
	list.Deleted = found.deleted
	if list.said.MissingDestination {
		t.out.Failure = nil
		return nil, guard.Names{}
	}
	if !ok || list.Deleted == 0 && list.verdict == rsync.Done {
		return nil, guard.Names{}
	}
	// Where something cannot be read, nobody knows how much it is.
	return &report.Held{
		Count: found.names.Len(), Sample: found.sample[:min(len(found.sample), remote.SampleSize)],
		Reason: unreachableReason(t.Away), Unmounted: t.Away,
	}, found.names
}

// unreachableReason says what is unreachable.
func unreachableReason(away []string) string {
	if len(away) == 1 {
		return away[0] + " was on a file system that is no longer mounted"
	}
	return fmt.Sprintf("%s and %d more were on file systems that are no longer mounted", away[0], len(away)-1)
}
