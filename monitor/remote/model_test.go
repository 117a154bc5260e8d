package remote

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/report"
)

var (
	modelSeeds = flag.Int("remote.seeds", 500, "TestModel: how many seeds")
	modelSeed  = flag.Uint64("remote.seed", 0, "TestModel: the only seed, with all that happens")
)

// TestModel has a Machine keep a remote that is a map equal to a workspace that is
// one. Events come late, transfers look at a path at one moment and change the remote
// at another, and end in every way there is; orders, barriers, pauses and renames
// come at any time. A barrier that is answered is true, nothing is in two transfers
// at once, and when all that goes wrong is over, everything arrives with few
// transfers.
func TestModel(t *testing.T) {
	if *modelSeed != 0 {
		runModel(t, *modelSeed, t.Logf)
		return
	}
	for seed := range uint64(*modelSeeds) {
		if runModel(t, seed+1, func(string, ...any) {}); t.Failed() {
			t.Fatalf("go test ./monitor/remote -run TestModel -remote.seed=%d", seed+1)
		}
	}
}

// Numbers of steps of a seed.
const (
	modelSteps = 250
	modelIdle  = 3000 // after which all must have arrived
	modelMost  = 60   // transfers after all that goes wrong
)

// state is what is at a path: 0 nothing, else a number that no other state has had.
// That of a path with a slash at its end is the time of a directory.
type state = uint64

// model is a workspace, a remote, and what is on its way between them.
type model struct {
	*Machine
	t       *testing.T
	logf    func(format string, args ...any)
	rng     *rand.Rand
	now     time.Time
	seq     uint64
	last    state
	here    map[string]state
	there   map[string]state
	dirs    map[string]bool // which of the paths here are directories
	past    []map[string]state
	renamed []renamed
	events  []func() // not told yet
	// flights are the transfers under way.
	flights  []*modelFlight
	barriers map[uint64]int    // their numbers, with the length of past when they came
	marks    map[uint64]uint64 // the last mark before each
	// unverified are the paths that the direct lane has sent, with the mark that was
	// for, and rsync has not compared.
	unverified map[string]uint64
	answered   uint64
	orders     report.Orders
	paused     bool
	peaceful   bool // nothing goes wrong
	calm       bool // nor changes any more
	begun      int
}

// renamed is that a path was, and the moment in the past after that.
type renamed struct {
	from, to string
	at       int
}

func runModel(t *testing.T, seed uint64, logf func(string, ...any)) {
	m := &model{
		Machine: testMachine(), t: t, logf: logf, rng: rand.New(rand.NewPCG(seed, 1)), now: start,
		here: make(map[string]state), there: make(map[string]state), dirs: make(map[string]bool), barriers: make(map[uint64]int),
		marks: make(map[uint64]uint64), unverified: make(map[string]uint64),
	}
	m.peaceful = m.chance(2)
	for range 10 {
		m.change()
	}
	m.events = nil // the first pass finds it
	m.Everything(PassStart, m.mark(), m.now, m.now)
	for range modelSteps {
		m.step()
		if t.Failed() {
			return
		}
	}
	m.calm = true
	if m.paused {
		m.pause()
	}
	m.wait()
	before := m.begun
	for range modelIdle {
		if m.step(); m.t.Failed() || m.isDone() {
			break
		}
	}
	switch {
	case m.t.Failed():
	case !m.isDone():
		t.Errorf("seed %d: not all arrives: %d barriers, answered %d, status %+v\nhere %v\nthere %v", seed, len(m.barriers), m.answered, m.Status(m.now), m.here, m.there)
	case m.begun-before > modelMost:
		t.Errorf("seed %d: %d transfers for what was left", seed, m.begun-before)
	default:
		m.compare("in the end", len(m.past)-1)
	}
}

func (m *model) isDone() bool {
	return len(m.events) == 0 && len(m.flights) == 0 && m.nothingOpen() && len(m.barriers) == 0
}

func (m *model) mark() uint64 {
	m.seq++
	return m.seq
}

// chance is true once in n times.
func (m *model) chance(n int) bool { return m.rng.IntN(n) == 0 }

// goesWrong is chance for what goes wrong.
func (m *model) goesWrong(n int) bool { return !m.calm && !m.peaceful && m.chance(n) }

// step has one thing happen.
func (m *model) step() {
	m.now = m.now.Add(time.Duration(m.rng.IntN(20)) * time.Millisecond)
	if !m.calm && m.chance(8) {
		m.now = m.now.Add(time.Duration(m.rng.IntN(4000)) * time.Millisecond)
	}
	switch n := m.rng.IntN(100); {
	case !m.calm && n < 20:
		m.change()
	case n < 45 && len(m.events) > 0:
		event := m.events[0]
		m.events = m.events[1:]
		event()
	case n < 75 && len(m.flights) > 0:
		m.flights[m.rng.IntN(len(m.flights))].advance()
	case !m.calm && n < 78:
		m.wait()
	case n < 80 && m.goesWrong(2):
		m.order()
	case n < 81 && m.goesWrong(2):
		m.pause()
	default:
		m.run()
	}
	m.check()
}

// wait is a request to wait, of which the watcher tells behind all that was before.
func (m *model) wait() {
	at := len(m.past) - 1
	m.events = append(m.events, func() {
		n := m.Machine.barriers.Asked + 1
		m.barriers[n] = at
		m.logf("barrier %d", n)
		m.marks[n] = m.mark()
		m.AddBarrier(n, m.marks[n], m.now)
	})
}

func (m *model) order() {
	switch m.rng.IntN(3) {
	case 0:
		m.orders.Resync++
	case 1:
		m.orders.Retry++
	default:
		if h := m.Status(m.now).Held; h != nil {
			m.orders.Approve = h.ID
		}
	}
	m.define()
}

func (m *model) pause() {
	m.paused = !m.paused
	m.define()
}

func (m *model) define() {
	m.logf("defined: %+v, paused %v", m.orders, m.paused)
	e := m.Define(Definition{
		Remote: config.Remote{Name: "r"}, Paused: m.paused, Orders: m.orders, Confirm: m.Machine.barriers.Asked + 1,
		Settings: report.Settings{FullPassInterval: 24 * time.Hour, HoldDeletionsShare: 0.5, HoldDeletionsCount: 100},
	}, m.mark(), m.now)
	for _, f := range m.flights {
		f.cancelled = f.cancelled || e.Cancel
	}
}

// run does what a worker does: what is to be done next.
func (m *model) run() {
	step, at := m.Next(m.now, m.mark)
	switch step {
	case LookAtHold:
		m.lookAtHold()
	case Send:
		m.send()
	default:
		m.answer()
		if len(m.flights) == 0 && len(m.events) == 0 && at.Before(m.now.Add(forever)) {
			m.now = at
		}
	}
}

func (m *model) lookAtHold() {
	l, ok := m.LookAtHold(m.now)
	if !ok {
		return
	}
	if len(l.Back) > 0 {
		there := make(map[string]bool)
		for p := range l.Back {
			if m.here[p] != 0 {
				there[p] = m.dirs[p]
			}
		}
		m.Returned(l, there, m.now)
		return
	}
	v := guard.Verdict{Action: guard.Hold, Reason: "many"}
	if m.calm || m.chance(3) {
		v.Action = guard.Allow
	}
	if m.calm && l.Shown {
		m.orders.Approve = m.Status(m.now).Held.ID
		m.define()
		return
	}
	m.Judged(l, v, m.now)
}

// answer checks that what is said to be on the remote is.
func (m *model) answer() {
	if m.calm && m.Status(m.now).Held != nil {
		m.orders.Approve = m.Status(m.now).Held.ID
		m.define()
	}
	m.Answer()
	s := m.Machine.barriers
	if s.Verified > s.Acknowledged {
		m.t.Errorf("verified %d, acknowledged %d", s.Verified, s.Acknowledged)
	}
	for n, at := range m.barriers {
		if n > s.Acknowledged {
			continue
		}
		if n > m.answered {
			m.compare(fmt.Sprintf("barrier %d", n), at)
		}
		if n <= s.Verified {
			for p, mark := range m.unverified {
				if mark <= m.marks[n] && !m.wentWithAnother(p) && !m.wasRenamed(p, at) {
					m.t.Errorf("barrier %d: %q is not verified", n, p)
				}
			}
			delete(m.barriers, n)
		}
	}
	m.answered = max(m.answered, s.Acknowledged)
}

// wentWithAnother reports whether a path is gone with what is above it, of which there is
// an event.
func (m *model) wentWithAnother(p string) bool {
	for dir := relpath.Parent(p); dir != ""; dir = relpath.Parent(dir) {
		if !m.isDir(dir) {
			return true
		}
	}
	return false
}

// compare checks that the remote has of each path what was here at some moment since
// one in the past.
func (m *model) compare(what string, at int) {
	m.t.Helper()
	paths := maps.Clone(m.there)
	for _, then := range m.past[max(at, 0):] {
		maps.Copy(paths, then)
	}
	for p := range paths {
		was := m.past[max(at, 0)][p]
		if !slices.ContainsFunc(m.past[max(at, 0):], func(then map[string]state) bool {
			return then[p] == m.there[p] ||
				then[p] == 0 && isTime(p) // that of what is gone is nobody's business
		}) && !m.wasRenamed(p, at) {
			m.t.Errorf("%s: %q is %d on the remote, expected %d, or what it was later", what, p, m.there[p], was)
		}
	}
}

// wasRenamed reports whether a path was renamed, or another to it, after a moment: both
// names are as dirty as the rename, which the remote repeats with what it has.
func (m *model) wasRenamed(p string, at int) bool {
	return slices.ContainsFunc(m.renamed, func(r renamed) bool { return r.at > at && (isWithinModel(p, r.from) || isWithinModel(p, r.to)) })
}

// check looks at what must hold all the time.
func (m *model) check() {
	main, beside := 0, 0
	for _, f := range m.flights {
		if f.Order.Beside {
			beside++
		} else {
			main++
		}
	}
	if main > 1 || beside > 1 {
		m.t.Errorf("%d transfers, and %d beside them", main, beside)
	}
	for _, f := range m.flights {
		for _, g := range m.flights {
			if f == g {
				continue
			}
			for _, p := range namesOf(f.Order.Batch) {
				if p != "" && g.Order.Batch.Touches(p) && !slices.Contains(namesOf(g.Order.Batch), "") {
					m.t.Errorf("%q is in two transfers: %q and %q", p, namesOf(f.Order.Batch), namesOf(g.Order.Batch))
				}
			}
		}
	}
	if m.t.Failed() {
		m.logf("set %v, moves %v", m.Account().Dirty, m.Account().Moves)
	}
}

// namesOf are the paths of a batch.
func namesOf(b dirty.Batch) (names []string) {
	for _, e := range b.Entries {
		names = append(names, e.Path)
	}
	for _, move := range b.Moves {
		names = append(names, move.From, move.To)
	}
	return names
}
