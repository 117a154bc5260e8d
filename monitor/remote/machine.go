package remote

import (
	"math/rand/v2"
	"strconv"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// wholly is that all of a path may differ, with all below it.
const wholly = watch.Entry | watch.Content | watch.Tree

// Machine keeps the account of one remote: what happened, and what became of it,
// goes in by its methods, and Next says what is to be done. It has no clock: the
// time of each call is given, and never decreases. It is not safe for concurrent
// use.
type Machine struct {
	options Options
	definition
	workspace
	set *dirty.Set
	gathering
	traffic
	confirmations Confirmations
	endings       Endings
	waiting
	retry  retry
	passes Passes
	guards
	postponing  postponing
	late        late
	clean       clean
	drift       drift
	comparisons comparisons
	verifying   verifying
	shown
}

// definition is what the daemon has said about the remote.
type definition struct {
	remote config.Remote
	root   *config.RootIdentity // nil for not known
	paused bool
	orders report.Orders
	limits guard.Limits
}

// workspace is what is known of it, but for what is dirty.
type workspace struct {
	// halt says why nothing may be sent at all, "" if it may; armed: the tree is
	// watched.
	halt  string
	armed bool
	// changed is when the last mark was made, and named when the last was that tells of
	// a name that came or went.
	changed, named time.Time
	search         Search
}

// gathering is about what waits to be sent together.
type gathering struct {
	burst burst
	git   gitLocks
}

// traffic is what is under way.
type traffic struct {
	// running is the transfer that is, and beside another one next to it; nil for
	// none.
	running, beside *Sending
	transfer        report.Transfer // how running is shown
	meter           meter           // of its progress
	// besideLooked is when nothing could be sent beside the transfer under way.
	besideLooked time.Time
}

// waiting is who waits.
type waiting struct {
	barriers   Barriers
	unanswered bool // some came that nobody has looked at
	questions  []report.Question
	listings   listings
}

// guards are about what must not be sent or deleted without a word.
type guards struct {
	recent   recent
	arrivals arrivals
	holds    holds
	apart    apart
	meetings meetings
	adoption adoption
}

// shown is what is only reported.
type shown struct {
	strategy    []string
	cannot      map[string]string
	kept        Kept
	lastSuccess time.Time
	latencies   latencies
	sent        sentPaths
	totals      totals
	lastID      int64
	state       report.State
	since       time.Time // of state
}

// Options are what a Machine is made with.
type Options struct {
	// CleanAsOf is until when the remote is known to equal the workspace, zero for
	// not at all.
	CleanAsOf time.Time
	// Unapproved is what Machine.Unapproved was at the end of the machine before.
	Unapproved bool
	// Postponed is what Machine.Postponed was at the end of the machine before.
	Postponed Postponed
	// LateUntil is what Machine.LateUntil was at the end of the machine before.
	LateUntil time.Time
	// LookInterval is the time between two looks at the destination while nothing is
	// sent to it, zero for none.
	LookInterval time.Duration
	// Random spreads the waits.
	Random *rand.Rand
	// Verified is what was to be remembered by the machine before.
	Verified VerifyState
	// Words says in words what is wrong with a path, and what to do about it.
	Words func(problem string) (said, hint string)
}

// adoption is about what the destination held before.
type adoption struct {
	// adopted: what it holds is known not to be anybody else's; replaced: it is
	// another directory since; approved: the user has approved that what it holds now may
	// go, and be overwritten.
	adopted, replaced, approved bool
}

// done reports whether nothing foreign can be at the destination.
func (a adoption) done() bool { return a.adopted && !a.replaced }

// NewMachine returns the machine of a remote of which nothing is known. It has to
// be defined before anything else.
func NewMachine(o Options, now time.Time) *Machine {
	m := &Machine{
		options:       o,
		set:           dirty.NewSet(),
		gathering:     gathering{git: make(gitLocks)},
		confirmations: NewConfirmations(),
		retry:         newRetry(o.Random),
		guards:        guards{holds: holds{earlier: o.Unapproved}},
		late:          newLate(o.LateUntil, now),
		clean:         clean{asOf: o.CleanAsOf},
		drift:         drift{interval: o.LookInterval},
		verifying:     verifying{VerifyState: o.Verified},
		shown:         shown{since: now},
	}
	m.postponing.set(o.Postponed)
	return m
}

// Effects are what the caller of a method has to do afterwards.
type Effects struct {
	// Cancel ends the transfers that are under way, and steps of comparisons.
	Cancel bool
	// CancelStep ends the step of a comparison.
	CancelStep bool
	// Reset forgets what is known about the remote, with ResetConnection also how
	// it is reached.
	Reset, ResetConnection bool
	// Forget are paths at which something was mounted that nobody misses.
	Forget []string
}

// newID names what is shown to the user: no other has that name, in this monitor or
// an earlier one.
func (m *Machine) newID(now time.Time) func() string {
	return func() string {
		m.lastID = max(m.lastID+1, now.UnixNano())
		return strconv.FormatInt(m.lastID, 36)
	}
}

// own are the names of what wsync keeps at this remote. What else is excluded is no
// news to begin with.
func (m *Machine) own() exclude.Own { return exclude.OwnOf(m.remote) }

// Mark makes a path dirty.
func (m *Machine) Mark(path string, change watch.Change, seq uint64, now time.Time) {
	if path, change = m.own().Change(path, change); change == 0 {
		return
	}
	m.comparisons.touch(path, change, now)
	m.verifying.touch(path, change)
	m.kept.touch(path)
	if path == "" && change&watch.Tree != 0 {
		m.Everything(PassEvents, seq, now, now)
	} else {
		m.set.Mark(path, change, seq, now)
	}
	m.holds.touch(path)
	m.changed = now
	if change&(watch.Entry|watch.Tree) != 0 {
		m.named = now
		m.arrivals.note(path, now)
		m.holds.approvals.touch(path)
	}
}

// Moved makes a rename due on the remote, where that can be: repeatable says that
// it is of now and that there is a way to, and nothing that is under way has seen
// one of the names. Otherwise both names are dirty: the new one first, so that nobody
// finds neither.
func (m *Machine) Moved(from, to string, change watch.Change, repeatable bool, seq uint64, now time.Time) {
	dir := change&watch.Tree != 0
	if own := m.own(); own.Excludes(from) || own.Excludes(to) {
		m.Mark(to, change, seq, now)
		m.Mark(from, change, seq, now)
		return
	}
	m.comparisons.touch(from, wholly, now)
	m.comparisons.touch(to, wholly, now)
	m.verifying.touch(from, wholly)
	m.verifying.touch(to, wholly)
	if m.gathersTooMany(from, to, now) {
		m.set.Mark(to, change, seq, now)
		m.set.Mark(from, change, seq, now) // it counts as deleted
	} else if repeatable && m.canMove(from, to) && m.set.Move(from, to, dir, seq, now) {
		m.confirmations.Moved(from, to)
	} else {
		m.set.Mark(to, change, seq, now)
		m.set.MarkMoved(from, to, change, seq, now)
	}
	m.holds.touch(to)
	m.holds.approvals.touch(to)
	m.changed, m.named = now, now
}

// gathersTooMany takes in a rename, and reports whether so many entries have gone to names at
// which others had just arrived that the guard is to judge this one.
func (m *Machine) gathersTooMany(from, to string, now time.Time) bool {
	lost, ok := m.arrivals.renamed(from, to, now)
	if !ok {
		return false
	}
	m.set.NotMoved(lost, to)
	if m.limits.Many(m.recent.count(now).Counted + 1) {
		return true
	}
	m.recent.add(Count{Entries: 1, Counted: 1}, now)
	return false
}

// uncompared reports whether a full pass is open before which nobody knows what the remote
// has: not one that is to verify what is known.
func (m *Machine) uncompared() bool { return m.set.Everything() && m.passes.Reason() < PassVerify }

// canMove reports whether nothing has seen one of the names of a rename that would
// come before it on the remote.
func (m *Machine) canMove(from, to string) bool {
	if m.holds.held != nil || m.retry.failures > 0 || m.remote.LeavesGone() || m.uncompared() {
		return false
	}
	touched := func(path string) bool {
		return m.running.touches(path) || m.beside.touches(path) || m.endings.Touch(path)
	}
	return !touched(from) && !touched(to)
}

// MarkNames makes names of a file dirty, as of an earlier mark.
func (m *Machine) MarkNames(names []string, seq uint64, since, now time.Time) {
	for _, name := range names {
		if path, change := m.own().Change(name, watch.Content|watch.Meta); change != 0 {
			m.comparisons.touch(path, change, now)
			m.verifying.touch(path, change)
			m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: path, Change: change, Seq: seq, Since: since}}}, now)
		}
	}
	m.changed = now
}

// linkedInterval is the least time between two full passes for the sake of
// files whose names cannot be remembered.
const linkedInterval = 10 * time.Second

// NamesUnknown makes a full pass due for the sake of a file whose names cannot all
// be remembered, and not more often than linkedInterval.
func (m *Machine) NamesUnknown(seq uint64, now time.Time) {
	m.Everything(PassEvents, seq, now, m.passes.Last.Add(linkedInterval))
}

// SetSearch takes in for which files names are looked for.
func (m *Machine) SetSearch(s Search) {
	m.search = s
	m.unanswered = true
}

// Everything makes a full pass due at notBefore.
func (m *Machine) Everything(reason PassReason, seq uint64, now, notBefore time.Time) {
	m.comparisons.touchAll(reason, now)
	// One that is held goes on with this one, for all that it was for.
	m.passes.Because(reason, m.set.Everything() || m.heldBatch().Everything != nil)
	m.set.MarkEverything(seq, now, notBefore)
}

// Definition is what the daemon says about the remote.
type Definition struct {
	Remote config.Remote
	// Root is the identity of the workspace's directory, nil if it is not known.
	Root *config.RootIdentity
	// Paused: the workspace is. AllowEmpty: it may become empty.
	Paused     bool
	AllowEmpty bool
	Settings   report.Settings
	Orders     report.Orders
	// Confirm is the last barrier for which somebody waits until it is verified.
	Confirm uint64
	// Comparisons are those of the remote that somebody waits for.
	Comparisons []report.Comparison
	// Busy: somebody waits for a comparison with one of the workspace's remotes.
	Busy bool
	// Questions are those that are to be answered.
	Questions []report.Question
	// Listings are those of the remote that somebody waits for.
	Listings []report.Listing
	// Trials are those of the remote that somebody waits for. They are no matter of the
	// account.
	Trials []report.Trial
}

// DefinitionOf is what the definition of a workspace says about one of its remotes.
func DefinitionOf(d report.Definition, r config.Remote) Definition {
	r.OnSync, r.OnSyncRemote = r.HookCommands(d.Workspace)
	of := Definition{
		Remote: r, Root: d.Workspace.Root, Paused: d.Workspace.Paused, AllowEmpty: d.Workspace.OnEmpty == config.OnEmptyAllow,
		Settings: d.Settings, Orders: d.Orders[r.Name], Confirm: d.Verify, Questions: d.Questions,
		Busy: len(d.Comparisons) > 0,
	}
	for _, c := range d.Comparisons {
		if c.Remote == r.ID {
			of.Comparisons = append(of.Comparisons, c)
		}
	}
	for _, l := range d.Listings {
		if l.Remote == r.ID {
			of.Listings = append(of.Listings, l)
		}
	}
	for _, t := range d.Trials {
		if t.Remote.ID == r.ID {
			of.Trials = append(of.Trials, t)
		}
	}
	return of
}

// Define takes in a new definition of the remote. The first one's orders are
// carried out already.
func (m *Machine) Define(d Definition, seq uint64, now time.Time) (e Effects) {
	first := m.remote.Name == ""
	m.passes.SetInterval(d.Remote.FullPass.Or(d.Settings.FullPassInterval))
	m.limits = guard.Limits{Share: d.Settings.HoldDeletionsShare, Count: d.Settings.HoldDeletionsCount, AllowEmpty: d.AllowEmpty}
	changed := config.OptionsChanged(m.remote, d.Remote)
	before, repaired := m.paused, m.remote.VerifyRepair
	if m.remote.Window != d.Remote.Window || m.remote.WindowFor != d.Remote.WindowFor {
		m.set.EndWindow(now)
	}
	m.remote, m.paused = d.Remote, d.Paused || d.Remote.Paused
	m.adoption.adopted = m.adoption.adopted || !d.Remote.AdoptionPending
	m.set.SkipParked(d.Remote.SkipUnsupported)
	if !first {
		e = m.order(d.Orders, seq, now)
		m.reconfigure(&e, changed, seq, now)
	}
	if d.Root != nil && m.root != nil && !d.Root.Same(*m.root) {
		m.clean.otherRoot(now)
		m.verifying.otherRoot()
		m.comparisons.otherRoot()
	}
	if d.Root != nil {
		m.root = d.Root
	}
	m.orders = d.Orders
	m.barriers.Wanted, m.questions = d.Confirm, d.Questions
	m.listings.define(d.Listings)
	e.Cancel = e.Cancel || m.paused && !before // a comparison goes on while it is
	e.CancelStep = m.defineComparisons(d.Comparisons)
	m.defineVerify(d, first, repaired, seq, now)
	return e
}

// reconfigure carries out what follows from a change of the remote's options. What is
// known to be equal stays so, unless a full pass is to look at it.
func (m *Machine) reconfigure(e *Effects, changed config.Effect, seq uint64, now time.Time) {
	if changed.Pass {
		m.Everything(PassEvents, seq, now, now)
	}
	if changed.Transfers {
		e.Cancel, e.Reset = true, true
		m.hurry(now) // what fails may do so because of the options before
	}
}

// order carries out what differs from the orders before.
func (m *Machine) order(o report.Orders, seq uint64, now time.Time) (e Effects) {
	if o.Resync != m.orders.Resync {
		m.Everything(PassVerify, seq, now, now)
		m.hurry(now)
	}
	if o.Retry != m.orders.Retry {
		m.meetings.retry()
		m.hurry(now)
		e.Reset, e.ResetConnection = true, m.retry.failures > 0
		m.holds.owe()
		m.release(false, now)
		m.set.Restore(m.apart.end(), now)
	}
	if u := m.apart.Unreachable; u != nil && o.Approve == u.Held.ID {
		e.Forget = m.approveUnreachable(now)
	}
	if h := m.holds.held; h != nil && h.id != "" && o.Approve == h.id {
		m.release(true, now)
	}
	if m.meetings.approve(o.Approve) {
		m.hurry(now)
	}
	return e
}

// hurry ends all waits after failures.
func (m *Machine) hurry(now time.Time) {
	m.retry.hurry()
	m.set.Hurry(now)
	m.confirmations.Retry()
}

// Unapproved reports whether deletions are held, or were, and nobody has let them go
// since, nor were they all there again. A machine that comes after this one must know.
func (m *Machine) Unapproved() bool { return m.holds.unapproved() }

// release puts held deletions back into the set, approved by the user or to be
// judged anew.
func (m *Machine) release(approved bool, now time.Time) {
	if m.holds.held == nil {
		return
	}
	if approved {
		m.recent = nil
		m.adoption.approved = m.adoption.approved || m.holds.held.All
	}
	m.set.Restore(m.holds.end(approved, now), now)
}

// Halt stops transfers with a reason, or lets them go on with "": with a full
// pass, because what happened meanwhile is not known.
func (m *Machine) Halt(reason string, seq uint64, now time.Time) Effects {
	m.halt = reason
	if reason == "" {
		m.Everything(PassEvents, seq, now, now)
	}
	return Effects{Cancel: reason != ""}
}

// Arm lets transfers begin: before the tree is watched, a pass could miss a
// change behind it. halt is as that of Halt.
func (m *Machine) Arm() { m.armed = true }

// AddBarrier answers barrier n when all marks up to seq are on the remote, and
// when rsync has compared them.
func (m *Machine) AddBarrier(n, seq uint64, now time.Time) {
	m.barriers.Add(n, seq)
	m.unanswered = true
	m.set.HastenOpen(now)
	m.set.RetryFailing(now)
	if n <= m.barriers.Wanted {
		m.confirmations.Hurry(now)
		m.drift.ask(seq, now)
	}
}

// Unanswered reports whether barriers came that Answer has not looked at.
func (m *Machine) Unanswered() bool { return m.unanswered }

// Answer reaches the barriers behind which nothing is open, and reports whether it
// has reached one. While the workspace is halted, nothing is known about it.
func (m *Machine) Answer() bool {
	if !m.barriers.Waiting() || !m.armed || m.halt != "" {
		return false
	}
	m.unanswered = false
	return m.barriers.Answer(m.oldest(), min(m.confirmations.Open(), m.drift.open()))
}

// oldest is the oldest mark that is not acknowledged.
func (m *Machine) oldest() Open { return Oldest(m.open()...) }

// open are all places in which something may be that is not acknowledged.
func (m *Machine) open() []func() (uint64, time.Time, bool) {
	all := []func() (uint64, time.Time, bool){m.set.Oldest, m.heldBatch().Oldest, m.search.Oldest}
	for _, s := range []*Sending{m.running, m.beside} {
		if s != nil {
			all = append(all, s.acknowledging().Oldest, s.left.Oldest, s.oldestUntimed)
		}
	}
	return all
}

// heldBatch is what waits for the user's word, or for file systems.
func (m *Machine) heldBatch() dirty.Batch {
	batch := m.holds.batch()
	batch.Entries = append(batch.Entries[:len(batch.Entries):len(batch.Entries)], m.apart.batch().Entries...)
	return batch
}

// Adopted takes in that the destination holds nothing foreign any more. That is
// reported at once: what a pass leaves there that is interrupted must not be taken
// for somebody else's.
func (m *Machine) Adopted() { m.adoption = adoption{adopted: true} }

// Announces reports whether a mark has come that tells of a path being new.
func (m *Machine) Announces(path string) bool { return m.set.Announces(path) }

// Calm says whether more deletions are to be expected, for a batch whose oldest mark
// was made at since.
func (m *Machine) Calm(since, now time.Time) Calm {
	quiet := m.quiet(now)
	return Calm{Settled: quiet || now.Sub(since) >= settleLimit, Quiet: quiet || now.Sub(since) >= quietLimit}
}

// quiet reports whether no name has come or gone for a moment.
func (m *Machine) quiet(now time.Time) bool { return now.Sub(m.named) >= settleTime }

// Root is the identity of the workspace's directory, nil if it is not known.
func (m *Machine) Root() *config.RootIdentity { return m.root }

// Remote is the remote as it was defined last.
func (m *Machine) Remote() config.Remote { return m.remote }

// MayTouch reports whether anything at the destination may be changed.
func (m *Machine) MayTouch() bool { return m.meetings.met == nil && !m.paused && m.halt == "" }
