package remote

import (
	"cmp"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// listings are lists of what is open that somebody waits for, and those of them that were
// made.
type listings struct {
	wanted []report.Listing
	made   []report.ListingStatus
	begun  map[string]bool
}

// define takes in which ones are wanted.
func (l *listings) define(wanted []report.Listing) {
	l.wanted = wanted
	l.made = slices.DeleteFunc(l.made, func(s report.ListingStatus) bool { return !l.wants(s.ID) })
	for id := range l.begun {
		if !l.wants(id) {
			delete(l.begun, id)
		}
	}
}

func (l *listings) wants(id string) bool {
	return slices.ContainsFunc(l.wanted, func(w report.Listing) bool { return w.ID == id })
}

// Lists reports whether somebody waits for a listing.
func (m *Machine) Lists(id string) bool { return m.listings.wants(id) }

// BeginListings returns the IDs of the listings that are to be made now, of Open.
func (m *Machine) BeginListings() (due []string) {
	l := &m.listings
	for _, w := range l.wanted {
		if l.begun[w.ID] {
			continue
		}
		if l.begun == nil {
			l.begun = make(map[string]bool)
		}
		l.begun[w.ID] = true
		due = append(due, w.ID)
	}
	return due
}

// Listed takes in that a listing was made, or why it was not.
func (m *Machine) Listed(s report.ListingStatus) {
	if m.listings.wants(s.ID) {
		m.listings.made = append(m.listings.made, s)
	}
}

// Open are all paths that are open, each once, in the order of their names; before them a
// full pass that is due.
func (m *Machine) Open(now time.Time) []report.OpenPath {
	o := opens{m: m, now: now}
	for _, b := range m.underWay() {
		o.batch(b, report.PathSending)
	}
	o.batch(m.heldBatch(), report.PathHeld)
	o.batch(dirty.Batch{Everything: m.set.Pass(), Moves: m.set.Moves()}, report.PathPending)
	for e := range m.set.All() {
		o.entry(e, report.PathPending)
	}
	slices.SortStableFunc(o.all, func(a, b report.OpenPath) int {
		if a.Everything != b.Everything {
			if a.Everything {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Path, b.Path)
	})
	return slices.CompactFunc(o.all, func(a, b report.OpenPath) bool { return a.Path == b.Path && a.Everything == b.Everything })
}

// opens collects open paths, what says most about a path before what says less.
type opens struct {
	m   *Machine
	now time.Time
	all []report.OpenPath
}

func (o *opens) batch(b dirty.Batch, state report.PathState) {
	if b.Everything != nil {
		o.entry(b.Everything, state)
		pass := &o.all[len(o.all)-1]
		pass.Everything, pass.Tree = true, false
	}
	for _, move := range b.Moves {
		p := report.OpenPath{State: state, Tree: move.Dir, Since: timeOrNil(move.Since)}
		p.SetName(move.To)
		p.SetFrom(move.From)
		o.all = append(o.all, p)
	}
	for _, e := range b.Entries {
		o.entry(e, state)
	}
}

// entry adds one that is in a state unless something is wrong with it.
func (o *opens) entry(e *dirty.Entry, state report.PathState) {
	p := report.OpenPath{
		State: state, Tree: e.Change&watch.Tree != 0, Window: e.Windowed,
		Since: timeOrNil(e.Since), Attempts: e.Attempts,
	}
	p.SetName(e.Path)
	if e.Failing() {
		p.Problem, p.Hint = o.m.options.Words(e.Problem)
	}
	switch {
	case state == report.PathHeld:
		p.Problem = o.m.holdReason()
	case state != report.PathPending:
	case o.m.set.Skips(e):
		p.State = report.PathSkipped
	case e.Failing():
		p.State = report.PathFailing
	}
	switch {
	case state != report.PathPending:
	case e.Parked():
		at, _ := o.m.passes.Next()
		p.NextTry = timeOrNil(at)
	case e.NotBefore.After(o.now):
		p.NextTry = timeOrNil(e.NotBefore)
	}
	o.all = append(o.all, p)
}
