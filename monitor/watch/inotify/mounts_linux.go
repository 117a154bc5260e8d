package inotify

import (
	"strings"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
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
// that leads there, it is not to be watched, or was renamed, and nobody knows what was
// mounted where: all of it is looked at.
func (w *Watcher) visitPath(path string) {
	n := w.tree.root
	if n == nil {
		return // about to be visited as a whole
	}
	if path == "" {
		w.startJob(place{}, false, false)
		return
	}
	for rest, done := path, ""; ; {
		name, below, more := strings.Cut(rest, "/")
		here := place{n, name}
		if !more {
			w.startJob(here, true, true)
			return
		}
		rest, done = below, relpath.Join(done, name)
		if n = n.children[name]; n == nil {
			if w.depth(here, done) != watch.Nothing {
				w.startJob(place{}, true, false)
			}
			return
		}
	}
}
