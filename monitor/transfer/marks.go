package transfer

import (
	"context"
	"fmt"
	"time"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// overwrites looks where a local destination leads, if it is time to, and reports
// whether that is or holds the directory of a workspace: then the outcome is final.
// What it led to when it was attached may be something else now.
func (t *transfer) overwrites() bool {
	l := t.lane
	if l.sources == nil || l.looked && t.Batch.Everything == nil {
		return false
	}
	for _, source := range l.sources() {
		if config.Overwrites(t.Remote, source) {
			t.out.Failure = failed(remote.Attention,
				fmt.Errorf("the destination is or holds %s, the directory of a workspace, which mirroring would overwrite", source),
				"look where "+t.Remote.RemotePath+" leads now")
			return true
		}
	}
	return false
}

// meets looks for other mirrors at the destination, if it is time to, and reports
// whether there are some: then the outcome is final. With write the own mark is left
// there.
func (t *transfer) meets(write bool) bool {
	l := t.lane
	if t.Remote.ID == "" || l.looked && t.Batch.Everything == nil {
		return false
	}
	found := l.marks.Look(t.ctx, t.endpoint, write, t.TakeOver)
	l.looked = l.looked || write
	return t.meet(found)
}

// meetsInside reports whether what would be deleted has another mirror in it: then
// the outcome is final.
func (t *transfer) meetsInside(list rsync.Result) bool {
	if len(list.Inside) == 0 {
		return false
	}
	return t.meet(t.lane.marks.Inside(t.ctx, t.endpoint, list.Inside, t.TakeOver))
}

// meet ends the transfer if another mirror was found, and reports whether.
func (t *transfer) meet(found *remote.Meeting) bool {
	if found == nil {
		return false
	}
	t.out = remote.Outcome{Failure: &remote.Failure{Kind: remote.Met, Other: found,
		Message: fmt.Sprintf("%s is mirrored to by %s, too: two mirrors would delete each other's files", found.Place, found.Other)}}
	return true
}

// leaveTime bounds the removal of marks at the end of a lane.
const leaveTime = 2 * time.Second

// Leave removes the own marks from the remote; what cannot be removed in a moment
// goes stale. mayTouch reports whether the destination's own attributes may be set
// from the workspace's root.
func (l *Lane) Leave(mayTouch func() bool) {
	left := l.marks.Take()
	if len(left.Levels) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if d := l.directLane(); d != nil && d.Err() == nil && left.OnlyHere() {
		l.exclusively(d, func() { d.Remove(left.Name()) })
		return
	}
	endpoint, failure := l.connect(ctx, left.Remote)
	if failure != nil || l.marks.RemoveBySFTP(ctx, left) {
		return
	}
	l.guess(ctx, &endpoint)
	l.marks.Remove(ctx, endpoint, left)
	if !left.Here() || !mayTouch() {
		return
	}
	// The time of the destination has changed.
	if release, err := l.session(ctx); err == nil {
		defer release()
		l.runQuietly(ctx, "Cannot set the times of the destination", l.root, rsync.Root(endpoint).IfThere())
	}
}
