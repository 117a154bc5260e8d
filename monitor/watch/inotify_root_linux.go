package watch

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// rootInterval is how often the root's path is checked: renaming one of the
	// directories above it gives no event, nor does a mount over it.
	rootInterval = time.Second
	// rootPause is the least time between the loss of the root and looking for
	// it because its parent changed.
	rootPause = 100 * time.Millisecond
)

// leadTo takes note of the directory that the root's path leads to.
func (w *inotify) leadTo(dir string) {
	w.dir, w.base = dir, filepath.Base(dir)
}

// begin watches the root, or waits for it to come.
func (w *inotify) begin() {
	dir, _, err := findRoot(w.path)
	if err != nil {
		w.loseRoot("it is not there: " + err.Error())
		return
	}
	w.leadTo(dir)
	w.mounts.follow(dir)
	w.settleRoot("")
}

// checkRoot finds out whether the root is still, or again, what its path leads
// to. The directory that is watched may be there as before and yet be found by
// another path only: the root, or a directory above it, was moved and a link put
// in its place, or a link leads elsewhere now.
func (w *inotify) checkRoot() {
	dir, id, err := findRoot(w.path)
	switch {
	case w.away && err == nil:
		w.leadTo(dir)
		w.mounts.follow(dir)
		w.rootIsBack()
	case w.away || w.tree.root == nil || w.tree.root.id == (identity{}):
		// Not there yet.
	case err != nil && gone(err):
		w.loseRoot("it is gone: " + err.Error())
	case err == nil && dir != w.dir:
		w.loseRoot("its path leads to " + dir + " now")
	case err == nil && id != w.tree.root.id:
		w.loseRoot("it was replaced")
	}
}

// checkRootNow leaves nothing about the root to the next look: not everything
// that can happen to it is an event, and it may be back. What changed in one that
// is away is not reported before it is watched again.
func (w *inotify) checkRootNow() {
	w.checkRoot()
	if w.away {
		w.checkRoot() // another one, or the same one again
	}
}

// loseRoot forgets the whole tree.
func (w *inotify) loseRoot(reason string) {
	if w.away {
		return
	}
	w.away = true
	w.losses++
	w.lostRootAt = time.Now()
	w.nextRoot = w.lostRootAt.Add(rootPause)
	if w.tree.root != nil {
		w.tree.bury(w.tree.root)
		w.tree.root = nil
	}
	w.tree.buryLimbo()
	w.tree.shape++
	w.departures = w.departures[:0]
	w.round = nil
	w.unwatched = nil
	// It does not matter if it fails: the path is checked now and then.
	wd, err := unix.InotifyAddWatch(w.fd, filepath.Dir(w.dir), parentMask)
	if err == nil {
		w.parentWatch = int32(wd)
	}
	w.sink.RootGone("cannot watch " + w.path + ": " + reason)
}

// rootMayBeBack is called when the root's parent got an entry of its name.
func (w *inotify) rootMayBeBack() {
	if time.Since(w.lostRootAt) >= rootPause {
		w.checkRoot()
	}
}

// rootIsBack watches the root anew.
func (w *inotify) rootIsBack() {
	w.away = false
	if w.parentWatch != 0 {
		_, _ = unix.InotifyRmWatch(w.fd, uint32(w.parentWatch))
		w.parentWatch = 0
	}
	w.settleRoot("the root is back")
}

// settleRoot starts a job for the whole tree, and when that is done tells why
// events were lost before, unless lost is "".
func (w *inotify) settleRoot(lost string) {
	losses := w.losses
	done := func() {
		switch {
		case w.losses != losses:
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

// arm tells that the whole tree is watched, once.
func (w *inotify) arm() {
	if w.armed != nil {
		w.publish()
		w.armed()
		w.armed = nil
	}
}
