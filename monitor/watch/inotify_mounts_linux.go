package watch

import "strings"

// checkMounts watches anew what was mounted or unmounted below the root.
func (w *inotify) checkMounts() {
	w.mountsNoted = false
	if w.away || !w.mounts.changed() {
		return
	}
	changes := w.mounts.changes()
	if len(changes) == 0 {
		return
	}
	if w.opts.MountsChanged != nil {
		w.opts.MountsChanged()
	}
	clear(w.types)
	for _, path := range changes {
		w.settlePath(path)
		if w.mounts.over[parentPath(path)] || w.mounts.overBefore[parentPath(path)] {
			w.settlePath(parentPath(path))
		}
	}
}

// settlePath settles what is at a path and reports it. If the tree has no directory
// that leads there, that was renamed, and nobody knows what was mounted where: all
// of it is looked at.
func (w *inotify) settlePath(path string) {
	n := w.tree.root
	if n == nil {
		return // about to be settled as a whole
	}
	if path == "" {
		w.settle(place{}, false, false)
		return
	}
	for {
		name, rest, more := strings.Cut(path, "/")
		if !more {
			w.settle(place{n, name}, true, true)
			return
		}
		if n, path = n.children[name], rest; n == nil {
			w.settle(place{}, true, false)
			return
		}
	}
}
