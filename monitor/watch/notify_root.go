package watch

import "time"

// begin watches the root, or waits for it to come.
func (w *notifier) begin() {
	dir, _, err := findRoot(w.path)
	if err != nil {
		w.loseRoot("it is not there: " + err.Error())
		return
	}
	w.leadTo(dir)
	w.mounts.follow(dir)
	if !w.settleRoot() {
		w.loseRoot("it is gone")
		return
	}
	w.arm()
}

// checkRoot finds out whether the root is still, or again, what its path leads
// to.
func (w *notifier) checkRoot() {
	dir, id, err := findRoot(w.path)
	switch {
	case w.away && err == nil:
		w.leadTo(dir)
		w.mounts.follow(dir)
		if w.settleRoot() {
			w.away = false
			w.sink.Lost("the root is back")
			w.arm()
		}
	case w.away:
		// Not there yet.
	case err != nil:
		w.loseRoot("it is gone: " + err.Error())
	case dir != w.dir:
		w.loseRoot("its path leads to " + dir + " now")
	case !w.arms.matches("", id):
		w.loseRoot("it was replaced")
	}
}

// settleRoot watches the root and all below it, and returns false if it is gone.
func (w *notifier) settleRoot() bool {
	w.settle("", nil)
	return w.arms.has("")
}

// arm tells that the whole tree is watched, once.
func (w *notifier) arm() {
	if w.armed != nil {
		w.publish()
		w.armed()
		w.armed = nil
	}
}

// leadTo takes note of the directory that the root's path leads to.
func (w *notifier) leadTo(dir string) {
	if dir == w.dir {
		return
	}
	w.mu.Lock()
	w.dir = dir
	clear(w.hints) // they are of the one before
	w.mu.Unlock()
	w.arms.dir = dir
}

func (w *notifier) loseRoot(reason string) {
	w.away = true
	w.drop("")
	clear(w.polled)
	w.sink.RootGone("cannot watch " + w.path + ": " + reason)
}

// checkMounts watches anew what was mounted or unmounted below the root.
func (w *notifier) checkMounts() {
	if w.away || !w.mounts.changed() {
		return
	}
	changes := w.mounts.changes()
	if len(changes) > 0 && w.opts.MountsChanged != nil {
		w.opts.MountsChanged()
	}
	for _, path := range changes {
		if !w.realDir(parentPath(path)) {
			w.unsettledAt = time.Now() // a directory was renamed, and what is in it is to be looked at
			continue
		}
		w.drop(path) // the one that is there may have the identity of the other
		w.settle(path, nil)
		w.sink.Changed(path, Entry|Tree)
	}
}
