package notify

import (
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// begin watches the root, or waits for it to come.
func (w *Watcher) begin() {
	if err := w.root.Find(); err != nil {
		w.loseRoot("it is not there: " + err.Error())
		return
	}
	if !w.watchRoot() {
		w.loseRoot("it is gone")
		return
	}
	w.arm()
}

// checkRoot finds out whether the root is still, or again, what its path leads to.
func (w *Watcher) checkRoot() {
	isWatched := func(id directory.Identity) bool { return w.arms.matches("", id) }
	switch found, why := w.root.Look(isWatched); found {
	case directory.Lost:
		w.loseRoot(why)
	case directory.Back:
		if w.watchRoot() {
			w.root.Away = false
			w.sink.Lost("the root is back")
			w.arm()
		}
	}
}

// watchRoot watches the root where it is now, and all below it, and returns false
// if it is gone.
func (w *Watcher) watchRoot() bool {
	if w.root.Dir != w.dir {
		w.mu.Lock()
		w.dir = w.root.Dir
		clear(w.hints) // they are of the one before
		clear(w.ignored)
		w.mu.Unlock()
	}
	w.arms.dir = w.root.Dir
	w.mounts.Follow(w.root.Dir)
	w.watchBelow("", nil)
	return w.arms.has("")
}

// arm calls armed, once: the whole tree is watched.
func (w *Watcher) arm() {
	if w.armed != nil {
		w.publish()
		w.armed()
		w.armed = nil
	}
}

func (w *Watcher) loseRoot(reason string) {
	text := w.root.Lose(reason)
	w.drop("")
	w.sink.RootGone(text)
}

// checkMounts watches anew what was mounted or unmounted below the root.
func (w *Watcher) checkMounts() {
	if w.root.Away {
		return
	}
	for _, path := range w.mounts.News(&w.types, w.opts.MountsChanged) {
		if w.hidden(path) {
			continue
		}
		dir := relpath.Parent(path)
		if !w.realDir(dir) {
			w.unsettledAt = time.Now() // a directory was renamed, and what is in it is to be looked at
			continue
		}
		if w.mounts.OverFileLately(dir) {
			w.watchBelow(dir, nil)
		}
		w.drop(path) // the one that is there may have the identity of the other
		w.watchBelow(path, nil)
		w.sink.Changed(path, watch.Entry|watch.Tree)
	}
}
