//go:build linux

package simulation

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/worker"
)

// carrier carries batches to a place, as package transfer does with rsync and sftp: it
// looks at one moment, changes the place at another, and in between anything may happen. It
// implements worker.Carrier.
type carrier struct {
	w     *world
	m     *monitor
	place *place
	// lost is that of the place as it was when it was connected to, -1 for not at all.
	lost int
}

var _ worker.Carrier = (*carrier)(nil)

func (c *carrier) Compare(report.Comparison, string, func(context.Context) (remote.Known, bool)) remote.Comparer {
	return nil
}

func (c *carrier) Try(context.Context, config.Remote) report.TrialStatus {
	return report.TrialStatus{}
}

func (c *carrier) Ask(context.Context, config.Remote, string) report.Look { return report.Look{} }
func (c *carrier) Drifted() bool                                          { return false }
func (c *carrier) Direct() bool                                           { return c.place.direct && c.lost >= 0 }
func (c *carrier) Beside() bool                                           { return c.lost >= 0 && !c.place.down }
func (c *carrier) Reset(bool)                                             { c.lost = -1 }
func (c *carrier) Leave(func() bool)                                      {}
func (c *carrier) Close()                                                 { c.lost = -1 }
func (c *carrier) Lstat(path string) (fs.FileInfo, error)                 { return c.w.ws.Lstat(path) }
func (c *carrier) Workspace() guard.Workspace                             { return guarded{c} }

func (c *carrier) Walk(path string, visit func(name string, dir bool)) {
	c.w.ws.below(path, func(p string, n *node) { visit(p, n.IsDir()) })
}

// guarded is the workspace for the guard.
type guarded struct{ *carrier }

func (g guarded) Empty() (bool, error) { return g.Left(1) == 0, nil }

func (g guarded) Left(limit int) (n int) {
	rules := g.m.live.Rules()
	for _, p := range g.w.ws.all() {
		if !rules.Excludes(p, g.w.ws.names[p].IsDir()) {
			n++
		}
	}
	return min(n, limit)
}

// trip is one transfer.
type trip struct {
	remote.Order
	*carrier
	ctx    context.Context
	asker  remote.Asker
	out    remote.Outcome
	broken int  // that of the place at the beginning
	tick   int  // the last of the workspace before it
	ruled  int  // how many rules there had been
	over   bool // it has ended, and what it still does is late
	left   int  // what counted of the workspace at most when it was looked at
	// deleted is how much was without a person's word, but for what it has made itself.
	deleted int
	made    map[string]bool
	// shared: something may go beside it. moved is what paths were renamed to.
	shared bool
	moved  map[string]string
}

// Transfer implements worker.Carrier.
func (c *carrier) Transfer(ctx context.Context, o remote.Order, a remote.Asker) remote.Outcome {
	o.Batch.Entries = slices.Clone(o.Batch.Entries)
	slices.SortFunc(o.Batch.Entries, byPath)
	slices.SortFunc(o.Failing, byPath)
	slices.Sort(o.Except)
	t := &trip{Order: o, carrier: c, ctx: ctx, asker: a, broken: c.place.broken, tick: c.w.ws.tick, ruled: len(c.m.ruled) - 1, left: guarded{c}.Left(1 << 20), made: make(map[string]bool)}
	c.w.note("transfer", c.place.name+" "+t.what(), len(o.Batch.Entries))
	entries := slices.Clone(o.Batch.Entries)
	if o.Beside {
		t.beside()
	} else if t.connect() {
		t.do()
	}
	t.obstacles(entries)
	c.w.note("ended", c.place.name, len(t.out.Again.Entries)<<8|len(t.out.Failed))
	if o.Batch.Everything != nil && t.out.Failure == nil && t.out.Hold == nil && t.out.Again.Everything == nil {
		t.endDoubt()
	}
	if (o.Confirm || o.Batch.Everything != nil) && t.out.Failure == nil && len(t.out.Failed)+len(o.Except) == 0 && !c.place.hurt.After(c.w.now) && len(c.place.late) == 0 {
		c.place.hurt = time.Time{}
	}
	if t.out.Failure != nil {
		c.w.note("failure", t.out.Failure.Message, int(t.out.Failure.Kind))
		c.lost = -1
	}
	return t.out
}

// endDoubt takes in that a place was compared, but for what fails: of that nobody knows yet.
func (t *trip) endDoubt() {
	if !t.place.doubt {
		return
	}
	t.place.doubt = false
	for _, p := range t.w.ws.all() {
		if t.excepted(p) || slices.ContainsFunc(t.out.Failed, func(e *dirty.Entry) bool { return relpath.Within(p, e.Path) }) {
			t.place.vanished[p] = true
		}
	}
}

func byPath(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) }

// what says what is in the batch.
func (t *trip) what() string {
	if t.w.trace == nil {
		return ""
	}
	var names []string
	if t.Batch.Everything != nil {
		names = append(names, "everything")
	}
	for _, m := range t.Batch.Moves {
		names = append(names, m.From+">"+m.To)
	}
	for _, e := range t.Batch.Entries {
		names = append(names, e.Path)
	}
	if t.Confirm {
		names = append(names, "to confirm")
	}
	if t.Order.Beside {
		names = append(names, "beside")
	}
	return strings.Join(names, " ")
}

// step lets the world go on, and reports whether the transfer does.
func (t *trip) step() bool {
	if t.out.Failure != nil {
		return false
	}
	t.w.pause()
	switch {
	case t.ctx.Err() != nil:
		t.out.Failure = &remote.Failure{Kind: remote.Canceled, Message: "canceled"}
	case t.place.broken != t.broken || t.place.down:
		t.out.Failure, t.out.Causes = &remote.Failure{Kind: remote.Offline, Message: "the connection broke"}, remote.Interrupted
	}
	return t.out.Failure == nil
}

// connect reports whether the place is reached, and is this mirror's.
func (t *trip) connect() bool {
	if t.place.down {
		t.w.pause()
		t.out.Failure = &remote.Failure{Kind: remote.Offline, Message: "it cannot be reached"}
		return false
	}
	if !t.step() {
		return false
	}
	if t.place.local && t.lost >= 0 && t.lost != t.place.lost {
		t.out = remote.Outcome{Failure: &remote.Failure{Kind: remote.Trouble, Message: "the destination is another"}, Causes: remote.Lost, Replaced: true}
		return false
	}
	t.carrier.lost = t.place.lost
	if t.Adopt && !t.MayAdopt && t.holdsForeign() {
		return false
	}
	if t.Adopt {
		for p := range t.place.foreign {
			// What is equal is taken for ours without a word.
			if n := t.w.ws.find(p); n != nil && n.Mode().Type() == t.place.names[p].mode.Type() && (n.IsDir() || t.place.checksum(n, t.place.names[p])) {
				delete(t.place.foreign, p)
			}
		}
		t.asker.Adopted()
	}
	return true
}

// holdsForeign holds all if the place has what may be somebody else's.
func (t *trip) holdsForeign() bool {
	h := &remote.Hold{Verdict: guard.Verdict{Action: guard.Hold, Reason: "the destination is in use"}, All: true, Pass: t.Batch.Everything}
	rules := t.rules()
	for _, p := range t.place.all() {
		is := t.place.names[p]
		n := t.w.ws.find(p)
		switch {
		case rules.Stays(p, is.mode.IsDir()):
		case n == nil || n.IsDir() != is.mode.IsDir():
			h.Names.Add(p, true)
		case !n.IsDir() && !t.place.checksum(n, is):
			h.Names.Add(p, false)
			h.Overwritten++
		}
	}
	if h.Names.Len() == 0 {
		return false
	}
	t.out.Hold, t.out.Again.Entries = h, t.Batch.Entries
	return true
}

func (t *trip) rules() exclude.Rules { return t.m.live.Rules().At(t.Remote) }

// ignores reports whether a path of the workspace is ignored.
func (t *trip) ignores(path string) bool {
	n := t.w.ws.find(path)
	return n != nil && t.rules().Excludes(path, n.IsDir())
}

// excepted reports whether a path is left out because it fails.
func (t *trip) excepted(path string) bool { return isWithin(path, t.Except) }

// isWithin reports whether a path is one of some, or below one.
func isWithin(path string, some []string) bool {
	return slices.ContainsFunc(some, func(p string) bool { return relpath.Within(path, p) })
}

// do transfers the batch.
func (t *trip) do() {
	t.leaveIgnored()
	t.findMoved()
	if t.place.direct && t.Batch.Everything == nil && !t.Confirm && !t.Uncompared && t.leaveOvertaken() {
		t.directly()
	}
	t.Batch = t.Batch.WithoutMoves()
	slices.SortFunc(t.Batch.Entries, byPath)
	t.findMoved()
	if t.out.Failure != nil || t.Batch.Empty() {
		return
	}
	if t.Batch.Everything == nil && !t.hasObstacles(t.Batch.Entries) {
		t.shared = true
		t.asker.OnlyRsync(t.place.direct)
	}
	if t.Batch.Everything != nil {
		t.pass()
	}
	if t.out.Failure == nil {
		t.entries(t.Batch.Entries)
	}
}

// leaveIgnored takes out of the batch what is not mirrored.
func (t *trip) leaveIgnored() {
	rules := t.rules()
	t.Batch.Entries = slices.DeleteFunc(t.Batch.Entries, func(e *dirty.Entry) bool {
		if n := t.w.ws.find(e.Path); n != nil {
			return rules.Excludes(e.Path, n.IsDir())
		}
		return rules.Excludes(e.Path, false)
	})
}

// findMoved finds what was renamed and is still there.
func (t *trip) findMoved() {
	t.moved = make(map[string]string)
	for _, e := range t.Batch.Entries {
		if e.MovedTo == "" {
			continue
		}
		if t.w.ws.find(e.MovedTo) == nil {
			e.MovedTo = ""
			continue
		}
		t.moved[e.Path] = e.MovedTo
	}
}

// leaveOvertaken is that of a transfer: what has a directory above it that has just taken
// the place of something else goes together with that.
func (t *trip) leaveOvertaken() bool {
	if !t.Overtaken {
		return true
	}
	if !t.asker.Told(t.ctx) {
		return false
	}
	t.Batch.Entries = slices.DeleteFunc(t.Batch.Entries, func(e *dirty.Entry) bool {
		leave := t.asker.Announced(t.ctx, e.Path)
		for dir := relpath.Parent(e.Path); dir != "" && !leave; dir = relpath.Parent(dir) {
			leave = t.asker.Announced(t.ctx, dir)
		}
		if leave {
			t.out.Again.Entries = append(t.out.Again.Entries, e)
		}
		return leave
	})
	return true
}

// obstacles keeps in mind what is in the way to entries.
func (t *trip) obstacles(entries []*dirty.Entry) {
	for _, e := range entries {
		for dir := relpath.Parent(e.Path); dir != ""; dir = relpath.Parent(dir) {
			if !t.w.ws.isDir(dir) {
				t.out.Obstacles = append(t.out.Obstacles, &dirty.Entry{Path: dir})
			}
		}
	}
}

func (t *trip) hasObstacles(entries []*dirty.Entry) bool {
	return slices.ContainsFunc(entries, func(e *dirty.Entry) bool {
		for dir := relpath.Parent(e.Path); dir != ""; dir = relpath.Parent(dir) {
			if !t.w.ws.isDir(dir) {
				return true
			}
		}
		return false
	})
}

// believesGone reports whether what was found to be gone is.
func (t *trip) believesGone() bool {
	if t.out.Failure == nil && t.ctx.Err() == nil && t.asker.Root() == "" {
		return true
	}
	if t.out.Failure == nil {
		t.out.Failure = &remote.Failure{Kind: remote.Canceled, Message: "the root is not what it was"}
	}
	return false
}

// tally counts deletions that are to be judged.
type tally struct {
	t      *trip
	except []string // what is left alone
	names  guard.Names
	sample []string
	list   []string // all that is to go, the deepest first, whether it counts or not
}

// add takes in that what is at a path of the place is to go, with all below it.
func (c *tally) add(path string) {
	t, all := c.t, c.t.place.all()
	rules := t.rules()
	stays := make(map[string]bool)
	for _, p := range slices.Backward(all) {
		if p != path && !relpath.Below(p, path) {
			continue
		}
		if stays[p] || isWithin(p, c.except) || rules.Stays(p, t.place.names[p].mode.IsDir()) {
			stays[relpath.Parent(p)] = true
			continue
		}
		if slices.Contains(c.list, p) {
			continue
		}
		c.list = append(c.list, p)
		c.count(p)
	}
}

// count counts a name.
func (c *tally) count(p string) {
	if c.t.Approved.Covers(p) || c.t.isElsewhere(p) {
		return
	}
	c.names.Add(p, true)
	c.sample = append(c.sample, p)
}

// isElsewhere reports whether what had a name has another now.
func (t *trip) isElsewhere(path string) bool {
	for at := path; at != ""; at = relpath.Parent(at) {
		if to, ok := t.moved[at]; ok {
			return t.w.ws.find(to+path[len(at):]) != nil
		}
	}
	return false
}

// verdict is the guard's; recent says whether what went before counts, too.
func (c *tally) verdict(recent bool, calm remote.Calm) guard.Verdict {
	d := guard.Deletions{
		Entries: c.names.Len(), Counted: c.names.Counted(), Settled: calm.Settled, Quiet: calm.Quiet,
		Holding: c.t.Holding, Unapproved: c.t.Unapproved,
	}
	if recent {
		d.Recent, d.RecentCounted = c.t.Recent.Entries, c.t.Recent.Counted
	}
	c.t.left = max(c.t.left, guarded{c.t.carrier}.Left(1<<20))
	return guard.Judge(c.t.Limits, d, c.t.Workspace())
}

// hold holds what was counted.
func (c *tally) hold(v guard.Verdict, part dirty.Batch) {
	h := &remote.Hold{Verdict: v, Names: c.names, Sample: c.sample, Pass: part.Everything, Entries: part.Entries}
	for _, name := range c.sample {
		c.t.place.missed[name] = c.t.w.ws.tick
	}
	if c.t.out.Hold == nil {
		c.t.out.Hold = h
	} else {
		c.t.out.Hold.Merge(h)
	}
}

// remove deletes what was judged. What is there again is to be looked at again if there are
// entries for that, and otherwise there will be an event.
func (c *tally) remove(part dirty.Batch, listed bool) {
	t := c.t
	gone := 0
	for _, p := range c.list {
		if n := t.w.ws.find(p); n != nil && listed {
			t.out.Again.Entries = append(t.out.Again.Entries, concerning(part.Entries, p)...)
			continue
		}
		if t.ignored(p, t.place.names[p].mode.IsDir()) {
			continue
		}
		if err := t.remove(p); err != nil {
			t.failAt(p, err, part)
			continue
		}
		if c.names.Has(p) {
			gone++
		}
	}
	t.out.Deleted = t.out.Deleted.Plus(remote.Count{Entries: gone, Counted: gone})
	t.Recent = t.Recent.Plus(remote.Count{Entries: gone, Counted: gone})
}

// ignored reports whether an entry of the place is to stay by the rules of now.
func (t *trip) ignored(path string, dir bool) bool { return t.rules().Stays(path, dir) }
