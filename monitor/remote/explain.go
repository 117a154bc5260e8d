package remote

import (
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// explain says what is known of a path.
func (m *Machine) explain(q report.Question) report.PathStatus {
	path := q.Name()
	s := report.PathStatus{ID: q.ID, State: report.PathEqual, Sent: m.sent.of(path)}
	in := func(state report.PathState, batches ...dirty.Batch) bool {
		for _, b := range batches {
			if e := entryOver(b, path); e != nil {
				s.State, s.Since = state, timeOrNil(e.Since)
				if e.Path != path {
					s.Above = e.Path
				}
				return true
			}
		}
		for _, b := range batches {
			if b.Everything != nil {
				s.State, s.Since, s.Everything = state, timeOrNil(b.Everything.Since), true
				return true
			}
		}
		return false
	}
	failing := dirty.Batch{Entries: m.set.Failing()}
	switch {
	case m.apart.Unreachable != nil && (m.apart.Names.Has(path) || in(report.PathUnreachable, m.apart.batch())):
		s.State, s.Problem = report.PathUnreachable, "it was on a file system that is not mounted any more"
	case m.holds.held != nil && (m.holds.stopsAll() || m.holds.Names.Has(path)):
		s.State, s.Problem = report.PathHeld, m.holdReason()
	case in(report.PathFailing, failing):
		m.explainFailure(&s, entryOver(failing, path))
	case in(report.PathSending, m.underWay()...):
	case in(report.PathHeld, m.heldBatch()):
		s.Problem = m.holdReason()
	case in(report.PathPending, m.waits()):
	case m.isPostponed(path, &s):
	case m.confirmations.waiting.Covers(path) || entryOver(m.confirmations.running, path) != nil:
		s.State = report.PathAcknowledged
	case m.kept.has(path):
		s.State = report.PathKept
	}
	return s
}

// holdReason is why something is held, which is not shown at first.
func (m *Machine) holdReason() string {
	switch h := m.holds.held; {
	case h == nil:
		return ""
	case h.reason == "":
		return h.Verdict.Reason
	default:
		return h.reason
	}
}

// isPostponed takes in that the deletion of a path is to come, and reports whether it is.
func (m *Machine) isPostponed(path string, s *report.PathStatus) bool {
	due, ok := m.postponing.toCome(path)
	if ok {
		s.State, s.Due = report.PathPostponed, &due
	}
	return ok
}

func (m *Machine) explainFailure(s *report.PathStatus, e *dirty.Entry) {
	s.Problem, s.Hint = m.options.Words(e.Problem)
	s.Attempts = e.Attempts
	if !e.Parked() {
		s.NextTry = timeOrNil(e.NotBefore)
	}
}

// waits is all that waits for a transfer, in no order.
func (m *Machine) waits() (b dirty.Batch) {
	for e := range m.set.All() {
		b.Entries = append(b.Entries, e)
	}
	for _, move := range m.set.Moves() {
		b.Entries = append(b.Entries, &dirty.Entry{Path: move.From, Change: watch.Tree, Since: move.Since}, &dirty.Entry{Path: move.To, Change: watch.Tree, Since: move.Since})
	}
	b.Everything = m.set.Pass()
	return b
}

// entryOver is the entry of a batch with which a path comes or goes: its own, or that of
// a directory above it with all that is in there. It returns nil for none.
func entryOver(b dirty.Batch, path string) (over *dirty.Entry) {
	for _, e := range b.Entries {
		if e.Path == path {
			return e
		}
		if relpath.Below(path, e.Path) && e.Change&(watch.Tree|watch.Entry) != 0 {
			over = e
		}
	}
	return over
}

// sentLimit is how many paths are remembered with how they were sent.
const sentLimit = 1000

// sentPaths remembers how paths were sent last, the newest sentLimit of them.
type sentPaths struct {
	by    map[string]*sentPath
	order []string // a ring, in which next is the oldest when it is full
	next  int
}

type sentPath struct {
	report.PathSent
	whole bool // with all that is below it
}

// of returns how a path was sent, or a directory above it with all that is in it, nil if
// that is not remembered.
func (s *sentPaths) of(path string) *report.PathSent {
	for dir := path; ; dir = relpath.Parent(dir) {
		if sent := s.by[dir]; sent != nil && (dir == path || sent.whole) {
			found := sent.PathSent
			if dir != path {
				found.With = dir
			}
			return &found
		}
		if dir == "" {
			return nil
		}
	}
}

// add takes in that an entry was sent.
func (s *sentPaths) add(e *dirty.Entry, way string, now time.Time) {
	if s.by == nil {
		s.by = make(map[string]*sentPath)
	}
	new := &sentPath{report.PathSent{At: now, Way: way}, e.Change&(watch.Tree|watch.Entry) != 0}
	if s.by[e.Path] == nil {
		if len(s.order) < sentLimit {
			s.order = append(s.order, e.Path)
		} else {
			delete(s.by, s.order[s.next])
			s.order[s.next], s.next = e.Path, (s.next+1)%sentLimit
		}
	}
	s.by[e.Path] = new
}

// take takes in how a transfer ended that did not fail.
func (s *sentPaths) take(order Order, out Outcome, now time.Time) {
	back := make(map[string]bool)
	for _, entries := range [][]*dirty.Entry{out.Again.Entries, out.Later.Entries, out.Large.Entries, out.Failed, out.heldEntries()} {
		for _, e := range entries {
			back[e.Path] = true
		}
	}
	direct := make(map[string]bool, len(out.Unconfirmed))
	for _, e := range out.Unconfirmed {
		direct[e.Path] = true
		s.add(e, report.WayDirect, now)
	}
	for _, e := range order.Batch.Entries {
		switch sent := s.by[e.Path]; {
		case back[e.Path] || direct[e.Path]:
		case !order.Confirm:
			s.add(e, report.WayRsync, now)
		case sent != nil && sent.Way == report.WayDirect && sent.ComparedAt == nil:
			at := now
			sent.ComparedAt = &at
		}
	}
}

// heldEntries are the paths that are held.
func (o Outcome) heldEntries() []*dirty.Entry {
	if o.Hold == nil {
		return nil
	}
	return o.Hold.Entries
}
