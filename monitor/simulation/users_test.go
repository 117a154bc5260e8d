//go:build linux

package simulation

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// The guard's limits in these worlds, whose trees are small.
const (
	holdShare = 0.5
	holdCount = 6
)

// daemon is what the daemon knows, and what lasts.
type daemon struct {
	w         *world
	monitor   *monitor
	workspace config.Workspace
	orders    map[string]report.Orders
	barrier   uint64
	verify    uint64
	files     map[string][]byte // of monitors
	waits     []*wait
	attached  int
	// rulings are the rules that were in force, and from which tick on.
	rulings []ruling
	open    []uint64 // files that are still being written
	history history
}

type ruling struct {
	tick  int
	rules exclude.Rules
}

// wait is a request to wait that was not answered yet.
type wait struct {
	n        uint64
	tick     int
	verified bool
	ids      []string // of the remotes
	call     int
}

// define tells the monitor how everything is to be.
func (d *daemon) define() {
	workspace := d.workspace
	workspace.Remotes = slices.Clone(workspace.Remotes)
	orders := make(map[string]report.Orders, len(d.orders))
	for name, o := range d.orders {
		orders[name] = o
	}
	d.monitor.define(report.Definition{
		Workspace: workspace, Orders: orders, Barrier: d.barrier, Verify: d.verify,
		Settings: report.Settings{FullPassInterval: 24 * time.Hour, HoldDeletionsShare: holdShare, HoldDeletionsCount: holdCount},
	})
	if last := len(d.rulings) - 1; last < 0 || d.rulings[last].rules != d.monitor.rules() {
		d.rulings = append(d.rulings, ruling{d.w.ws.tick, d.monitor.rules()})
	}
}

// excludedSince reports whether a path was ignored at some moment since a tick.
func (d *daemon) excludedSince(path string, tick int) bool {
	for i := len(d.rulings) - 1; i >= 0; i-- {
		if r := d.rulings[i]; r.rules.Excludes(path, true) || r.rules.Excludes(path, false) {
			return true
		} else if r.tick < tick {
			return false
		}
	}
	return false
}

func (w *world) placeOf(name string) *place {
	return w.places[slices.IndexFunc(w.places, func(p *place) bool { return p.name == name })]
}

// attach mirrors to a place.
func (d *daemon) attach(p *place, force bool) {
	d.attached++
	connection := config.Connection{SSH: &config.SSH{Host: p.name}}
	if p.local {
		connection = config.Connection{Local: &config.Local{}}
	}
	d.workspace.Remotes = append(d.workspace.Remotes, config.Remote{
		Name: p.name, ID: strconv.Itoa(d.attached), RemotePath: "/" + p.name, Connection: connection,
		AdoptionPending: true, AdoptDelete: force, AdoptOverwrite: force,
	})
	p.attached = strconv.Itoa(d.attached)
	p.approved, p.foreign, p.allowed = force, make(map[string]bool), guard.Names{}
	p.shown, p.missed = make(map[string]int), make(map[string]int)
	for name := range p.names {
		p.foreign[name] = true
	}
	delete(d.orders, p.name)
	d.history.did(input{kind: attaches, of: d.w.index(p), on: true})
}

// remote is one of those that are attached, nil if there is none.
func (d *daemon) remote() *config.Remote {
	if len(d.workspace.Remotes) == 0 {
		return nil
	}
	return &d.workspace.Remotes[d.w.below(len(d.workspace.Remotes))]
}

// operation is one thing that happens. All that is left to chance while it does, and until
// the next one, follows from its number.
type operation struct {
	kind int
	seed uint64
}

// The kinds of operations, and how often each is done of 1000.
var kinds = []struct {
	name string
	n    int
	do   func(w *world)
}{
	{"go on", 330, (*world).goOn},
	{"change", 500, (*world).change},
	{"fill", 8, (*world).fill},
	{"empty", 8, (*world).empty},
	{"close", 20, (*world).close},
	{"wait", 30, (*world).wait},
	{"status", 15, (*world).status},
	{"pause", 8, (*world).pauseOrResume},
	{"approve", 12, (*world).approve},
	{"order", 8, (*world).order},
	{"set", 4, (*world).set},
	{"ignore", 5, (*world).ignore},
	{"attach", 4, (*world).attachOrDetach},
	{"fault", 14, (*world).fault},
	{"root", 1, (*world).root},
	{"repair", 40, (*world).repair},
	{"crash", 3, (*world).crash},
}

// change has somebody change the workspace.
func (w *world) change() {
	f, p := w.ws, w.anyPath()
	dir := relpath.Parent(p)
	n := f.names[p]
	switch {
	case f.gone || !f.isDir(dir):
		return
	case n == nil && w.chance(4) && strings.Count(p, "/") < 2:
		f.ticks()
		f.set(p, f.make(fs.ModeDir|0o755, 0))
		w.happens(p, kindOf(f.names[p]))
	case n == nil && w.chance(12):
		f.ticks()
		f.set(p, f.make(fs.ModeSymlink|0o777, 1))
		w.happens(p, watch.Entry|watch.Content)
	case n == nil && w.chance(6):
		if from := w.anyPath(); f.names[from] != nil && f.names[from].mode.IsRegular() {
			f.link(from, p)
			w.happens(p, watch.Entry|watch.Content)
		}
	case n == nil:
		w.write(p)
	case w.chance(5):
		w.renames(p, w.anyPath())
	case w.chance(4):
		change := kindOf(n)
		f.remove(p)
		w.happens(p, change)
	case w.chance(8) && n.mode&fs.ModeSymlink == 0:
		f.ticks()
		f.edit(n, func(n *node) { n.mode ^= 0o011; n.ctime = w.now })
		w.happens(p, watch.Meta)
	case n.mode.IsRegular() && w.chance(4): // by another file in its place
		f.ticks()
		f.unlink(p)
		f.set(p, f.make(0o644, int64(1+w.below(2))))
		w.happens(p, watch.Entry|watch.Content)
	case n.mode.IsRegular():
		w.write(p)
	}
}

// fill makes a directory with more in it than may go without a word.
func (w *world) fill() {
	f, dir := w.ws, w.anyPath()
	if f.gone || f.names[dir] != nil || !f.isDir(relpath.Parent(dir)) || len(f.names) > 60 {
		return
	}
	f.ticks()
	f.set(dir, f.make(fs.ModeDir|0o755, 0))
	w.happens(dir, kindOf(f.names[dir]))
	for i := range holdCount + 2 {
		w.write(dir + "/" + strconv.Itoa(i))
	}
}

// empty removes all in a directory, perhaps after another name was given to it.
func (w *world) empty() {
	f, dir := w.ws, w.anyPath()
	if f.gone || f.names[dir] == nil || !f.names[dir].IsDir() {
		return
	}
	if to := w.anyPath(); w.chance(2) && f.names[to] == nil {
		if w.renames(dir, to); f.names[to] != nil {
			dir = to
		}
	}
	for _, p := range slices.Clone(f.all()) {
		if relpath.Parent(p) == dir {
			change := kindOf(f.names[p])
			f.remove(p)
			w.happens(p, change)
		}
	}
}

// write writes to a file, and perhaps leaves it open.
func (w *world) write(path string) {
	change := w.ws.put(path, int64(1+w.below(2)))
	if w.chance(5) {
		change |= watch.Open
		w.daemon.open = append(w.daemon.open, w.ws.names[path].stat.Ino)
	}
	w.happens(path, change)
}

// close closes a file that was written.
func (w *world) close() {
	if len(w.daemon.open) == 0 {
		return
	}
	ino := w.daemon.open[0]
	w.daemon.open = w.daemon.open[1:]
	for _, p := range w.ws.all() {
		if n := w.ws.names[p]; n.stat.Ino == ino {
			w.ws.ticks()
			w.ws.set(p, n)
			w.happens(p, watch.Content)
			return // by one of its names
		}
	}
}

// happens has the watcher see a change of a path, if it can.
func (w *world) happens(path string, change watch.Change) {
	n := uint64(0)
	if is := w.ws.names[path]; is != nil {
		n = is.content
	}
	w.note("change", path, int(n)<<8|int(change))
	if w.events.sees(path) {
		w.events.tell(event{path: path, change: change})
	}
}

// renames renames an entry, if that can be.
func (w *world) renames(from, to string) {
	f := w.ws
	n, is := f.names[from], f.names[to]
	if relpath.Within(to, from) || relpath.Within(from, to) || !f.isDir(relpath.Parent(to)) || is != nil && (is.IsDir() || n.IsDir() || is.stat.Ino == n.stat.Ino) {
		return
	}
	w.note("rename", from+" > "+to, 0)
	before, after := w.events.sees(from), w.events.sees(to)
	f.rename(from, to)
	change := kindOf(n)
	switch {
	case before && after:
		w.events.tell(event{path: from, to: to, change: change})
	case before:
		w.events.tell(event{path: from, change: change})
	case after:
		w.events.tell(event{path: to, change: change})
	}
}

// anyPath is a path, mostly one that is there.
func (w *world) anyPath() string {
	if all := w.ws.all(); len(all) > 0 && w.chance(2) {
		return all[w.below(len(all))]
	}
	parts := [...]string{"a", "b", "c", "d", "x.o"}
	path := parts[w.below(len(parts))]
	for range 2 {
		if w.chance(2) {
			path += "/" + parts[w.below(len(parts))]
		}
	}
	return path
}

// wait is a person who waits.
func (w *world) wait() {
	d := w.daemon
	if len(d.workspace.Remotes) == 0 || len(d.waits) > 8 {
		return
	}
	d.barrier++
	x := &wait{n: d.barrier, tick: w.ws.tick, verified: w.chance(2), call: d.history.call(input{kind: waits})}
	if x.verified {
		d.verify = x.n
	}
	for _, r := range d.workspace.Remotes {
		x.ids = append(x.ids, r.ID)
	}
	d.waits = append(d.waits, x)
	w.note("wait", "", int(x.n))
	d.define()
}

// status is a person who looks.
func (w *world) status() {
	m, tick := w.daemon.monitor, w.ws.tick
	// What is told of the contents may be as old as the question, and what is told of the
	// remote is newer.
	call, contents := w.daemon.history.call(input{kind: looks}), w.daemon.history.call(input{kind: waits})
	m.afterEvents(func() {
		if m.life.ctx.Err() != nil {
			return
		}
		var out, synced []told
		for _, r := range m.workers {
			s := r.Status(w.now)
			w.note("status "+string(s.State), r.place.name, s.Pending)
			out = append(out, w.toldOf(r, s))
			if s.State == report.InSync && m.halt == "" && !w.events.lossy {
				synced = append(synced, w.syncedOf(r, tick))
			}
			if s.State == report.InSync && m.halt == "" && !r.place.harmed() && !w.events.lossy {
				w.compare("status", r, tick, false)
			}
			r.announces(w, s)
		}
		w.daemon.history.answer(call, out)
		w.daemon.history.answer(contents, synced)
	})
}

// announces checks that what is held is said.
func (r *mirrored) announces(w *world, s report.RemoteStatus) {
	account, holds := r.Account(), uint64(0)
	if account.Hold != nil {
		holds, _, _ = account.Hold.Batch().Oldest()
	}
	switch {
	case account.Hold == nil:
		r.holds = 0
	case r.holds != holds || s.Held != nil || r.due(w.now):
		r.holds, r.held = holds, w.now
	case w.now.Sub(r.held) > time.Minute:
		w.fail("%s: something is held for %v, and nobody is told", r.place.name, w.now.Sub(r.held))
	}
	if s.Held != nil && account.Hold != nil && !account.Hold.All {
		for _, name := range r.place.all() {
			if account.Hold.Names.Has(name) {
				r.place.shown[name] = r.place.missed[name]
			}
		}
	}
	if s.Held != nil && s.State != report.Halted && s.State != report.Paused {
		w.fail("%s: something is held, and the state is %s", r.place.name, s.State)
	}
	if n := len(account.Dirty) + len(account.Moves) + account.Unconfirmed; n > 4*len(w.ws.past)+512 {
		w.fail("%s: the account has %d paths, of %d that ever were", r.place.name, n, len(w.ws.past))
	}
}

func (w *world) pauseOrResume() {
	d := w.daemon
	r := d.remote()
	switch {
	case r == nil:
	case w.chance(3):
		d.workspace.Paused = !d.workspace.Paused
		d.history.did(input{kind: halves, on: d.workspace.Paused})
	default:
		r.Paused = !r.Paused
		d.history.did(input{kind: pauses, of: w.index(w.placeOf(r.Name)), on: r.Paused})
	}
	w.note("paused", "", len(d.workspace.Remotes))
	d.define()
}

// approve is a person who lets happen what is held.
func (w *world) approve() {
	any := false
	for _, r := range w.daemon.monitor.workers {
		held := r.Status(w.now).Held
		if held == nil {
			continue
		}
		account := r.Account()
		o := w.daemon.orders[r.place.name]
		if o.Approve == held.ID {
			continue
		}
		any, o.Approve = true, held.ID
		w.daemon.orders[r.place.name] = o
		r.place.allowed.AddAll(account.Hold.Names)
		clear(r.place.shown) // who approves what is left of it is suspicious no more
		r.place.approved = r.place.approved || account.Hold != nil && account.Hold.All
		w.daemon.history.did(input{kind: approves, of: w.index(r.place), id: held.ID})
		w.note("approved", r.place.name, held.Count)
	}
	if any {
		w.daemon.define()
	}
}

func (w *world) order() {
	r := w.daemon.remote()
	if r == nil {
		return
	}
	o := w.daemon.orders[r.Name]
	if w.chance(2) {
		o.Resync++
	} else {
		o.Retry++
	}
	w.daemon.orders[r.Name] = o
	w.note("order", r.Name, int(o.Resync))
	w.daemon.define()
}

// set changes an option, because of which transfers begin anew.
func (w *world) set() {
	if r := w.daemon.remote(); r != nil {
		r.Bandwidth = config.Rate(w.below(2) * 1000)
		w.note("set", r.Name, int(r.Bandwidth))
		w.daemon.define()
	}
}

// ignore changes the rules.
func (w *world) ignore() {
	patterns := [...]string{"*.o", "b/", "/a/c", "!b/d", "d"}
	p := patterns[w.below(len(patterns))]
	d := w.daemon
	if i := slices.Index(d.workspace.Ignore, p); i >= 0 {
		d.workspace.Ignore = slices.Delete(slices.Clone(d.workspace.Ignore), i, i+1)
	} else {
		d.workspace.Ignore = append(slices.Clone(d.workspace.Ignore), p)
	}
	w.note("ignore", p, len(d.workspace.Ignore))
	d.define()
	w.release()
}

// release makes names of places that are not ignored any more ours, if they have been looked
// at before: who takes back a rule wants them mirrored, and what is not here deleted.
func (w *world) release() {
	for _, r := range w.daemon.workspace.Remotes {
		p := w.placeOf(r.Name)
		for name := range p.foreign {
			if !r.AdoptionPending && !w.daemon.monitor.rules().Stays(name, p.names[name].mode.IsDir()) {
				delete(p.foreign, name)
			}
		}
	}
}

func (w *world) attachOrDetach() {
	d, p := w.daemon, w.places[w.below(len(w.places))]
	i := slices.IndexFunc(d.workspace.Remotes, func(r config.Remote) bool { return r.Name == p.name })
	if i >= 0 && w.chance(2) {
		return
	}
	if i >= 0 {
		id := d.workspace.Remotes[i].ID
		d.workspace.Remotes = slices.Delete(slices.Clone(d.workspace.Remotes), i, i+1)
		for _, x := range d.waits {
			x.ids = slices.DeleteFunc(x.ids, func(other string) bool { return other == id })
		}
		d.history.did(input{kind: attaches, of: w.index(p)})
		w.note("detach", p.name, 0)
	} else {
		d.attach(p, w.chance(2))
		w.note("attach", p.name, 0)
	}
	d.define()
}

// fault has something go wrong with a place, or be right again.
func (w *world) fault() {
	p := w.places[w.below(len(w.places))]
	switch w.below(8) {
	case 0, 1:
		p.down = !p.down
		p.broken++
	case 2:
		p.broken++
	case 3:
		p.full = !p.full
	case 4, 5:
		if p.denied == "" {
			p.denied = w.anyPath()
		} else {
			p.denied = ""
		}
	case 6:
		p.down, p.full, p.denied = false, false, ""
	case 7:
		if w.chance(4) {
			clear(p.names)
			clear(p.foreign)
			clear(p.shown)
			p.lost++
			p.broken++
			p.doubt, p.approved = true, false
		}
	}
	w.note("fault", p.name, p.broken)
}

// repair has people look after things: what is broken is mended, and what is paused goes on.
func (w *world) repair() {
	d := w.daemon
	for _, p := range w.places {
		p.down, p.full, p.denied = false, false, ""
	}
	if w.ws.gone {
		w.root()
	}
	if d.workspace.Paused {
		d.workspace.Paused = false
		d.history.did(input{kind: halves})
	}
	for i := range d.workspace.Remotes {
		if r := &d.workspace.Remotes[i]; r.Paused {
			r.Paused = false
			d.history.did(input{kind: pauses, of: w.index(w.placeOf(r.Name))})
		}
	}
	w.note("repaired", "", 0)
	d.define()
}

// root has the workspace's directory go, or come back.
func (w *world) root() {
	f := w.ws
	f.ticks()
	f.rootless = f.tick
	f.gone = !f.gone
	w.note("root", "", f.tick)
	m := w.daemon.monitor
	if f.gone {
		w.events.tell(event{then: m.recheck})
	} else {
		w.events.queue = append(w.events.queue, event{lost: true})
	}
}

// crash ends the monitor at once, wherever it is, and begins another one.
func (w *world) crash() {
	w.note("crash", "", 0)
	w.daemon.monitor.life.kill()
	w.startMonitor()
	w.daemon.rulings = append(w.daemon.rulings, ruling{w.ws.tick, w.daemon.monitor.rules()})
	w.daemon.define()
}
