package remote

import (
	"slices"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// VerifyState is what is to be remembered of comparisons of all contents for the next
// monitor.
type VerifyState struct {
	// Last is what the last one has found, nil if there was none.
	Last *report.Verification `json:"last,omitempty"`
	// Due is when the next one in the background is to begin, zero if that is not decided.
	Due time.Time `json:"due,omitzero"`
	// Begun is one in the background that has begun, nil for none.
	Begun *Begun `json:"begun,omitempty"`
}

// Begun is how far a verification in the background is.
type Begun struct {
	report.Verification
	Position
	TotalFiles int   `json:"total_files,omitempty"`
	TotalBytes int64 `json:"total_bytes,omitempty"`
}

// Position is where a verification in the background goes on.
type Position struct {
	// Looked: names, sizes and times were compared. After is the last file that was
	// compared by its contents after that, in the order of a walk.
	Looked bool   `json:"looked,omitempty"`
	After  []byte `json:"after,omitempty"`
}

// Part is a part of a comparison of contents, all of whose differences were explained.
type Part struct {
	Position
	// Last: nothing more is to come.
	Last bool
	// Files and Bytes were compared in it by their contents, TotalFiles and TotalBytes are
	// how much there is in all, 0 if that is not known.
	Files      int
	Bytes      int64
	TotalFiles int
	TotalBytes int64
	// Differences, Pending, Repaired and Found are those of report.Verification.
	Differences, Pending, Repaired int
	Found                          []report.Difference
}

// The bounds of what a verification in the background takes.
const (
	// verifyRate is how many bytes a second are read here at most, on average, and
	// verifyShare which part of the time is spent at most.
	verifyRate  = 10_000_000
	verifyShare = 5
	// A first one, and one that is overdue when the monitor starts, begins within
	// a part of the interval, but no later than in so long.
	verifyFirst, verifyLate = time.Hour, 10 * time.Minute
	verifySpread            = 20
	// verifyAgain is when one that failed is tried again, verifySoon when one that
	// was interrupted goes on.
	verifyAgain, verifySoon = 5 * time.Minute, 5 * time.Second
	// A step gives way to what has to wait for it, if it takes longer than giveWayAfter,
	// and not more than giveWayMost times in a row. One that has waited for verifyPatience
	// comes before transfers.
	giveWayAfter   = time.Second
	giveWayMost    = 3
	verifyPatience = time.Minute
)

// VerifyDue decides when a verification in the background is due: how often, and how early
// it may be, is every, zero for never; due is what was decided before and last when the last
// one ended, both zero for not known. first: the monitor starts. share, from 0 to 1, spreads.
func VerifyDue(every time.Duration, due, last time.Time, first bool, share float64, now time.Time) time.Time {
	within := func(limit time.Duration) time.Time {
		return now.Add(time.Duration(share * float64(min(every/verifySpread, limit))))
	}
	switch {
	case every == 0:
		return time.Time{}
	case due.IsZero() || due.After(now.Add(every+every/8)): // the interval was longer, or the clock set back
		if at := last.Add(every); !last.IsZero() && at.After(now) && !last.After(now) {
			return at
		}
		return within(verifyFirst)
	case first && due.Before(now):
		return within(verifyLate)
	}
	return due
}

// verifyPause is how long nothing is to be done after a step that took so long, and read
// so many bytes.
func verifyPause(took time.Duration, read int64) time.Duration {
	return max((verifyShare-1)*took, time.Duration(float64(read)/verifyRate*float64(time.Second))-took)
}

// turn is whose turn it is to verify: one remote of a workspace at a time.
type turn int

const (
	turnNone  turn = iota
	turnAsked      // it is another one's
	turnHas
)

// verifying is about verifications in the background, and what the last one found.
type verifying struct {
	VerifyState
	every time.Duration // 0 for never
	// busy: somebody waits for a comparison of the workspace.
	busy    bool
	turn    turn
	at      time.Time // of the next step at the earliest
	problem string    // why it does not go on
	gaveWay int       // times in a row
	// changed: the state is not what was to be remembered last, and savedAt when that was.
	changed bool
	savedAt time.Time
}

// defineVerify takes in how often, and whether what differs is repaired.
func (m *Machine) defineVerify(d Definition, first, repaired bool, seq uint64, now time.Time) {
	v := &m.verifying
	v.every, v.busy = d.Remote.Verify.Or(d.Settings.VerifyInterval), d.Busy
	if v.every == 0 {
		v.forget()
	}
	v.plan(first, m.options.Random.Float64(), now)
	if d.Remote.VerifyRepair && !repaired && !first {
		m.repairFound(seq, now)
	}
}

// plan decides when the next one is due.
func (v *verifying) plan(first bool, share float64, now time.Time) {
	var last time.Time
	if v.Last != nil {
		last = v.Last.Ended
	}
	if due := VerifyDue(v.every, v.Due, last, first && v.Begun == nil, share, now); !due.Equal(v.Due) {
		v.Due, v.changed, v.savedAt = due, true, time.Time{}
	}
}

// forget takes back that one has begun.
func (v *verifying) forget() {
	if v.Begun != nil {
		v.Begun, v.changed, v.savedAt = nil, true, time.Time{}
	}
	v.problem = ""
}

// otherRoot takes in that the workspace is another directory, of which nothing was verified.
func (v *verifying) otherRoot() {
	v.forget()
	v.Last, v.Due, v.changed, v.savedAt = nil, time.Time{}, true, time.Time{}
}

// repairFound has what the last one found brought in line, or looked for once more if it
// is not known by name.
func (m *Machine) repairFound(seq uint64, now time.Time) {
	v := &m.verifying
	if v.Last == nil || v.Last.Open == 0 {
		return
	}
	if v.Last.Open > len(v.Last.Found) && v.every > 0 {
		v.Due = now
	}
	for i := range v.Last.Found {
		if d := &v.Last.Found[i]; d.State == report.StateDrift {
			m.repair(d.Name(), seq, now)
			d.State = report.StateRepaired
			v.Last.Repaired++
			v.Last.Open--
		}
	}
	v.changed, v.savedAt = true, time.Time{}
}

// repair makes a path dirty that differs though nothing was known of that.
func (m *Machine) repair(path string, seq uint64, now time.Time) {
	change := watch.Entry | watch.Content | watch.Meta
	if path == "" {
		change = watch.Meta
	}
	m.set.Mark(path, change, seq, now)
}

// verifyOpen reports whether a verification in the background can go on as far as the
// remote is concerned.
func (m *Machine) verifyOpen() bool {
	v := &m.verifying
	return v.every > 0 && !v.busy && m.armed && !m.paused && m.halt == "" && !m.holds.stopsAll() &&
		m.retry.failures == 0 && m.adoption.done() && !m.passes.Last.IsZero()
}

// verifyDue is when the next step of a verification in the background is, if it is to come.
func (m *Machine) verifyDue(now time.Time) (at time.Time, ok bool) {
	v := &m.verifying
	if !m.verifyOpen() || m.running != nil || m.beside != nil || v.turn == turnAsked {
		return at, false
	}
	at = v.at
	if v.Begun == nil && v.Due.After(at) {
		at = v.Due
	}
	if until, shut := m.allShut(now); shut && until.After(at) {
		at = until
	}
	return at, true
}

// verifyStep is what is to be done when such a step is due.
func (m *Machine) verifyStep() Step {
	if m.verifying.turn == turnHas {
		return Compare
	}
	return AskTurn
}

// SetTurn takes in whether it is the turn of this remote to verify.
func (m *Machine) SetTurn(is bool) {
	m.verifying.turn = turnAsked
	if is {
		m.verifying.turn = turnHas
	}
}

// TurnFree takes in that nobody has the turn any more.
func (m *Machine) TurnFree() {
	if m.verifying.turn == turnAsked {
		m.verifying.turn = turnNone
	}
}

// TurnOver reports whether the turn is to be given back, once: nothing is to come soon.
func (m *Machine) TurnOver(now time.Time) bool {
	v := &m.verifying
	if v.turn != turnHas || m.running != nil && m.running.Order.Position != nil {
		return false
	}
	_, shut := m.allShut(now)
	if m.verifyOpen() && !shut && v.problem == "" && (v.Begun != nil || !v.Due.After(now)) {
		return false
	}
	v.turn = turnNone
	return true
}

// beginVerify returns the comparison of the next step, and where that goes on.
func (m *Machine) beginVerify(now time.Time) (*comparison, *Position) {
	v, c := &m.verifying, m.comparisons.background
	if v.Begun == nil {
		v.Begun = &Begun{Verification: report.Verification{Began: now, Background: true}}
	}
	if c == nil {
		c = &comparison{Comparison: report.Comparison{ID: m.newID(now)(), Remote: m.remote.ID, Checksum: true}}
		m.comparisons.background = c
	}
	c.Repair = m.remote.VerifyRepair
	position := v.Begun.Position
	return c, &position
}

// givesWay returns when the step of a verification in the background that is under way has
// to be given up for what waits for it, if ever. What it was about comes again.
func (m *Machine) givesWay(now time.Time) (at time.Time, ok bool) {
	s := m.running
	if s == nil || s.Order.Position == nil || s.gaveWay || m.verifying.gaveWay >= giveWayMost {
		return at, false
	}
	ripe := func(at time.Time, ok bool) bool { return ok && !at.After(now) }
	asked, from := m.comparisons.current()
	waits := len(s.left.Entries) > 0 || ripe(from, asked != nil) || ripe(m.set.Ripe()) ||
		m.barriers.WantsVerified() && ripe(m.confirmations.Due())
	return s.began.Add(giveWayAfter), waits
}

// GiveWay takes in that the step is given up.
func (m *Machine) GiveWay() {
	m.running.gaveWay = true
	m.verifying.gaveWay++
}

// endVerifyStep takes in how a step of a verification in the background ended.
func (m *Machine) endVerifyStep(s *Sending, c *comparison, end StepEnd, now time.Time) {
	v := &m.verifying
	switch {
	case end.Failure == nil:
		v.problem, v.gaveWay = "", 0
		v.at = now.Add(verifyPause(now.Sub(s.began), end.Read))
	case end.Failure.Kind == Canceled:
		v.at = now.Add(verifySoon)
	default:
		v.problem, v.at = end.Failure.Message, now.Add(m.retry.jittered(verifyAgain))
	}
	if end.Failure != nil && m.comparisons.background == c {
		m.comparisons.background = nil
	}
	if v.Begun == nil || end.Failure != nil || end.Part == nil {
		return // it is turned off, or the part is not complete
	}
	c.touched = nil // which belongs to that part
	v.Begun.Position = end.Part.Position
	v.Begun.TotalFiles, v.Begun.TotalBytes = max(v.Begun.TotalFiles, end.Part.TotalFiles), max(v.Begun.TotalBytes, end.Part.TotalBytes)
	add(&v.Begun.Verification, end.Part)
	v.changed = true
	if end.Part.Last {
		m.comparisons.background = nil
		m.verified(v.Begun.Verification, now)
	}
}

// verified takes in that a verification has ended.
func (m *Machine) verified(result report.Verification, now time.Time) {
	v := &m.verifying
	result.Ended = now
	v.Last, v.Begun, v.problem, v.changed, v.savedAt = &result, nil, "", true, time.Time{}
	m.comparisons.background = nil
	if v.Due = (time.Time{}); v.every > 0 {
		v.Due = now.Add(m.retry.jittered(v.every))
	}
}

// Verified is what the last verification has found, without the names, zero if there was
// none.
func (m *Machine) Verified() (v report.Verification) {
	if m.verifying.Last != nil {
		v = *m.verifying.Last
	}
	v.Found = nil
	return v
}

// add adds a part to what was found.
func add(v *report.Verification, p *Part) {
	v.Files, v.Bytes = v.Files+p.Files, v.Bytes+p.Bytes
	v.Differences, v.Pending, v.Repaired = v.Differences+p.Differences, v.Pending+p.Pending, v.Repaired+p.Repaired
	v.Open += p.Differences - p.Repaired
	v.Found = append(v.Found, p.Found[:min(len(p.Found), report.MaxFound-len(v.Found))]...)
}

// PartEvents are what the journal is to know of a part of a comparison that is complete at
// now: what was found, and at its end how much that was in all, as v has it.
func PartEvents(o Order, p *Part, v report.Verification, now time.Time) (events []report.Event) {
	add := func(e report.Event) {
		e.Time, e.Remote, e.RemoteID = now, o.Remote.Name, o.Remote.ID
		events = append(events, e)
	}
	var found report.PathList
	for _, d := range p.Found {
		path := report.NewEventPath(d.Name(), "")
		path.Kind = d.Kind
		found.Add(path, report.MaxFound)
	}
	if found.Count = p.Differences; found.Count > 0 {
		add(report.Event{Kind: report.EventDifference, PathList: found})
	}
	if p.Last {
		add(report.Event{Kind: report.EventVerified, PathList: report.PathList{Count: v.Differences}, Files: v.Files, Bytes: v.Bytes, Took: v.Ended.Sub(v.Began)})
	}
	return events
}

// settle takes differences from what was found, because something has happened since.
func (v *verifying) settle(is func(report.Difference) bool) {
	of := func(found *report.Verification) {
		found.Found = slices.DeleteFunc(found.Found, func(d report.Difference) bool {
			if d.State == report.StateRepaired || !is(d) {
				return false
			}
			found.Open--
			v.changed = true
			return true
		})
	}
	if v.Last != nil && v.Last.Open > 0 {
		of(v.Last)
	}
	if v.Begun != nil && v.Begun.Open > 0 {
		of(&v.Begun.Verification)
	}
}

// touch takes in that a path has changed, and with watch.Tree all below it.
func (v *verifying) touch(path string, change watch.Change) {
	v.settle(func(d report.Difference) bool {
		return d.Name() == path || change&watch.Tree != 0 && relpath.Within(d.Name(), path)
	})
}

// passed takes in that a full pass has compared names, sizes and times, and repaired.
func (v *verifying) passed() {
	v.settle(func(d report.Difference) bool {
		onlyContents := len(d.Differs) == 1 && d.Differs[0] == report.DiffContent
		return d.State == report.StateDrift && !(onlyContents && (d.Here == nil || d.There == nil || d.Here.Size == d.There.Size))
	})
}

// saveInterval is the least time between two times that the state is remembered, unless
// more than the position has changed.
const saveInterval = 10 * time.Second

// SaveVerify returns what is to be remembered; ok is false if that has been, or will do
// later. leaving: nothing more is to come.
func (m *Machine) SaveVerify(leaving bool, now time.Time) (s VerifyState, ok bool) {
	v := &m.verifying
	if !v.changed || !leaving && now.Sub(v.savedAt) < saveInterval {
		return s, false
	}
	v.changed, v.savedAt = false, now
	return v.VerifyState, true
}

// verifyStatus reports what was found, and what is to come.
func (m *Machine) verifyStatus(s *report.RemoteStatus) {
	v := &m.verifying
	if v.Last != nil {
		last := *v.Last
		last.Found = slices.Clone(last.Found)
		s.Verified = &last
	}
	if b := v.Begun; b != nil {
		s.Verifying = &report.Verifying{Since: b.Began, Files: b.Files, Bytes: b.Bytes, TotalFiles: b.TotalFiles, TotalBytes: b.TotalBytes, Error: v.problem}
	} else {
		s.NextVerify = timeOrNil(v.Due)
	}
}
