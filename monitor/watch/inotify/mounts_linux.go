package inotify

import (
	"strings"

	"wsync/monitor/relpath"
)

// checkMounts watches anew what was mounted or unmounted below the root.
func (w *Watcher) checkMounts() {
	w.mountsNoted = false
	if w.root.Away {
		return
	}
	for _, path := range w.mounts.News(&w.types, w.opts.MountsChanged) {
		w.visitPath(path)
		if dir := relpath.Parent(path); w.mounts.OverFileLately(dir) {
			w.visitPath(dir)
		}
	}
}

// visitPath visits what is at a path and reports it. If the tree has no directory
// that leads there, that was renamed, and nobody knows what was mounted where: all
// of it is looked at.
func (w *Watcher) visitPath(path string) {
	n := w.tree.root
	if n == nil {
		return // about to be visited as a whole
	}
	if path == "" {
		w.startJob(place{}, false, false)
		return
	}
	for {
		name, rest, more := strings.Cut(path, "/")
		if !more {
			w.startJob(place{n, name}, true, true)
			return
		}
		if n, path = n.children[name], rest; n == nil {
			w.startJob(place{}, true, false)
			return
		}
	}
}
