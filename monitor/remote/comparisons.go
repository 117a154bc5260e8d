package remote

import (
	"cmp"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// comparisons are those that somebody waits for. Each is carried out in steps, which take
// the place of a transfer but send nothing: what is small goes beside them, all else in
// between.
type comparisons struct {
	all []*comparison // in the order in which they were asked for
	// background is one that nobody waits for, nil for none: see verifying.
	background *comparison
	// last: a step was what went last, so that it is the turn of transfers.
	last bool
}

// comparison is one of them.
type comparison struct {
	report.Comparison
	status report.ComparisonStatus
	meter  meter
	// touched is what may differ for a reason that is known: what was open when it began,
	// and what was marked since. It is nil before, and when it was handed over.
	touched *dirty.Set
	began   time.Time
	// failedAt is when the first of the last steps failed, all of which have, and retryAt when
	// the next is made; both are zero after a step that succeeded.
	failedAt, retryAt time.Time
}

// A comparison of contents that has come as far as these goes on when the remote is back.
// A step that failed is made again after compareAgain, for comparePatience.
const (
	compareAgain    = 5 * time.Second
	comparePatience = 15 * time.Minute
)

// triesAgain takes in that a step failed, and reports whether it is to be made again.
func (c *comparison) triesAgain(f *Failure, now time.Time) bool {
	if c.failedAt.IsZero() {
		c.failedAt = now
	}
	if c.status.Files == 0 || f.Kind != Offline && f.Kind != Trouble || now.Sub(c.failedAt) > comparePatience {
		return false
	}
	c.retryAt = now.Add(compareAgain)
	c.status.Error, c.status.Hint = f.Message, f.Hint
	return true
}

// touch takes in that something may have happened to a path.
func (c *comparisons) touch(path string, change watch.Change, now time.Time) {
	for _, one := range c.each() {
		one.touch(path, change, now)
	}
}

// each are all of them.
func (c *comparisons) each() []*comparison {
	if c.background == nil {
		return c.all
	}
	return append(slices.Clone(c.all), c.background)
}

func (c *comparison) touch(path string, change watch.Change, now time.Time) {
	if c.touched == nil {
		return
	}
	c.touched.Mark(path, change, 0, now)
	if path != "" {
		c.touched.Mark(relpath.Parent(path), watch.Meta, 0, now)
	}
}

// touchAll takes in that a full pass is due, unless it is one for what nothing here has
// announced.
func (c *comparisons) touchAll(reason PassReason, now time.Time) {
	for _, one := range c.each() {
		if one.touched != nil && reason < PassLost {
			one.touched.MarkEverything(0, now, now)
		}
	}
}

// otherRoot ends what has begun, also what is suspended: it was about another directory.
func (c *comparisons) otherRoot() {
	for _, one := range c.all {
		if one.status.State == report.ComparisonRunning {
			one.status = report.ComparisonStatus{ID: one.ID, State: report.ComparisonFailed, Error: "the workspace is another directory now"}
			one.touched = nil
		}
	}
}

// current is the comparison that is to go on next, and when; nil for none.
func (c *comparisons) current() (next *comparison, at time.Time) {
	for _, one := range c.all {
		if !one.status.State.Ended() && !one.Suspended && (next == nil || one.retryAt.Before(at)) {
			next, at = one, one.retryAt
		}
	}
	return next, at
}

// find returns the comparison with an ID, nil if nobody waits for it any more.
func (c *comparisons) find(id string) *comparison {
	all := c.each()
	i := slices.IndexFunc(all, func(one *comparison) bool { return one.ID == id })
	if i < 0 {
		return nil
	}
	return all[i]
}

// define takes in which ones are wanted.
func (c *comparisons) define(wanted []report.Comparison) {
	before := c.all
	c.all = nil
	for _, w := range wanted {
		i := slices.IndexFunc(before, func(one *comparison) bool { return one.ID == w.ID })
		if i >= 0 {
			before[i].Comparison = w
			c.all = append(c.all, before[i])
			continue
		}
		c.all = append(c.all, &comparison{Comparison: w, status: report.ComparisonStatus{ID: w.ID, State: report.ComparisonWaiting}})
	}
}

// defineComparisons takes in which comparisons somebody waits for, and reports whether the
// step that is under way is of none of them.
func (m *Machine) defineComparisons(wanted []report.Comparison) (cancel bool) {
	m.comparisons.define(wanted)
	return m.running != nil && m.running.Order.Comparison != nil && m.comparisons.find(m.running.Order.Comparison.ID) == nil
}

// Compares reports whether somebody waits for a comparison, or a step of it is under way.
func (m *Machine) Compares(id string) bool {
	return m.comparisons.find(id) != nil || m.running != nil && m.running.Order.Comparison != nil && m.running.Order.Comparison.ID == id
}

// compareDue returns the comparison of which a step can be made, and when, zero for now; nil
// for none. It is made also while the remote is paused, or away as far as is known, but not
// beside a transfer, nor before the first one that finds out what the remote is able to do,
// if that is to come.
func (m *Machine) compareDue() (c *comparison, at time.Time) {
	if m.running != nil || m.beside != nil || m.halt != "" || !m.armed && !m.paused {
		return nil, time.Time{}
	}
	return m.comparisons.current()
}

// Compare begins a step of a comparison, first of one that somebody waits for; nil for
// none. mark is the number of the last mark.
func (m *Machine) Compare(mark uint64, now time.Time) *Sending {
	var position *Position
	c, retry := m.compareDue()
	if c != nil && !retry.After(now) {
		// It is somebody's who waits.
	} else if at, ok := m.verifyDue(now); ok && !at.After(now) && m.verifying.turn == turnHas {
		c, position = m.beginVerify(now)
	} else {
		return nil
	}
	s := m.sending(dirty.Batch{}, mark, now)
	comparison := c.Comparison
	s.Order.Comparison, s.Order.Position, s.onlyRsync = &comparison, position, true
	if c.status.State == report.ComparisonWaiting || position != nil && c.touched == nil {
		c.status.State = report.ComparisonRunning
		c.begin(m, now)
	}
	m.transfer = report.Transfer{Kind: "comparison", Since: now}
	m.running, m.besideLooked, m.comparisons.last = s, time.Time{}, true
	return s
}

// begin has the comparison remember what may differ now.
func (c *comparison) begin(m *Machine, now time.Time) {
	c.touched, c.began = dirty.NewSet(), now
	sets := []*dirty.Set{m.set, m.confirmations.waiting}
	for _, late := range m.confirmations.late {
		sets = append(sets, late.paths)
	}
	for _, set := range sets {
		for e := range set.All() {
			c.touch(e.Path, e.Change, now)
		}
		for _, move := range set.Moves() {
			c.touch(move.From, wholly, now)
			c.touch(move.To, wholly, now)
		}
	}
	for _, e := range m.heldBatch().Entries {
		c.touch(e.Path, e.Change, now)
	}
	if m.set.Everything() && m.passes.Reason() < PassLost || m.confirmations.waiting.Everything() {
		c.touched.MarkEverything(0, now, now)
	}
}

// StepEnd is how a step of a comparison ended.
type StepEnd struct {
	// Failure is that there will be no result, nil for none.
	Failure *Failure
	// Repair are paths that differ though nothing was known of that, to be sent.
	Repair []string
	// Part is that all differences of a part are explained, or of all of it, nil for none.
	Part *Part
	// Read is how many bytes of contents were read.
	Read int64
	// Status is what there is to be reported of the comparison; its ID and, unless it is
	// done, its State count for nothing.
	Status report.ComparisonStatus
}

// EndStep takes in how a step of a comparison ended. again reports whether one that failed
// is to be made again by the same Comparer. A comparison that was cancelled though somebody
// waits for it is made anew, from the beginning. seq numbers new marks.
func (m *Machine) EndStep(s *Sending, end StepEnd, seq uint64, now time.Time) (again bool) {
	m.running, m.transfer = nil, report.Transfer{}
	m.set.Restore(s.left, now)
	m.set.Restore(s.takeTimes(), now)
	m.unanswered = true
	for _, path := range end.Repair {
		m.repair(path, seq, now)
	}
	c := m.comparisons.find(s.Order.Comparison.ID)
	switch {
	case c == nil:
	case s.Order.Position != nil:
		m.endVerifyStep(s, c, end, now)
	case c.status.State.Ended(): // meanwhile
	case end.Failure != nil && end.Failure.Kind == Canceled:
		c.status, c.touched = report.ComparisonStatus{ID: c.ID, State: report.ComparisonWaiting}, nil
	case end.Failure != nil && c.triesAgain(end.Failure, now):
		again = true
	case end.Failure != nil:
		c.status = report.ComparisonStatus{ID: c.ID, State: report.ComparisonFailed, Error: end.Failure.Message, Hint: end.Failure.Hint}
	default:
		if !end.Status.State.Ended() {
			end.Status.State = report.ComparisonRunning
		}
		c.status = end.Status
		c.status.ID = c.ID
		c.failedAt, c.retryAt = time.Time{}, time.Time{}
		c.meter.Add(end.Status.Files, end.Status.Bytes, now)
		if c.Checksum && end.Part != nil {
			result := report.Verification{Began: c.began}
			add(&result, end.Part)
			m.verified(result, now)
		}
	}
	return again
}

// comparisonStatus says how far the comparisons are.
func (m *Machine) comparisonStatus(now time.Time) (all []report.ComparisonStatus) {
	for _, c := range m.comparisons.all {
		status := c.status
		if m.halt != "" && !status.State.Ended() {
			status.State, status.Error = report.ComparisonFailed, m.halt
		}
		if status.State == report.ComparisonRunning && status.TotalFiles > 0 {
			status.Rate, status.Remaining = c.meter.Rate(now), c.meter.Remaining(status.TotalFiles, status.TotalBytes, now)
		}
		all = append(all, status)
	}
	return all
}

// Known is what is known of paths that differ, as of a moment. It is nobody else's.
type Known struct {
	touched *dirty.Set
	held    guard.Names
	allHeld bool
	failing map[string]string // why, in words; "" for what nobody waits for
	// postponed are deletions to come.
	postponed postponing
}

// Known returns what is known of what a comparison finds, from when it began until now;
// ok is false if nobody waits for it any more.
func (m *Machine) Known(id string) (k Known, ok bool) {
	c := m.comparisons.find(id)
	if c == nil || c.touched == nil {
		return k, false
	}
	k = Known{touched: c.touched, allHeld: m.holds.stopsAll(), failing: make(map[string]string), postponed: m.postponing}
	c.touched = nil
	if m.search.Files > 0 {
		k.touched.MarkEverything(0, m.changed, m.changed) // under names that nobody knows yet
	}
	if m.holds.held != nil {
		k.held.AddAll(m.holds.Names)
	}
	if u := m.apart.Unreachable; u != nil {
		k.held.AddAll(u.Names)
	}
	for _, e := range m.set.Failing() {
		if k.failing[e.Path] = ""; !m.set.Skips(e) {
			said, _ := m.options.Words(e.Problem)
			k.failing[e.Path] = cmp.Or(said, "it fails")
		}
	}
	return k, true
}

// Due is when a name is to be deleted that only the remote has, if that is to come.
func (k *Known) Due(name string) (due time.Time, ok bool) { return k.postponed.toCome(name) }

// State is what is known of a path that differs, and why it fails if it does.
func (k *Known) State(path string) (state report.DifferenceState, problem string) {
	for p := path; p != "" && len(k.failing) > 0; p = relpath.Parent(p) {
		switch problem, ok := k.failing[p]; {
		case ok && problem == "":
			return report.StateSkipped, ""
		case ok:
			return report.StateFailing, problem
		}
	}
	switch {
	case k.allHeld || k.held.Has(path):
		return report.StateHeld, ""
	case k.touched.Covers(path):
		return report.StatePending, ""
	}
	return report.StateDrift, ""
}
