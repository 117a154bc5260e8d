//go:build linux

package simulation

import (
	"io/fs"
	"slices"
	"time"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// What is done to a place is looked at as it is done: whoever does it, there has to be a
// reason for it in the workspace or a person's word. None of this asks the account that
// decided.

// touches checks that anything at the place may be changed now.
func (t *trip) touches(path string) {
	d := t.m.definition.Workspace
	switch i := slices.IndexFunc(d.Remotes, func(r config.Remote) bool { return r.ID == t.Remote.ID }); {
	case t.over: // it is late
	case t.m.halt != "":
		t.w.fail("%s: %q is touched, and all is halted", t.place.name, path)
	case i < 0 || d.Paused || d.Remotes[i].Paused:
		t.w.fail("%s: %q is touched, which is paused or detached", t.place.name, path)
	}
}

// remove removes a name of the place, and looks whether it may be.
func (t *trip) remove(path string) error {
	t.touches(path)
	is, foreign := t.place.names[path], t.foreign(path)
	err := t.place.remove(path)
	if err == nil {
		t.mayGo(path, is, foreign)
	}
	return err
}

// foreign reports whether what is at a path is somebody else's, as the trip could know.
func (t *trip) foreign(path string) bool {
	return t.place.foreign[path] && t.Remote.ID == t.place.attached
}

// mayGo checks a deletion.
func (t *trip) mayGo(path string, is there, foreign bool) {
	w, p, f := t.w, t.place, t.w.ws
	if foreign {
		if !p.approved {
			w.fail("%s: %q is deleted, which is somebody else's", p.name, path)
		}
		return
	}
	if !f.lacked(path, t.tick, is.mode.IsDir()) {
		w.fail("%s: %q is deleted, which the workspace has", p.name, path)
	}
	if t.ignoredAllAlong(path, is.mode.IsDir()) {
		w.fail("%s: %q is deleted, which is ignored", p.name, path)
	}
	if to, ok := f.movedTo[path]; ok && f.was(to, t.tick, func(n *node) bool { return n != nil }) {
		return // it has another name, or had when that was judged
	}
	if p.allowed.Covers(path) || t.made[path] {
		return // also when it has come and gone since
	}
	if !t.over && t.Remote.ID == p.attached && w.isHeld(p, path) {
		w.fail("%s: %q is deleted, which was held, and nobody has approved it", p.name, path)
	}
	t.deleted++
	left := max(t.left, guarded{t.carrier}.Left(1<<20))
	if t.deleted > holdCount && float64(t.deleted) > holdShare*float64(t.deleted+left) {
		w.fail("%s: %d entries are deleted at once of %d, and nobody was asked", p.name, t.deleted, t.deleted+left)
	}
}

// isHeld reports whether a person has seen that the deletion of a path is held, and it has
// neither come back since, nor was it ignored or something in it, nor is something of its
// name where a directory above it was renamed to.
func (w *world) isHeld(p *place, path string) bool {
	is := func(n *node) bool { return n != nil }
	since, ok := p.shown[path]
	if !ok || w.daemon.excludedSince(path, since) || w.ws.was(path, since, is) {
		return false
	}
	for q := range w.ws.past {
		if relpath.Below(q, path) && w.daemon.excludedSince(q, since) {
			return false // it stayed for the sake of that, and was held no more
		}
	}
	for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
		if to, ok := w.ws.movedTo[dir]; ok && w.ws.was(to+path[len(dir):], since, is) {
			return false
		}
	}
	return true
}

// lacked reports whether the workspace had no entry of a kind at a path at some moment since
// a tick, while it was there at all.
func (f *workspace) lacked(path string, since int, dir bool) bool {
	past := f.past[path]
	for i := len(past) - 1; i >= 0; i-- {
		if past[i].node == nil || past[i].IsDir() != dir {
			return true
		}
		if past[i].tick <= since {
			return false
		}
	}
	return true
}

// ignoredAllAlong reports whether all rules that were in force since the transfer began
// ignore a path.
func (t *trip) ignoredAllAlong(path string, dir bool) bool {
	for _, rules := range t.m.ruled[t.ruled:] {
		if !rules.Excludes(path, dir) {
			return false
		}
	}
	return true
}

// mayCome checks that something may be made or changed at a path, which was a directory or not
// when it was looked at to be sent.
func (t *trip) mayCome(path string, dir bool) {
	n := t.w.ws.find(path)
	if n == nil {
		return
	}
	if !t.over && t.ignoredAllAlong(path, dir) { // what is late was for what was there then
		t.w.fail("%s: %q is sent, which is ignored", t.place.name, path)
	}
	if is := t.place.names[path]; t.foreign(path) && !t.place.approved && !n.IsDir() && !is.mode.IsDir() && is.content != n.content {
		t.w.fail("%s: %q is overwritten, which is somebody else's", t.place.name, path)
	}
}

// sync is that of the place.
func (t *trip) sync(path string, alike func(*node, there) bool) error {
	t.touches(path)
	n := t.w.ws.find(path)
	t.mayCome(path, n != nil && n.IsDir())
	_, was := t.place.names[path]
	err := t.place.sync(path, t.w.ws, alike)
	if err == nil {
		delete(t.place.foreign, path)
		t.made[path] = t.made[path] || !was
	}
	return err
}

// flyStep carries out a step of the direct lane.
func (t *trip) flyStep(s direct.Step) error {
	t.touches(s.Path)
	is, was := t.place.names[s.Path]
	foreign := t.foreign(s.Path)
	if !s.Removes() && !(s.Kind == direct.SetAttributes && s.Info.IsDir()) { // what a directory has is no matter
		t.mayCome(s.Path, s.Info != nil && s.Info.IsDir())
	}
	err := t.place.step(s, t.w.ws)
	if err == nil && was && s.Removes() {
		t.mayGo(s.Path, is, foreign)
	}
	return err
}

// rename repeats a rename.
func (t *trip) rename(m dirty.Move) error {
	t.touches(m.From)
	if t.w.ws.renamed[m.From] == 0 {
		t.w.fail("%s: %q is renamed to %q, which nobody did", t.place.name, m.From, m.To)
	}
	for _, p := range t.place.all() {
		if relpath.Within(p, m.From) && t.place.allowed.Has(p) {
			t.place.allowed.Add(m.To+p[len(m.From):], true)
		}
	}
	return t.place.rename(m.From, m.To)
}

// compare checks that a place has of each path what the workspace had at some moment since a
// tick, and nothing else. exact: times and modes as well, unless it has changed since.
func (w *world) compare(what string, m *mirrored, since int, exact bool) {
	f, p := w.ws, m.place
	if p.doubt || f.gone {
		return // what became of it is still to be seen
	}
	check := func(path string) {
		is, ok := p.names[path]
		past := f.past[path]
		if w.excused(p, path, since) {
			return
		}
		if !f.was(path, since, func(n *node) bool {
			if v := (version{node: n}); !v.equals(is, ok) || n == nil || n.IsDir() {
				return v.equals(is, ok)
			}
			// What happens by another name of a file, or one that it had, may have it sent again.
			return !exact || past[len(past)-1].tick > since || f.linked[n.stat.Ino] != nil || f.renamed[path] > 0 || n.mode == is.mode && (n.mode&fs.ModeSymlink != 0 || p.as(n, false).mtime.Truncate(p.grain()).Equal(is.mtime.Truncate(p.grain())))
		}) {
			w.fail("%s: %s has %v at %q, and the workspace %v", what, p.name, is, path, f.describe(path, since))
		}
	}
	for _, path := range p.all() {
		check(path)
	}
	for path := range f.past {
		if _, ok := p.names[path]; !ok {
			check(path)
		}
	}
}

// equals reports whether a version of a path is what a place has there, if it has anything.
func (v version) equals(is there, ok bool) bool {
	switch {
	case v.node == nil || !ok:
		return v.node == nil && !ok
	case v.IsDir() || is.mode.IsDir():
		return v.IsDir() == is.mode.IsDir()
	}
	return v.mode.Type() == is.mode.Type() && v.content == is.content
}

// excused reports whether a place may have something else at a path: it is ignored, or leads
// to what is; it is somebody else's; it was renamed since a tick, or was gone when a pass came
// to it.
func (w *world) excused(p *place, path string, since int) bool {
	return p.foreign[path] || p.vanished[path] || w.daemon.excludedSince(path, since) || w.ws.renamedSince(path, since) ||
		w.isLinkedOutside(path, since) || p.names[path].mode.IsDir() && w.leads(p, path, since)
}

// isLinkedOutside reports whether a file has, or had, a name that is ignored: what is done by
// that counts as done from outside, of which nobody is told. Nor is who looks for the names of
// a file told of one that is gone by then; there will be an event. And what was done by a name
// that nobody has looked at before it was gone is known to be about no file.
func (w *world) isLinkedOutside(path string, since int) bool {
	past := w.ws.past[path]
	if len(w.ws.linked) == 0 || len(past) == 0 {
		return false
	}
	for _, v := range past {
		if v.node == nil {
			continue
		}
		if w.ws.linked[v.stat.Ino] != nil && since >= 0 && w.ws.was(path, since, func(n *node) bool { return n == nil }) {
			return true
		}
		for _, name := range w.ws.linked[v.stat.Ino] {
			if name != path && (w.daemon.excludedSince(name, -1) || w.isGone(name, v.stat.Ino) && !w.daemon.monitor.known[linkName{v.stat.Ino, name}]) {
				return true
			}
		}
	}
	return false
}

// isGone reports whether a file has a name no more.
func (w *world) isGone(name string, number uint64) bool {
	n := w.ws.find(name)
	return n == nil || n.stat.Ino != number
}

// leads reports whether a directory of a place leads to something that is ignored: it stays.
func (w *world) leads(p *place, path string, since int) bool {
	for q := range p.names {
		if relpath.Below(q, path) && w.daemon.excludedSince(q, since) {
			return true
		}
	}
	return false
}

// grain is how exactly times are kept.
func (p *place) grain() time.Duration {
	if p.fine {
		return time.Nanosecond
	}
	return time.Second
}

// renamedSince reports whether a path, or one that it lies below, was renamed after a tick:
// then it is as dirty as the rename.
func (f *workspace) renamedSince(path string, tick int) bool {
	for p := path; p != ""; p = relpath.Parent(p) {
		if f.renamed[p] > tick {
			return true
		}
	}
	return false
}

// describe are the versions of a path since a tick.
func (f *workspace) describe(path string, since int) (all []there) {
	f.was(path, since, func(n *node) bool {
		if n != nil {
			all = append(all, there{n.mode, n.content, n.size, n.mtime})
		} else {
			all = append(all, there{})
		}
		return false
	})
	return all
}
