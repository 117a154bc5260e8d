//go:build linux

package simulation

import (
	"errors"
	"io/fs"
	"math"
	"slices"
	"time"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// source is the workspace for a plan of the direct lane.
type source struct{ *trip }

func (s source) ReadDir(name string) (entries []fs.DirEntry, err error) {
	if s.ignores(name) {
		return nil, errIgnored // since a moment ago
	}
	s.w.ws.below(name, func(p string, n *node) {
		if p != name && relpath.Parent(p) == name && !s.ignores(p) {
			entries = append(entries, dirEntry{p[len(name)+1:], n})
		}
	})
	return entries, nil
}

func (s source) Carries(string, fs.FileInfo, watch.Change) bool { return true }

func owns(uint32, uint32) bool { return true }

var limits = direct.Limits{Paths: 12, Bytes: 1 << 20, FileSize: 1 << 10, Beside: 5, Deletions: math.MaxInt32}

// directly brings in line what is small and simple, and leaves the rest.
func (t *trip) directly() {
	plan := t.planDirectly(limits)
	if len(t.Batch.Moves) == 0 && len(plan.Steps) == 0 || plan.SeesGone() && !t.believesGone() {
		return
	}
	rest, moves, ok := t.fly(t.Batch.Moves, plan)
	if ok {
		t.Batch = dirty.Batch{Moves: moves, Entries: append(plan.Rest, rest...)}
	}
}

// planDirectly decides what goes that way. What has to wait is in the outcome.
func (t *trip) planDirectly(limits direct.Limits) direct.Plan {
	var entries, below []*dirty.Entry
	rules := t.rules()
	for _, e := range t.Batch.Entries {
		if t.excepted(e.Path) || rules.Depends(e.Path) && t.w.ws.find(e.Path) == nil {
			below = append(below, e)
		} else {
			entries = append(entries, e)
		}
	}
	plan := direct.MakePlan(t.Batch.Moves, entries, source{t}, owns, limits)
	c := &tally{t: t}
	for name := range plan.Removals() {
		c.count(name)
	}
	switch c.verdict(true, t.asker.Calm()).Action {
	case guard.Allow:
	case guard.Wait:
		t.out.Later.Entries = plan.LeaveRemovals()
	default:
		limits.Deletions = 0
		plan = direct.MakePlan(t.Batch.Moves, entries, source{t}, owns, limits)
	}
	plan.Rest = append(plan.Rest, below...)
	return plan
}

// fly carries out a plan, after the moves. The line may break on the way: then what was sent
// may still arrive, but for what goes into a directory of the session's.
func (t *trip) fly(moves []dirty.Move, plan direct.Plan) (rest []*dirty.Entry, refused []dirty.Move, ok bool) {
	if !t.step() {
		return nil, nil, false
	}
	cut := len(moves) + len(plan.Steps)
	if !t.place.local && (t.w.goesWrong(20) || t.place.shaky && t.w.goesWrong(3)) {
		cut = t.w.below(cut + 1)
		t.place.broken++
	}
	n, removed := 0, 0
	var late []lateRequest
	do := func(session bool, request func() error) error {
		if n++; n <= cut {
			return request()
		}
		if !session {
			wait := time.Duration(t.w.below(int(remote.LateTime/time.Millisecond))) * time.Millisecond
			late = append(late, lateRequest{t.w.now.Add(wait), t.w.now.Add(remote.LateTime), request, t.carrier})
		}
		return errLate
	}
	for i, m := range moves {
		if err := do(false, func() error { return t.rename(m) }); err != nil {
			refused = moves[i:]
			break
		}
	}
	failed := make(map[*dirty.Entry]bool)
	obstacles := t.place.obstacles(plan.Steps)
	for _, s := range plan.Steps {
		request := func() error {
			if isWithin(s.Path, obstacles) {
				return errInWay
			}
			return t.flyStep(s)
		}
		switch err := do(s.Kind == direct.PutFile, request); {
		case err != nil && !failed[s.Entry] && !(s.Parent && errors.Is(err, fs.ErrNotExist)):
			failed[s.Entry] = true
			rest = append(rest, s.Entry)
		case err == nil && s.Removes() && !s.Entry.Cleared():
			removed++
		}
	}
	if t.broken != t.place.broken {
		t.over = true
		t.place.late = append(t.place.late, late...)
		t.place.lateUntil = t.w.now.Add(remote.LateTime)
		t.out.Failure, t.out.Causes = &remote.Failure{Kind: remote.Offline, Message: "the connection broke"}, remote.Interrupted
		t.out.Late = touched(moves, plan.Steps, nil)
		return nil, nil, false
	}
	t.out.Deleted = t.out.Deleted.Plus(remote.Count{Entries: removed, Counted: removed})
	t.Recent = t.Recent.Plus(remote.Count{Entries: removed, Counted: removed})
	t.out.Unconfirmed = touched(moves[:len(moves)-len(refused)], plan.Steps, failed)
	return rest, refused, true
}

var errIgnored = errors.New("it is ignored")

// errLate: nobody knows what has become of a request.
var errLate = errors.New("the line broke")

// touched are the entries that say what was changed by a flight.
func touched(moves []dirty.Move, steps []direct.Step, failed map[*dirty.Entry]bool) (entries []*dirty.Entry) {
	for _, m := range moves {
		to, from := m.States()
		from.MovedTo = "" // it says nothing about what has that name later
		entries = append(entries, to, from)
	}
	for _, s := range steps {
		if s.Kind == direct.Leave || failed[s.Entry] && !s.Parent {
			continue
		}
		change := watch.Content
		if s.Info == nil {
			change = watch.Entry
		}
		entries = append(entries, &dirty.Entry{Path: s.Path, Change: change, Seq: s.Entry.Seq, Since: s.Entry.Since})
	}
	return entries
}

// beside carries out the order while a run of rsync is under way.
func (t *trip) beside() {
	defer func() { t.Batch = dirty.Batch{} }()
	if t.lost < 0 || t.Overtaken || t.Uncompared || !t.place.direct {
		t.out.Again = t.Batch
		return
	}
	t.Batch = t.Batch.WithoutMoves()
	slices.SortFunc(t.Batch.Entries, byPath)
	beside := limits
	beside.Deletions = -1
	t.leaveIgnored()
	plan := direct.MakePlan(nil, t.Batch.Entries, source{t}, owns, beside)
	if len(plan.Steps) == 0 {
		t.out.Again = t.Batch
		return
	}
	rest, _, ok := t.fly(nil, plan)
	switch {
	case ok:
		t.out.Again.Entries = append(plan.Rest, rest...)
	case t.out.Failure == nil:
		t.out.Again = t.Batch
	}
}

// pass compares all that there is, and sends what differs.
func (t *trip) pass() {
	part := dirty.Batch{Everything: t.Batch.Everything}
	if !t.step() {
		return
	}
	if t.w.ws.gone {
		t.out.Failure = &remote.Failure{Kind: remote.Trouble, Message: "there is nothing to look into"}
		return
	}
	t.m.links.Scan(t.ctx)
	alike := t.place.quick
	if t.Batch.Everything.Change&watch.Content != 0 {
		alike = t.place.checksum
	}
	var differing, reread []string
	then := make(map[string]*node)
	t.w.ws.below("", func(p string, n *node) {
		then[p] = n
		if t.excepted(p) || t.ignores(p) {
			return
		}
		is, ok := t.place.names[p]
		if !ok || is.mode.Type() != n.mode.Type() || !n.IsDir() && !alike(n, is) || is.mode != n.mode {
			differing = append(differing, p)
			t.out.Drift++
		}
		if !t.Since.IsZero() && !n.ctime.Before(t.Since) && n.mode.IsRegular() {
			reread = append(reread, p)
		}
	})
	if !t.send(differing, alike, part) || !t.obstructed("", then, t.Except, part) {
		return
	}
	if t.out.Failure == nil {
		t.sends(differing, alike, part, true) // what was in the way is gone
	}
	if t.out.Again.Everything == nil && t.out.Hold == nil {
		t.send(reread, t.place.checksum, part)
	}
}

// obstructed finds what a directory of the place has that the workspace had not, judges it
// and deletes it; it reports whether the transfer goes on.
func (t *trip) obstructed(dir string, then map[string]*node, except []string, part dirty.Batch) bool {
	if !t.step() {
		return false
	}
	c := &tally{t: t, except: except}
	for _, p := range t.place.all() {
		if dir != "" && p != dir && !relpath.Below(p, dir) {
			continue
		}
		// What is no directory makes way for one by itself.
		if n := then[p]; n == nil || !n.IsDir() && t.place.names[p].mode.IsDir() {
			c.add(p)
		}
	}
	if len(c.list) == 0 {
		return true
	}
	v := c.verdict(part.Everything == nil, remote.Calm{Settled: true, Quiet: part.Everything != nil || t.asker.Calm().Quiet})
	t.w.note("verdict "+v.Reason, t.place.name, len(c.list)<<8|int(v.Action))
	switch v.Action {
	case guard.Wait:
		t.out.Later = remote.Join(t.out.Later, part)
		return false
	case guard.Hold:
		c.hold(v, part)
		return false
	}
	if !t.step() || !t.believesGone() {
		return false
	}
	c.remove(part, false)
	return true
}

// send has rsync send a list of paths, for a part of the batch. It reports whether the
// transfer goes on.
func (t *trip) send(paths []string, alike func(*node, there) bool, part dirty.Batch) bool {
	return t.sends(paths, alike, part, part.Everything == nil)
}

// sends is send; cleared: nothing more is done about what is in the way.
func (t *trip) sends(paths []string, alike func(*node, there) bool, part dirty.Batch, cleared bool) bool {
	for i, p := range paths {
		if i%4 == 0 && !t.step() {
			return false
		}
		if t.ignores(p) {
			continue
		}
		_, was := t.place.names[p]
		err := t.sync(p, alike)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has vanished
			if part.Everything == nil {
				t.out.Again.Entries = append(t.out.Again.Entries, concerning(part.Entries, p)...)
			} else { // rsync says nothing of it, and an event is about to
				t.place.vanished[p] = true
			}
		case errors.Is(err, errFull):
			t.out.Failure = &remote.Failure{Kind: remote.Attention, Message: err.Error()}
			return false
		case errors.Is(err, errInWay) && !cleared:
		case err != nil:
			t.failAt(p, err, part)
		case !was:
			t.out.Created++
		}
		if err == nil && t.w.goesWrong(300) {
			t.failAt(p, errDenied, part)
		}
	}
	return true
}

// concerning are the entries of a part that a path was sent for.
func concerning(entries []*dirty.Entry, path string) (of []*dirty.Entry) {
	for _, e := range entries {
		if relpath.Within(path, e.Path) || relpath.Below(e.Path, path) {
			of = append(of, e)
		}
	}
	return of
}

// failAt puts a path that failed aside, and has what else was to go with it be verified.
func (t *trip) failAt(path string, err error, part dirty.Batch) {
	for _, e := range t.out.Failed {
		if e.Path == path { // with the contents, and then once more
			if seq, since, ok := part.Oldest(); ok && seq < e.Seq {
				e.Seq, e.Since = seq, since
			}
			return
		}
	}
	oldest := part.Everything
	entry := dirty.Entry{Path: path, Change: watch.Entry | watch.Content | watch.Tree}
	for _, e := range slices.Concat(t.Failing, part.Entries) {
		if e.Path == path {
			entry = *e
		}
	}
	for _, e := range part.Entries {
		if oldest == nil || e.Seq < oldest.Seq {
			oldest = e
		}
	}
	if oldest != nil && (entry.Seq == 0 || oldest.Seq < entry.Seq) {
		entry.Seq, entry.Since = oldest.Seq, oldest.Since
	}
	entry.Attempts, entry.Problem = entry.Attempts+1, err.Error()
	t.out.Failed = append(t.out.Failed, &entry)
	t.w.note("failed "+err.Error(), path, entry.Attempts)
	if entry.Attempts > 1 {
		return
	}
	if part.Everything != nil {
		t.out.Again.Everything = part.Everything
	}
}

// entries has rsync bring listed paths in line.
func (t *trip) entries(entries []*dirty.Entry) {
	if len(entries) == 0 || t.out.Failure != nil || !t.step() {
		return
	}
	plan := rsync.MakePlan(entries, t.Except, t.w.ws.Lstat, rsync.PathMax)
	obstacles := plan.Obstacles(entries)
	for _, p := range obstacles {
		t.out.Obstacles = append(t.out.Obstacles, &dirty.Entry{Path: p})
	}
	if t.shared && len(obstacles) > 0 {
		t.out.Again.Entries = append(t.out.Again.Entries, entries...)
		return
	}
	if t.Confirm {
		plan.Deleted = slices.DeleteFunc(plan.Deleted, func(d rsync.Deletion) bool {
			return !slices.ContainsFunc(d.Entries, func(e *dirty.Entry) bool { return e.Path == d.Path })
		})
	}
	contents := never
	if t.Confirm {
		contents = t.place.checksum
	}
	t.trees(plan, entries)
	gone := t.judge(plan.Deleted)
	var counted remote.Count
	for _, c := range gone {
		counted = counted.Plus(remote.Count{Entries: c.names.Len(), Counted: c.names.Counted()})
	}
	t.Recent = t.Recent.Plus(counted) // what makes way before is judged with it
	for _, p := range slices.Concat(plan.Contents, plan.Quick) {
		part := dirty.Batch{Entries: concerning(entries, p)}
		if n := t.w.ws.find(p); n != nil && !n.IsDir() && t.place.names[p].mode.IsDir() && !t.obstructed(p, map[string]*node{p: n}, nil, part) {
			continue
		}
		t.send([]string{p}, contents, part)
	}
	for _, p := range plan.Replaced {
		if t.w.ws.isDir(p) {
			t.out.Again.Entries = append(t.out.Again.Entries, concerning(entries, p)...)
		}
	}
	t.Recent = t.Recent.Minus(counted)
	for _, c := range gone {
		if len(c.list) > 0 && t.step() && t.believesGone() {
			c.remove(dirty.Batch{Entries: entries}, true)
		}
	}
}

// trees sends directories with all below them, and deletes what else is there.
func (t *trip) trees(plan rsync.Plan, entries []*dirty.Entry) {
	except := plan.Except
	for _, tree := range plan.Trees {
		part := dirty.Batch{Entries: concerning(entries, tree)}
		if !t.step() {
			return
		}
		var names []string
		then := make(map[string]*node)
		t.w.ws.below(tree, func(p string, n *node) {
			then[p] = n
			if !isWithin(p, except) && !t.ignores(p) {
				names = append(names, p)
				if n.mode.IsRegular() {
					seq, since, _ := t.Order.Batch.Oldest()
					t.m.links.Look(p, n, seq, since)
				}
			}
		})
		if len(then) == 0 { // it has vanished
			t.out.Again.Entries = append(t.out.Again.Entries, part.Entries...)
			continue
		}
		if t.obstructed(tree, then, except, part) {
			t.send(names, t.place.checksum, part)
		}
	}
}

// judge decides about paths that are gone, and returns what may be deleted.
func (t *trip) judge(deleted []rsync.Deletion) (all []*tally) {
	if len(deleted) == 0 || !t.believesGone() {
		return nil
	}
	var entries []*dirty.Entry
	cleared, judged := &tally{t: t}, &tally{t: t}
	for _, d := range deleted {
		if d.Cleared() {
			one := &tally{t: t}
			one.add(d.Path)
			// Of a directory that was a file nobody has looked into that.
			if d.Unknown() && one.names.Len() == 0 || !d.Unknown() && !t.place.names[d.Path].mode.IsDir() {
				cleared.add(d.Path)
				continue
			}
		}
		entries = append(entries, d.Entries...)
		judged.add(d.Path)
	}
	cleared.names = guard.Names{}
	all = append(all, cleared)
	if len(entries) == 0 {
		return all
	}
	switch v := judged.verdict(true, t.asker.Calm()); v.Action {
	case guard.Wait:
		t.out.Later.Entries = append(t.out.Later.Entries, entries...)
	case guard.Hold:
		judged.hold(v, dirty.Batch{Entries: entries})
	default:
		all = append(all, judged)
	}
	return all
}
