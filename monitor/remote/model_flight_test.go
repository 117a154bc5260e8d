package remote

import (
	"maps"
	"slices"
	"strings"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// modelFlight is a transfer of a model: the direct lane first, which looks at all of
// its paths, and then changes all; then rsync, which looks, and changes one after the
// other, and at last sets the times of the directories that it came through.
type modelFlight struct {
	*Sending
	m         *model
	cancelled bool
	stages    []func()
	out       Outcome
	rest      []*dirty.Entry // for rsync
}

// looked is what a flight has seen here: of a path, with all below it, or of the time
// of a directory.
type looked struct {
	path  string
	below bool
	then  map[string]state
	entry *dirty.Entry // why it looked, nil for times
}

func (m *model) send() {
	s := m.Send(noRepositories{}, m.seq, !m.chance(20), m.now)
	if s == nil {
		return
	}
	m.begun++
	m.shuffle(s.Order.Batch.Entries)
	for _, p := range namesOf(s.Order.Batch) {
		if s.Order.Beside && p != "" && m.running.left.Touches(p) {
			m.t.Errorf("%q goes beside a transfer for whose end it waits", p)
		}
	}
	m.logf("transfer of %q, everything %v, confirm %v, beside %v", namesOf(s.Order.Batch), s.Order.Batch.Everything != nil, s.Order.Confirm, s.Order.Beside)
	f := &modelFlight{Sending: s, m: m}
	m.flights = append(m.flights, f)
	f.rest = s.Order.Batch.Entries
	if s.Order.Batch.Everything == nil && !s.Order.Confirm && (s.Order.Beside || !m.chance(4)) {
		f.stages = append(f.stages, f.planDirectly)
	} else {
		f.rest = s.Order.Batch.WithoutMoves().Entries
		f.stages = append(f.stages, f.planRsync)
	}
}

// advance carries out the next stage, or ends the transfer.
func (f *modelFlight) advance() {
	switch m := f.m; {
	case f.cancelled:
		f.end(&Failure{Kind: Canceled})
	case m.goesWrong(40):
		f.out.Causes |= Cause(m.rng.IntN(16))
		f.end(&Failure{Kind: FailureKind(m.rng.IntN(3)), Message: "trouble"})
	case len(f.stages) == 0:
		f.end(nil)
	default:
		stage := f.stages[0]
		f.stages = f.stages[1:]
		stage()
	}
}

func (f *modelFlight) end(failure *Failure) {
	m := f.m
	m.flights = slices.DeleteFunc(m.flights, func(g *modelFlight) bool { return g == f })
	if f.out.Failure = failure; failure != nil {
		f.out.Late = f.out.Unconfirmed
	}
	for _, e := range f.Order.Batch.Entries {
		if _, ok := m.unverified[e.Path]; ok && failure != nil {
			m.unverified[e.Path] = e.Seq // it goes back, and with it what it stood for
		}
		for dir := relpath.Parent(e.Path); dir != ""; dir = relpath.Parent(dir) {
			if !m.isDir(dir) {
				f.out.Obstacles = append(f.out.Obstacles, &dirty.Entry{Path: dir})
			}
		}
	}
	m.logf("end of %q: failure %v, again %q, later %q, failed %d, hold %v, unconfirmed %q", namesOf(f.Order.Batch), failure, namesOf(f.out.Again), namesOf(f.out.Later), len(f.out.Failed), f.out.Hold != nil, namesOf(dirty.Batch{Entries: f.out.Unconfirmed}))
	marked := m.End(f.Sending, f.out, nil, m.now).Marked
	m.events = append(m.events, marked)
	m.answer()
}

// look looks at what an entry is about: at what is in the way to it, if that is no
// directory.
func (f *modelFlight) look(e *dirty.Entry) looked {
	l := looked{path: e.Path, below: e.Change&(watch.Entry|watch.Tree) != 0, then: maps.Clone(f.m.here), entry: e}
	for dir := relpath.Parent(e.Path); dir != ""; dir = relpath.Parent(dir) {
		if !f.m.isDir(dir) {
			l.path, l.below = dir, true
		}
	}
	l.below = l.below || l.then[e.Path] == 0
	return l
}

// apply gives the remote what was seen.
func (f *modelFlight) apply(l looked) {
	there := f.m.there
	for p := range maps.Clone(there) {
		if (p == l.path || l.below && isWithinModel(p, l.path)) && l.then[p] == 0 {
			delete(there, p)
		}
	}
	for p, s := range l.then {
		if p == l.path || p == l.path+"/" || l.below && isWithinModel(p, l.path) {
			there[p] = s
		}
	}
	f.m.logf("apply %s, below %v: %d", l.path, l.below, l.then[l.path])
}

// applyTime gives a directory of the remote its time, if it is there.
func (f *modelFlight) applyTime(dir string, then map[string]state) {
	if dir != "" && f.m.there[dir] == 0 {
		return
	}
	if s := then[dir+"/"]; s != 0 {
		f.m.there[dir+"/"] = s
		f.m.logf("time of %q: %d", dir, s)
	}
}

// planDirectly looks at what the direct lane takes, and leaves the rest. Beside
// another transfer it removes nothing.
func (f *modelFlight) planDirectly() {
	m, batch := f.m, f.Order.Batch
	if f.Order.Beside {
		batch = batch.WithoutMoves()
		m.shuffle(batch.Entries)
	}
	f.rest = nil
	switch {
	case f.Order.Uncompared && f.Order.Beside:
		f.out.Again.Entries = batch.Entries
		return
	case f.Order.Uncompared:
		f.rest = batch.WithoutMoves().Entries
		f.stages = append(f.stages, f.planRsync)
		return
	}
	if f.Order.Overtaken {
		if f.Order.Beside {
			f.out.Again.Entries = batch.Entries
			return
		}
		if m.goesWrong(5) { // the watcher does not answer
			f.rest = batch.WithoutMoves().Entries
			f.stages = append(f.stages, f.planRsync)
			return
		}
		m.tell()
		batch.Entries = slices.DeleteFunc(slices.Clone(batch.Entries), func(e *dirty.Entry) bool {
			announced := m.Announces(e.Path)
			if announced {
				f.out.Again.Entries = append(f.out.Again.Entries, e)
			}
			return announced
		})
	}
	var plan []looked
	slices.SortFunc(batch.Entries, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	above := func(p string, entries []*dirty.Entry) bool {
		return slices.ContainsFunc(entries, func(e *dirty.Entry) bool { return e.Change&^watch.Meta != 0 && relpath.Below(p, e.Path) })
	}
	var trees []*dirty.Entry
	for _, e := range batch.Entries {
		l := f.look(e)
		gone := l.then[l.path] == 0
		switch {
		case above(e.Path, f.rest) || slices.ContainsFunc(f.Order.Except, func(p string) bool { return isWithinModel(e.Path, p) }):
			f.rest = append(f.rest, e)
		case above(e.Path, trees):
			tree := trees[slices.IndexFunc(trees, func(t *dirty.Entry) bool { return relpath.Below(e.Path, t.Path) })]
			tree.Seq, tree.Since = min(tree.Seq, e.Seq), earlier(tree.Since, e.Since)
		case l.path != e.Path || e.Failing() || gone && f.Order.Beside || m.chance(6):
			f.rest = append(f.rest, e)
		case gone && m.goesWrong(5):
			f.out.Later.Entries = append(f.out.Later.Entries, e)
		case m.there[e.Path] != 0 && m.there[e.Path+"/"] == 0 && l.then[e.Path+"/"] != 0:
			f.rest = append(f.rest, e) // a file is in the way
		default:
			if l.below && !gone && m.dirs[e.Path] {
				whole := *e
				l.entry = &whole
				trees = append(trees, l.entry)
			}
			plan = append(plan, l)
		}
	}
	f.stages = append(f.stages, func() { f.fly(batch.Moves, plan) })
}

// fly repeats moves, and applies a plan.
func (f *modelFlight) fly(moves []dirty.Move, plan []looked) {
	m := f.m
	var refused []dirty.Move
	for _, move := range moves {
		if m.there[move.From] == 0 || len(refused) > 0 || m.goesWrong(20) {
			refused = append(refused, move)
			continue
		}
		m.logf("repeat %s > %s", move.From, move.To)
		renameIn(m.there, move.From, move.To)
		renameIn(m.unverified, move.From, move.To)
		m.unverified[move.From], m.unverified[move.To] = move.Seq, move.Seq
		to, from := move.States()
		f.out.Unconfirmed = append(f.out.Unconfirmed, to, from)
		for _, name := range []string{move.From, move.To} {
			f.applyTime(relpath.Parent(name), m.here)
		}
	}
	dirs := make(map[string]map[string]state)
	for _, l := range plan {
		if parent := relpath.Parent(l.path); parent != "" && m.there[parent] == 0 {
			f.rest = append(f.rest, l.entry)
			continue
		} else if parent != "" && m.there[parent+"/"] == 0 {
			m.t.Errorf("%q goes through what is no directory", l.path)
		}
		f.apply(l)
		m.unverified[l.path] = l.entry.Seq
		f.out.Unconfirmed = append(f.out.Unconfirmed, &dirty.Entry{Path: l.path, Change: l.entry.Change&watch.Tree | watch.Content, Seq: l.entry.Seq, Since: l.entry.Since})
		dirs[relpath.Parent(l.path)] = l.then
	}
	for dir, then := range dirs {
		f.applyTime(dir, then)
	}
	f.rest = dirty.Batch{Moves: refused, Entries: f.rest}.WithoutMoves().Entries
	switch {
	case f.Order.Beside:
		f.out.Again.Entries = f.rest
	case len(f.rest) > 0:
		f.stages = append(f.stages, f.planRsync)
	}
}

// planRsync looks at all that is left.
func (f *modelFlight) planRsync() {
	m := f.m
	if !slices.ContainsFunc(f.rest, func(e *dirty.Entry) bool { return f.look(e).path != e.Path }) {
		m.OnlyRsync(f.Sending, m.chance(2), m.now) // see transfer.share
	}
	m.shuffle(f.rest)
	var plan []looked
	dirs := make(map[string]bool)
	for _, e := range f.rest {
		l := f.look(e)
		if l.path != e.Path {
			f.out.Obstacles = append(f.out.Obstacles, &dirty.Entry{Path: l.path})
		}
		for dir := e.Path; dir != ""; {
			dir = relpath.Parent(dir)
			dirs[dir] = true
		}
		plan = append(plan, l)
	}
	then := maps.Clone(m.here)
	if f.Order.Batch.Everything != nil {
		f.stages = append(f.stages, func() { f.pass(then) })
	}
	for _, l := range plan {
		f.stages = append(f.stages, func() { f.run(l) })
	}
	for range m.rng.IntN(8) {
		f.stages = append(f.stages, func() {}) // it takes its time
	}
	f.stages = append(f.stages, func() {
		for dir := range dirs {
			f.applyTime(dir, then)
		}
	})
}

// pass applies all that was seen but what fails, and what it takes for the same: it
// compares sizes and times.
func (f *modelFlight) pass(then map[string]state) {
	excepted := func(p string) bool {
		return slices.ContainsFunc(f.Order.Except, func(e string) bool { return isWithinModel(p, e) })
	}
	if f.m.goesWrong(6) {
		f.out.Again.Everything = f.Order.Batch.Everything
		return
	}
	maps.DeleteFunc(f.m.there, func(p string, _ state) bool { return then[p] == 0 && !excepted(p) })
	for _, p := range slices.Sorted(maps.Keys(then)) {
		if !isTime(p) && !f.m.dirs[p] && then[p+"/"] == 0 && !excepted(p) && f.m.goesWrong(20) {
			e := f.Order.Batch.Everything
			f.out.Large.Entries = append(f.out.Large.Entries, &dirty.Entry{Path: p, Change: watch.Entry | watch.Content, Seq: e.Seq, Since: e.Since})
			continue
		}
		same := !isTime(p) && f.m.there[p] != 0 && f.m.there[p+"/"] == then[p+"/"] && f.m.chance(3)
		if !excepted(p) && !same {
			f.m.there[p] = then[p]
		}
	}
}

// run brings one path in line, or does not.
func (f *modelFlight) run(l looked) {
	m, e := f.m, l.entry
	gone := l.then[l.path] == 0
	failed := f.out.Hold != nil && slices.ContainsFunc(f.out.Hold.Entries, func(h *dirty.Entry) bool { return h.Path != e.Path && isWithinModel(e.Path, h.Path) })
	switch {
	case failed:
		f.out.Again.Entries = append(f.out.Again.Entries, e)
	case !f.Order.Confirm && gone && m.goesWrong(8):
		if f.out.Hold == nil {
			f.out.Hold = &Hold{Verdict: guard.Verdict{Action: guard.Hold}}
		}
		f.out.Hold.Names.Add(e.Path, true)
		f.out.Hold.Entries = append(f.out.Hold.Entries, e)
	case m.goesWrong(12):
		entry := *e
		entry.Attempts, entry.Problem = e.Attempts+1, "no"
		f.out.Failed = append(f.out.Failed, &entry)
	case m.goesWrong(12):
		f.out.Again.Entries = append(f.out.Again.Entries, e)
	case !f.Order.Confirm && m.goesWrong(12):
		f.out.Large.Entries = append(f.out.Large.Entries, e)
	case f.Order.Confirm && l.path != e.Path:
		// It went afterwards with what is above it, of which there is an event.
		delete(m.unverified, e.Path)
	default:
		f.apply(l)
		maps.DeleteFunc(m.unverified, func(p string, _ uint64) bool { return p == e.Path || l.below && isWithinModel(p, l.path) })
		for dir := relpath.Parent(l.path); dir != ""; dir = relpath.Parent(dir) {
			if m.there[dir] == 0 && l.then[dir] != 0 { // an implied directory
				m.there[dir], m.there[dir+"/"] = l.then[dir], l.then[dir+"/"]
			}
		}
	}
}

// shuffle brings entries into an order that only the seed decides.
func (m *model) shuffle(entries []*dirty.Entry) {
	slices.SortFunc(entries, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	m.rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
}
