//go:build linux

package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
)

var (
	seedFlag  = flag.Uint64("simulate.seed", 0, "TestSimulate: the only seed, with the digest of all that happens; -v prints it")
	seedsFlag = flag.Int("simulate.seeds", 300, "TestSimulate: how many seeds")
	firstFlag = flag.Uint64("simulate.first", 1, "TestSimulate: the first seed")
	timeFlag  = flag.Duration("simulate.time", 0, "TestSimulate: for how long seeds are tried, instead of how many")
)

// Numbers of what happens.
const (
	operations = 500
	// settling is how much may go on after all that goes wrong, and settleTime how long that
	// may take, before all must have arrived.
	settling   = 20000
	settleTime = 15 * time.Minute
)

// TestSimulate runs what seeds make. Each must keep all that is promised; one that does not
// is cut down to a short history.
func TestSimulate(t *testing.T) {
	if *seedFlag != 0 {
		var trace func(string, ...any)
		if testing.Verbose() {
			trace = t.Logf
		}
		w := run(generate(*seedFlag), *seedFlag, trace)
		fmt.Printf("seed %d: digest %016x\n", *seedFlag, w.digest)
		if w.failed != "" {
			t.Fatal(explain(*seedFlag, w.failed))
		}
		return
	}
	var next, done, failed atomic.Uint64
	var first sync.Once
	next.Store(*firstFlag)
	began := time.Now()
	more := func(seed uint64) bool {
		if *timeFlag > 0 {
			return time.Since(began) < *timeFlag
		}
		return seed < *firstFlag+uint64(*seedsFlag)
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				seed := next.Add(1) - 1
				if !more(seed) || failed.Load() > 0 {
					return
				}
				w := run(generate(seed), seed, nil)
				done.Add(1)
				if w.failed != "" {
					failed.Add(1)
					first.Do(func() { t.Error(explain(seed, w.failed)) })
				}
			}
		})
	}
	workers.Wait()
	rate := float64(done.Load()) / time.Since(began).Seconds()
	fmt.Printf("%d seeds, %d operations, %d failed, %.0f seeds/s (the first is %d)\n", done.Load(), done.Load()*operations, failed.Load(), rate, *firstFlag)
}

// TestTheSameAgain runs seeds twice, which must be the same.
func TestTheSameAgain(t *testing.T) {
	for seed := range uint64(20) {
		if a, b := run(generate(seed+1), seed+1, nil).digest, run(generate(seed+1), seed+1, nil).digest; a != b {
			t.Errorf("seed %d: %016x, and then %016x", seed+1, a, b)
		}
	}
}

// generate makes the operations of a seed.
func generate(seed uint64) (all []operation) {
	c := &chances{seed}
	total := 0
	for _, k := range kinds {
		total += k.n
	}
	for range operations {
		kind, n := 0, c.below(total)
		for n >= kinds[kind].n {
			n -= kinds[kind].n
			kind++
		}
		all = append(all, operation{kind, c.Uint64()})
	}
	return all
}

// run has operations happen in a world that a seed makes.
func run(history []operation, seed uint64, trace func(string, ...any)) *world {
	w := newWorld(seed, trace)
	for _, o := range history {
		w.state = o.seed
		w.now = w.now.Add(time.Duration(w.below(15)) * time.Millisecond)
		if w.chance(25) {
			w.now = w.now.Add(time.Duration(w.below(5000)) * time.Millisecond)
		}
		kinds[o.kind].do(w)
		w.check()
		for range w.below(5) {
			w.goOn()
			w.check()
		}
		if w.failed != "" {
			break
		}
	}
	if w.failed == "" {
		w.settle()
	}
	if w.failed == "" {
		w.linearizable()
	}
	w.daemon.monitor.life.kill()
	return w
}

// newWorld makes what there is at first.
func newWorld(seed uint64, trace func(string, ...any)) *world {
	w := &world{now: start, trace: trace}
	w.state = seed ^ 0x5eed
	w.ws = newWorkspace(w)
	w.events = &watcher{f: w.ws, lossy: w.chance(8), limit: 40 / int(1+seed%8)}
	w.daemon = &daemon{w: w, orders: make(map[string]report.Orders), files: make(map[string][]byte)}
	w.daemon.workspace.Name, w.daemon.workspace.NoDefaultIgnores = "w", true
	w.startMonitor()
	for range 25 {
		w.change()
	}
	for i := range 1 + w.below(2) {
		p := &place{w: w, name: fmt.Sprintf("r%d", i), direct: !w.chance(3), local: w.chance(3), fine: !w.chance(3), shaky: w.chance(3), names: make(map[string]there), vanished: make(map[string]bool)}
		if p.local && w.chance(3) {
			for range 3 {
				n := w.ws.make(0o644, 1)
				n.mtime = n.mtime.Add(-time.Hour) // or it would be taken for equal to one of that size
				name := w.anyPath()
				if !strings.Contains(name, "/") {
					p.names[name] = p.as(n, false)
				}
			}
		}
		w.places = append(w.places, p)
		w.daemon.attach(p, w.chance(2))
	}
	w.daemon.define()
	return w
}

// goOn has one thing go on, and if there is nothing to do time pass until there is.
func (w *world) goOn() {
	m := w.daemon.monitor
	if !m.armed && w.chance(3) {
		m.arm()
		return
	}
	if w.digest%4 == 0 { // which is as good as chance
		w.awake()
	}
	var choices []func()
	if n := len(w.events.queue); n > 0 && m.armed {
		choices = append(choices, m.deliver)
	}
	for _, t := range w.tasks {
		if t.canGo(w.now) {
			choices = append(choices, func() { w.advance(t) })
		}
	}
	for _, r := range m.workers {
		if r.due(w.now) {
			choices = append(choices, func() { m.turn(r) })
		}
	}
	if !m.searchAt.IsZero() && !m.searchAt.After(w.now) {
		choices = append(choices, m.search)
	}
	if !m.lookAt.IsZero() && !m.lookAt.After(w.now) {
		choices = append(choices, func() {
			m.lookAt = time.Time{}
			m.recheck()
		})
	}
	for _, p := range w.places {
		if len(p.late) > 0 && !p.late[0].at.After(w.now) {
			choices = append(choices, p.arrive)
		}
	}
	if len(choices) == 0 {
		w.sleep()
		return
	}
	choices[w.below(len(choices))]()
}

// together is the time within which lines that break are looked after together.
const together = 11 * time.Second

// arrive has a request arrive that was on its way over a line that broke.
func (p *place) arrive() {
	l := p.late[0]
	p.late = p.late[1:]
	p.w.note("a late request", p.name, 0)
	own := slices.ContainsFunc(p.w.daemon.monitor.workers, func(r *mirrored) bool { return r.carrier == l.carrier })
	if p.hurt = l.until.Add(together); !own && p.lateUntil.After(p.hurt) {
		p.hurt = p.lateUntil // a later monitor knows of the last of all that broke
	}
	p.arriving = true
	_ = l.do()
	p.arriving = false
}

// harmed reports whether late requests may have done something that is still to be repaired.
// Somebody has looked at it by then, but for failures.
func (p *place) harmed() bool {
	return !p.hurt.IsZero() && p.w.now.Before(p.hurt.Add(2*remote.MaxBackoff))
}

// awake checks that no worker sleeps while there is something to do: a turn that nothing has
// woken it for finds nothing, and nothing sooner than it has.
func (w *world) awake() {
	for _, r := range w.daemon.monitor.workers {
		if r.due(w.now) {
			continue
		}
		if wait := r.Turn(r.ctx); wait == 0 || w.now.Add(wait).Before(r.wake) {
			w.fail("%s: a worker sleeps until %s, and has something to do in %v", r.place.name, r.wake.Format("04:05.000"), wait)
		}
	}
}

// sleep lets time pass until something is due.
func (w *world) sleep() {
	m := w.daemon.monitor
	at := w.now.Add(5 * time.Second) // somebody looks whether something is held
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(at) && t.After(w.now) {
			at = t
		}
	}
	for _, r := range m.workers {
		earlier(r.wake)
	}
	for _, t := range w.tasks {
		earlier(t.until)
	}
	earlier(m.searchAt)
	earlier(m.lookAt)
	for _, p := range w.places {
		for _, l := range p.late {
			earlier(l.at)
		}
	}
	if !w.calm && at.Sub(w.now) > time.Second {
		at = w.now.Add(time.Duration(w.below(1000)) * time.Millisecond)
	}
	w.now = at
}

// check looks at what must hold after each operation.
func (w *world) check() {
	m := w.daemon.monitor
	any := false
	for _, r := range m.workers {
		any = any || r.answers
		if r.holds != 0 && r.Account().Hold == nil {
			r.holds = 0 // what is held next may be as old
		}
	}
	if !any {
		return
	}
	status := make(map[string]report.RemoteStatus, len(m.workers))
	for _, r := range m.workers {
		r.answers = false
		s := r.Status(w.now)
		status[r.ID()] = s
		if s.Adopted {
			for i := range w.daemon.workspace.Remotes {
				if c := &w.daemon.workspace.Remotes[i]; c.ID == r.ID() {
					c.AdoptionPending = false
				}
			}
		}
	}
	w.daemon.waits = slices.DeleteFunc(w.daemon.waits, func(x *wait) bool {
		for _, id := range x.ids {
			s, ok := status[id]
			if !ok || s.Barrier < x.n || x.verified && s.Confirmed < x.n {
				return false
			}
		}
		w.note("answered", "", int(x.n))
		for _, r := range m.workers {
			if slices.Contains(x.ids, r.ID()) && !r.place.harmed() {
				w.compare(fmt.Sprintf("wait %d", x.n), r, x.tick, x.verified)
			}
		}
		var out []told
		for _, r := range m.workers {
			if slices.Contains(x.ids, r.ID()) {
				out = append(out, w.syncedOf(r, x.tick))
			}
		}
		w.daemon.history.answer(x.call, out)
		return true
	})
}

// settle ends all that goes wrong, and sees that everything arrives.
func (w *world) settle() {
	w.note("calm", "", 0)
	w.state, w.calm = 1, true
	d := w.daemon
	for _, p := range w.places {
		p.down, p.full, p.denied = false, false, ""
	}
	for len(d.open) > 0 {
		w.close()
	}
	if w.ws.gone {
		w.root()
	}
	d.workspace.Paused = false
	d.history.did(input{kind: halves})
	for i := range d.workspace.Remotes {
		r := &d.workspace.Remotes[i]
		r.Paused = false
		d.history.did(input{kind: pauses, of: w.index(w.placeOf(r.Name))})
		o := d.orders[r.Name]
		o.Retry++
		if w.placeOf(r.Name).doubt {
			o.Resync++
		}
		d.orders[r.Name] = o
	}
	d.waits = nil
	if w.inWay() {
		d.workspace.Ignore = nil // a person has to do something
	}
	d.define()
	w.release()
	w.wait()
	end := w.now.Add(settleTime)
	for i := 0; !w.settled(); i++ {
		w.goOn()
		if w.check(); w.failed != "" {
			return
		}
		if i%20 == 19 {
			w.approve()
		}
		if i > settling || w.now.After(end) {
			for _, r := range d.monitor.workers {
				if s, a := r.Status(w.now), r.Account(); s.State != report.InSync {
					w.fail("%s: not everything arrives: %s, %s, dirty %v, everything %v, unconfirmed %d, hold %v", r.place.name, s.State, s.Error, a.Dirty, a.Everything, a.Unconfirmed, a.Hold)
				}
			}
			w.fail("not everything arrives: %d waits, %d tasks, %d events, %v", len(d.waits), len(w.tasks), len(w.events.queue), w.now.Sub(start))
			return
		}
	}
	for _, r := range d.monitor.workers {
		r.place.hurt = time.Time{}
		clear(r.place.vanished)
		w.compare("in the end", r, w.ws.tick, true)
	}
}

// inWay reports whether a place has a directory where a file is to be, with something in it
// that may be ignored.
func (w *world) inWay() bool {
	for _, p := range w.places {
		for _, q := range p.all() {
			for dir := relpath.Parent(q); dir != ""; dir = relpath.Parent(dir) {
				if n := w.ws.find(dir); n != nil && !n.IsDir() {
					return true
				}
			}
		}
	}
	return false
}

// settled reports whether nothing is left to be done.
func (w *world) settled() bool {
	m := w.daemon.monitor
	if !m.armed || len(w.daemon.waits) > 0 || len(w.tasks) > 0 || len(w.events.queue) > 0 {
		return false
	}
	for _, p := range w.places {
		if len(p.late) > 0 || p.hurt.After(w.now) {
			return false
		}
	}
	for _, r := range m.workers {
		if s := r.Status(w.now); s.State != report.InSync || r.due(w.now) {
			return false
		}
	}
	return true
}

// explain says what went wrong in a seed, with a short history that does the same.
func explain(seed uint64, failed string) string {
	history := shrink(generate(seed), func(h []operation) bool { return run(h, seed, nil).failed != "" })
	var out strings.Builder
	fmt.Fprintf(&out, "seed %d: %s\n%d operations are enough:\n", seed, failed, len(history))
	w := run(history, seed, func(format string, args ...any) { fmt.Fprintf(&out, "\t"+format+"\n", args...) })
	fmt.Fprintf(&out, "%s\ngo test ./monitor/simulation -run Simulate -simulate.seed=%d", w.failed, seed)
	return out.String()
}

// shrink takes away of a history what it takes not to fail, as far as it finds that.
func shrink(history []operation, fails func([]operation) bool) []operation {
	for part := len(history) / 2; part > 0; part /= 2 {
		for at := 0; at < len(history); {
			shorter := slices.Concat(history[:at], history[min(at+part, len(history)):])
			if fails(shorter) {
				history = shorter
			} else {
				at += part
			}
		}
	}
	return history
}
