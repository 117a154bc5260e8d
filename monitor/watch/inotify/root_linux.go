package inotify

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"wsync/monitor/watch/directory"
)

// begin watches the root, or waits for it to come.
func (w *Watcher) begin() {
	if err := w.root.Find(); err != nil {
		w.loseRoot("it is not there: " + err.Error())
		return
	}
	w.mounts.Follow(w.root.Dir)
	w.visitRoot("")
}

// checkRoot finds out whether the root is still, or again, what its path leads to.
func (w *Watcher) checkRoot() {
	if !w.root.Away && (w.tree.root == nil || w.tree.root.id == (directory.Identity{})) {
		return // its visit is due
	}
	switch found, why := w.root.Look(func(id directory.Identity) bool { return id == w.tree.root.id }); found {
	case directory.Lost:
		w.loseRoot(why)
	case directory.Back:
		w.mounts.Follow(w.root.Dir)
		w.rootIsBack()
	}
}

// checkRootNow leaves nothing about the root to the next look: not everything
// that can happen to it is an event, and it may be back. What changed in one that
// is away is not reported before it is watched again.
func (w *Watcher) checkRootNow() {
	w.checkRoot()
	if w.root.Away {
		w.checkRoot() // another one, or the same one again
	}
}

// loseRoot forgets the whole tree.
func (w *Watcher) loseRoot(reason string) {
	if w.root.Away {
		return
	}
	text := w.root.Lose(reason)
	if w.tree.root != nil {
		w.tree.release(w.tree.root)
		w.tree.root = nil
	}
	w.tree.releaseDetached()
	w.tree.shape++
	w.unpaired = w.unpaired[:0]
	w.polls.Cancel()
	w.unwatched = nil
	// It does not matter if it fails: the path is checked now and then.
	wd, err := unix.InotifyAddWatch(w.fd, filepath.Dir(w.root.Dir), parentMask)
	if err == nil {
		w.parentWatch = int32(wd)
	}
	w.sink.RootGone(text)
}

// rootMayBeBack is called when the root's parent got an entry of its name.
func (w *Watcher) rootMayBeBack() {
	if w.root.MayLook() {
		w.checkRoot()
	}
}

// rootIsBack watches the root anew.
func (w *Watcher) rootIsBack() {
	w.root.Away = false
	if w.parentWatch != 0 {
		_, _ = unix.InotifyRmWatch(w.fd, uint32(w.parentWatch))
		w.parentWatch = 0
	}
	w.visitRoot("the root is back")
}

// visitRoot starts a job for the whole tree, and when that is done says why
// events were lost before, unless lost is "".
func (w *Watcher) visitRoot(lost string) {
	losses := w.root.Losses
	done := func() {
		switch {
		case w.root.Losses != losses:
			// This is not about the root that is there now, if one is.
		case w.tree.root == nil:
			w.loseRoot("it was gone before it was watched")
		default:
			if lost != "" {
				w.sink.Lost(lost)
			}
			w.arm()
		}
	}
	w.push(visit{relist: true, job: &job{done: done}})
}

// arm calls armed, once: the whole tree is watched.
func (w *Watcher) arm() {
	if w.armed != nil {
		w.publish()
		w.armed()
		w.armed = nil
	}
}
