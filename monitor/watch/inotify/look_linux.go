package inotify

import (
	"strings"
	"time"

	"wsync/monitor/watch"
)

// Directories that Options.Enter keeps out have no node: they cost nothing. Nodes
// remember only that there may be such a directory in them, so that these are the
// only ones to be listed when Enter says something else than before.

// Look implements watch.Watcher.
func (w *Watcher) Look(dirs []string) {
	w.looking.Add(dirs)
	w.wake()
}

// lookAnew begins with what Look was asked for. What the tree does not hold yet, or
// any more, is asked about when it comes.
func (w *Watcher) lookAnew() {
	for _, dir := range w.looking.Take() {
		if w.tree.root == nil {
			return // about to be visited as a whole, or away
		}
		w.startRecheck(w.placeOf(dir), w.watchesEnded)
	}
}

// watchesEnded has what is polled for the lack of a watch tried again soon.
func (w *Watcher) watchesEnded() { w.nextRewatch = time.Now() }

// placeOf returns the place of a path, or that of the topmost directory above it
// that the tree does not hold.
func (w *Watcher) placeOf(path string) place {
	p := place{}
	for n := w.tree.root; path != "" && n != nil; n = n.children[p.name] {
		p.parent = n
		p.name, path, _ = strings.Cut(path, "/")
	}
	return p
}

// depth returns how much of the directory at a place is to be watched; path is that
// of the place.
func (w *Watcher) depth(p place, path string) watch.Depth {
	switch {
	case w.opts.Enter == nil || p.parent == nil:
		return watch.Whole
	case p.parent.alone:
		return watch.Nothing
	}
	return w.opts.Enter(path)
}

// startRecheck starts a job that does what Enter says of a place and of all below
// it, as far as that is another thing than before; done, if set, is called at its end.
func (w *Watcher) startRecheck(p place, done func()) {
	if done == nil {
		done = func() {}
	}
	w.push(visit{place: p, recheck: true, job: &job{done: done}})
}

// recheck asks Enter about one place, and goes on with the places in it. What has to
// be watched, or may be another directory than the one that is known, gets a job of
// its own, by which it is reported.
func (w *Watcher) recheck(v visit) {
	if v.parent != nil && !w.tree.holds(v.parent) {
		return // if it was renamed, its new place is rechecked
	}
	n := w.nodeAt(v.place)
	if n == nil {
		if v.parent != nil {
			w.startJob(v.place, true, false)
		}
		return
	}
	path, _ := w.pathOf(v.place)
	switch depth := w.depth(v.place, path); {
	case depth == watch.Nothing:
		w.ignore(v.place, n)
		return
	case depth == watch.Alone:
		w.isolate(n)
		return
	case n.alone:
		w.startJob(v.place, true, true)
		return
	}
	if n.partial && !w.listAgain(n, path) {
		w.startJob(v.place, true, false)
		return
	}
	for name := range n.children {
		w.push(visit{place: place{n, name}, recheck: true, job: v.job})
	}
}

// listAgain visits the directories in n that have no node, and returns false if what
// is at its path is not what is known.
func (w *Watcher) listAgain(n *node, path string) bool {
	found := lookAt(w.fd, w.root.Abs(path), 0, false, w.listing)
	if found.err != nil || found.id != n.id {
		return false
	}
	n.partial = false // the visits will tell
	for _, name := range found.dirs {
		if n.children[name] == nil {
			w.startJob(place{n, name}, true, false)
		}
	}
	return true
}

// ignore takes in that nothing of a place is to be watched; n is its node, if it has
// one.
func (w *Watcher) ignore(p place, n *node) {
	p.parent.partial = true
	if n != nil {
		w.forget(n)
	}
}

// isolate takes in that no directory in n is to be watched.
func (w *Watcher) isolate(n *node) {
	n.alone = true
	for _, child := range n.children {
		w.forget(child)
	}
}

// forget ends the watching of n and of all below it, of which nothing is reported any
// more.
func (w *Watcher) forget(n *node) {
	w.tree.detach(n)
	delete(w.tree.detached, n)
	w.tree.release(n)
	w.polledChanged, w.silentChanged = true, true // what is said of them
}
