package transfer

import (
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/mounts"
	"wsync/monitor/relpath"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// beside carries out the order while another transfer of the lane has a run of rsync
// under way. It makes and changes what it can on the direct lane, as that is open
// now, or by a run of its own where there is none, and removes nothing: whatever has to be
// judged, or found out, is to be done again. That somebody has changed the remote says
// nothing meanwhile.
//
// It uses nothing of the Lane but what any goroutine may use, and the direct lane
// exclusively.
func (t *transfer) beside() {
	defer t.findObstacles(t.Batch.Entries)
	defer t.settle(t.Batch)
	k := t.lane.known.Load()
	if k == nil || !k.besides() || t.lane.stale.Load() || t.Overtaken {
		t.out.Again = t.Batch
		return
	}
	t.endpoint = rsync.Endpoint{Remote: t.Remote, Strategy: k.strategy}
	t.Batch = t.Batch.WithoutMoves() // a rename removes a name
	if len(t.Away) > 0 {
		// What is unreachable is to be left alone, as is what fails.
		t.Except = slices.Concat(t.Except, mounts.Places(t.Away, t.lane.Lstat))
	}
	if k.direct == nil || t.Uncompared {
		if t.Remote.Keeps() || k.strategy.Basic {
			t.out.Again = t.Batch // nobody has looked what is there, or what is in the way would go
			return
		}
		t.runBeside()
		return
	}
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
	limits := t.directLimits()
	limits.Deletions = -1 // not even those that need no judgement
	entries, below := t.belowFailing(t.Batch.Entries)
	plan := direct.MakePlan(nil, entries, t.source(), d.Owns, limits)
	if t.await(plan) {
		plan = direct.MakePlan(nil, entries, t.source(), d.Owns, limits)
	}
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

// runBeside makes and changes what it can by a run of rsync, over a connection of its own.
// It is all or nothing: after whatever else than success, all is to be done again when the
// other transfer has ended. A daemon may have no room for a second connection.
func (t *transfer) runBeside() {
	small, rest := t.smallBeside()
	t.out.Again.Entries = rest
	if len(small) == 0 {
		return
	}
	if t.lane.connection != nil {
		t.endpoint.SSH = t.lane.connection.Command()
	}
	t.endpoint.Began = t.lane.now()
	t.limit(&t.endpoint)
	t.lane.compression(&t.endpoint)
	var names []string
	for _, e := range small {
		names = append(names, e.Path)
	}
	holes := t.tree().HasHoles(t.ctx, names)
	r, err := t.runAlone(rsync.Beside(t.endpoint, names).Sparse(t.endpoint, holes))
	if err != nil || !r.isClean() || r.verdict != rsync.Done {
		t.lane.log.Debug("Nothing goes beside", zap.Int("code", r.Code), zap.String("stderr", r.Stderr), zap.Error(err))
		t.out.Again.Entries = append(t.out.Again.Entries, small...)
		return
	}
	t.out.Verified = time.Now()
	for _, name := range names {
		t.record.AddSent(name)
	}
	t.counter.end()
	t.out.Created = r.Created
	// Which also has the directories looked at of which the other run sets the times.
	t.out.Unconfirmed = toConfirm(small)
}

// runAlone is one run of rsync over a connection that is nobody else's.
func (t *transfer) runAlone(job rsync.Job) (r ran, err error) {
	release, err := t.lane.session(t.ctx)
	if err != nil {
		return r, err
	}
	defer release()
	job.Sending = t.counter.begin
	if r.Result, err = rsync.Run(t.ctx, t.lane.root, t.lane.environment(), job, nil); err != nil {
		return r, err
	}
	r.said = rsync.ParseStderr(r.Stderr, realPath(t.lane.root), t.Remote.RemotePath)
	r.verdict = rsync.Judge(r.Code, r.said)
	return r, nil
}

// special are FIFOs, sockets and devices.
const special = fs.ModeNamedPipe | fs.ModeSocket | fs.ModeDevice | fs.ModeCharDevice | fs.ModeIrregular

// smallBeside divides the batch: small are entries of small files, symbolic links, and
// attributes of directories, that have nothing but directories above them, and nothing of
// the rest.
func (t *transfer) smallBeside() (small, rest []*dirty.Entry) {
	entries, rest := t.belowFailing(t.Batch.Entries)
	slices.SortFunc(entries, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	rules, limits := t.excluded(), t.directLimits()
	left := make(map[string]bool)
	for _, e := range rest {
		left[e.Path] = true
	}
	for _, e := range entries {
		info, err := t.lane.Lstat(e.Path)
		switch {
		case err != nil, e.Path == "", e.Failing(), e.Change&watch.Tree != 0, info.IsDir() && e.Change&watch.Entry != 0,
			info.Mode().IsRegular() && info.Size() > limits.FileSize, info.Mode()&special != 0, t.Remote.HardLinks && isLinked(info), len(small) >= t.Room,
			len(e.Path) > t.endpoint.MaxPath(), rules.Excludes(e.Path, info.IsDir()), t.leadsThrough(e.Path, left):
			left[e.Path] = true
			rest = append(rest, e)
		default:
			small = append(small, e)
		}
	}
	return small, rest
}

// leadsThrough reports whether something above a path is no directory, or is one of left.
func (t *transfer) leadsThrough(path string, left map[string]bool) bool {
	for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
		if info, err := t.lane.Lstat(dir); left[dir] || err != nil || !info.IsDir() {
			return true
		}
	}
	return false
}
