//go:build linux

package simulation

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/links"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/requests"
	"wsync/monitor/watch"
	"wsync/monitor/worker"
)

// monitor hands what the watcher tells to the workers, as package monitor does.
type monitor struct {
	w    *world
	life *life
	seq  uint64

	live  *exclude.Live
	ruled []exclude.Rules // all that were in force, the last one now
	links *links.Index
	// known are the names that the index has seen of files with several.
	known map[linkName]bool
	// searchAt is when the names of files are looked for, zero for never; lookAt is when a
	// halted workspace is looked at again.
	searchAt, lookAt time.Time
	requests         requests.Queue
	workers          []*mirrored
	definition       report.Definition
	halt             string
	armed            bool
	lossy            watch.Lossy
	turns            worker.Turns
}

// mirrored is a remote and its worker.
type mirrored struct {
	*worker.Worker
	place   *place
	carrier *carrier
	wake    time.Time // when its turn is
	ctx     context.Context
	stop    context.CancelFunc
	answers bool // something may be answered
	// holds is the mark since which something is held, as far as a person has looked, and
	// held since when.
	holds uint64
	held  time.Time
}

// startMonitor begins with what is remembered.
func (w *world) startMonitor() *monitor {
	m := &monitor{w: w, life: w.newLife()}
	m.live = exclude.NewLive("/nonexistent", w.daemon.workspace)
	m.ruled = []exclude.Rules{m.live.Rules()}
	m.known = make(map[linkName]bool)
	m.links = links.New(linked{w.ws, m}, func(name string) bool { return m.rules().Excludes(name, false) }, m.tellLinks)
	m.links.Now = m.life.Now
	w.events = &watcher{f: w.ws, watched: make(map[uint64]bool), lossy: w.events.lossy, limit: w.events.limit}
	w.daemon.monitor = m
	return m
}

// linkName is a name of a file, which has a number.
type linkName struct {
	number uint64
	name   string
}

// linked is the workspace as the index of links sees it.
type linked struct {
	*workspace
	m *monitor
}

// Lstat implements links.Tree.
func (l linked) Lstat(path string) (fs.FileInfo, error) {
	l.sees(path, l.find(path))
	return l.workspace.Lstat(path)
}

// Files implements links.Tree.
func (l linked) Files(ctx context.Context, path string, visit func(name string, e fs.DirEntry) bool) {
	l.workspace.Files(ctx, path, func(name string, e fs.DirEntry) bool {
		l.sees(name, l.find(name))
		return visit(name, e)
	})
}

func (l linked) sees(name string, n *node) {
	if n != nil && n.stat.Nlink > 1 {
		l.m.known[linkName{n.stat.Ino, name}] = true
	}
}

// arm has the tree watched.
func (m *monitor) arm() {
	m.w.note("armed", "", 0)
	m.w.events.armed, m.armed = true, true
	m.w.events.watch("")
	for _, r := range m.workers {
		r.Arm()
	}
}

func (m *monitor) rules() exclude.Rules { return m.live.Rules() }

// each calls f for all workers with the number of a new mark.
func (m *monitor) each(f func(r *mirrored, seq uint64)) {
	m.seq++
	seq := m.seq
	for _, r := range m.workers {
		f(r, seq)
	}
}

// deliver has the watcher tell of what is first in its queue.
func (m *monitor) deliver() {
	v := m.w.events
	e := v.queue[0]
	v.queue = v.queue[1:]
	switch {
	case e.then != nil:
		e.then()
	case e.lost:
		m.w.note("events were lost", "", 0)
		v.watch("")
		m.everything(0)
		m.recheck()
	case e.to != "":
		n := m.w.ws.find(e.to)
		dir := e.change&watch.Tree != 0
		if v.watch(e.to) || n == nil && dir {
			// What it was called was not known, or is not any more.
			m.changed(e.to, e.change)
			m.changed(e.path, e.change)
			return
		}
		m.moved(e.path, e.to, dir)
	default:
		if e.change&watch.Tree != 0 {
			v.watch(e.path)
		}
		m.changed(e.path, e.change)
	}
}

// changed is mirror.Changed.
func (m *monitor) changed(path string, change watch.Change) {
	m.w.note("event", path, int(change))
	if path, change = m.rules().Change(path, change); change == 0 {
		return
	}
	m.seq++
	var others []string
	a := links.Complete
	if change&watch.Tree == 0 {
		others, a = m.links.Notice(path, m.seq, m.w.now)
	}
	content := change & (watch.Content | watch.Meta | watch.Open)
	if content&^watch.Open == 0 {
		others = nil
	}
	for _, r := range m.workers {
		r.Mark(path, change, others, content, m.seq, m.w.now)
	}
	if a != links.Complete {
		m.tellLinks(nil, a)
	}
	m.compensate()
}

// moved is mirror.Moved.
func (m *monitor) moved(from, to string, dir bool) {
	m.w.note("event", from+" > "+to, 0)
	change := watch.Entry | watch.Content
	if dir {
		change |= watch.Tree
	}
	if rules := m.rules(); rules.Excludes(from, dir) || rules.Excludes(to, dir) || dir && !rules.Alike(from, to) {
		m.changed(to, change)
		m.changed(from, change)
		return
	}
	m.links.Moved(from, to, dir)
	repeatable := !m.w.events.lossy
	m.each(func(r *mirrored, seq uint64) { r.Moved(from, to, change, repeatable, seq, m.w.now) })
	m.compensate()
}

func (m *monitor) compensate() {
	if m.w.events.lossy {
		m.everything(m.lossy.After(m.w.now))
	}
}

// everything makes full passes due.
func (m *monitor) everything(delay time.Duration) {
	m.each(func(r *mirrored, seq uint64) {
		r.Everything(remote.PassEvents, seq, m.w.now, m.w.now.Add(delay))
	})
}

// tellLinks is mirror.tellLinks.
func (m *monitor) tellLinks(found []links.Marks, a links.Answer) {
	if len(found) > 0 {
		m.each(func(r *mirrored, _ uint64) {
			for _, f := range found {
				r.MarkNames(f.Names, f.Seq, f.Since, m.w.now)
			}
		})
	}
	switch a {
	case links.Beyond:
		m.each(func(r *mirrored, seq uint64) { r.NamesUnknown(seq, m.w.now) })
	case links.Asks:
		m.tellSearch()
		if m.searchAt.IsZero() {
			m.searchAt = m.w.now.Add(20 * time.Millisecond)
		}
	}
}

func (m *monitor) tellSearch() {
	seq, since, files := m.links.Oldest()
	for _, r := range m.workers {
		r.SetSearch(remote.Search{Seq: seq, Since: since, Files: files})
	}
}

// search is a round of mirror.search.
func (m *monitor) search() {
	m.links.Recheck()
	if _, _, open := m.links.Oldest(); open > 0 {
		m.links.Scan(m.life.ctx)
	}
	if m.links.GiveUp() {
		m.everything(0)
		m.links.Finish(nil)
	}
	m.tellSearch()
	m.searchAt = time.Time{}
	if _, _, open := m.links.Oldest(); open > 0 {
		m.searchAt = m.w.now.Add(20 * time.Millisecond)
	}
}

// afterEvents is mirror.afterEvents.
func (m *monitor) afterEvents(do func()) {
	m.requests.Add(func(n uint64) {
		m.w.events.tell(event{then: func() { m.requests.Reached(n) }})
	}, do)
}

// checkRoot says what is wrong with the root.
func (m *monitor) checkRoot() string {
	if m.w.ws.gone {
		return "the workspace's directory is gone"
	}
	return ""
}

func (m *monitor) recheck() { m.setHalt(m.checkRoot()) }

// setHalt is mirror.setHalt.
func (m *monitor) setHalt(reason string) {
	before := m.halt
	m.halt = reason
	if reason != "" && m.lookAt.IsZero() {
		m.lookAt = m.w.now.Add(time.Second)
	}
	if reason == before {
		return
	}
	m.w.note("halt "+reason, "", 0)
	for _, r := range m.workers {
		m.seq++
		r.Halt(reason, m.seq, m.w.now)
	}
}

// guard is mirror.checkAndHalt.
func (m *monitor) guard(uint64) string {
	reason := m.checkRoot()
	if reason != "" {
		m.setHalt(reason)
	}
	return reason
}

// define is mirror.define.
func (m *monitor) define(d report.Definition) {
	barrier := d.Barrier != m.definition.Barrier
	m.definition = d
	m.workers = slices.DeleteFunc(m.workers, func(r *mirrored) bool {
		is := slices.ContainsFunc(d.Workspace.Remotes, func(c config.Remote) bool { return c.ID == r.ID() })
		if !is {
			r.stop()
		}
		return !is
	})
	for _, c := range d.Workspace.Remotes {
		m.defineRemote(c)
	}
	m.recheck()
	if s, ok := m.live.Define(m.life.ctx, d.Workspace); ok {
		m.ruled = append(m.ruled, m.rules())
		m.w.note("ruled", "", len(m.ruled))
		m.apply(s)
	}
	if barrier {
		m.afterEvents(func() { m.reached(d.Barrier) })
	}
}

// defineRemote is mirror.defineRemote.
func (m *monitor) defineRemote(c config.Remote) {
	d := remote.DefinitionOf(m.definition, c)
	for _, r := range m.workers {
		if r.ID() == c.ID {
			m.seq++
			r.Define(d, m.seq, m.w.now)
			return
		}
	}
	r := &mirrored{place: m.w.placeOf(c.Name)}
	r.carrier = &carrier{w: m.w, m: m, place: r.place, lost: -1}
	r.ctx, r.stop = context.WithCancel(m.life.ctx)
	random := &chances{m.w.Uint64()}
	r.Worker = worker.New(worker.Options{
		Log: zap.NewNop(), Root: "/nonexistent", Carrier: r.carrier, World: m.life, Random: rand.New(random),
		Guard:    m.guard,
		NextMark: func() uint64 { m.seq++; return m.seq }, LastMark: func() uint64 { return m.seq },
		AfterEvents: m.afterEvents, AfterChanges: m.afterEvents,
		Changed:  func(atOnce bool) { r.answers = r.answers || atOnce },
		Happened: func(report.Event) {}, Stamp: worker.StampPath("/nonexistent", c), Turns: &m.turns,
	}, c)
	m.seq++
	r.Define(d, m.seq, m.w.now)
	m.seq++
	r.Everything(remote.PassStart, m.seq, m.w.now, m.w.now)
	if m.armed {
		r.Arm()
	}
	if m.halt != "" {
		m.seq++
		r.Halt(m.halt, m.seq, m.w.now)
	}
	r.wake = m.w.now
	m.workers = append(m.workers, r)
}

// apply is mirror.apply: what is released is told of like a change.
func (m *monitor) apply(s exclude.Settled) {
	for _, p := range m.w.ws.all() {
		n := m.w.ws.names[p]
		before, after := s.Before.Excludes(p, n.IsDir()), s.After.Excludes(p, n.IsDir())
		if dir := relpath.Parent(p); before && !after && (dir == "" || !s.Before.Excludes(dir, true)) {
			m.changed(p, kindOf(n))
		}
	}
	if s.Loosened {
		m.everything(0)
	}
}

// reached is mirror.reached.
func (m *monitor) reached(n uint64) {
	m.recheck()
	if m.w.events.lossy {
		m.everything(0)
	}
	m.w.note("barrier", "", int(n))
	m.each(func(r *mirrored, seq uint64) { r.AddBarrier(n, seq, m.w.now) })
}

// turn has a worker take its turn.
func (m *monitor) turn(r *mirrored) {
	if wait := r.Turn(r.ctx); wait > 0 {
		r.wake = m.w.now.Add(wait)
	} else {
		r.wake = m.w.now
	}
}

// due reports whether it is a worker's turn: it is woken, or its time has come.
func (r *mirrored) due(now time.Time) bool {
	if r.Woken() {
		r.wake = now
	}
	return !r.wake.After(now)
}
