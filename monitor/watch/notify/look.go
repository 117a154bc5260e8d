package notify

import (
	"strings"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// What Options.Enter keeps out is not watched, and no part of the library is told of
// it: on Linux it costs nothing, with kqueue a descriptor of the directory itself,
// since the library opens all entries of what it watches. With FSEvents the system
// tells the library of all below a directory, and the library passes on only what is
// directly in it.
//
// The library cannot take back one watch. If a directory was watched and is not to be
// any more, its events go on to come, and are dropped when they are taken from the
// library, before anything is remembered or woken for them (Watcher.ignored). If it
// was renamed to the name by which it is not to be watched, they come under the old
// name, and cost a look at that each time.

// Look implements watch.Watcher.
func (w *Watcher) Look(dirs []string) {
	w.looking.Add(dirs)
	w.wake()
}

// lookAnew does what Enter says of the directories that Look was called for.
func (w *Watcher) lookAnew() {
	for _, dir := range w.looking.Take() {
		if w.root.Away {
			return // all is asked about when it is back
		}
		w.lookBelow(w.topmost(dir))
	}
}

// lookBelow brings the watches of a directory, and of all below it, in line with what
// Enter says, and reports what was not watched before.
func (w *Watcher) lookBelow(path string) {
	if _, err := directory.Identify(w.root.Abs(path)); err != nil {
		return // there is a hint, or will be
	}
	var fresh []string
	w.watchBelow(path, func(p string) {
		if n := len(fresh); n == 0 || !relpath.Within(p, fresh[n-1]) {
			fresh = append(fresh, p)
		}
	})
	for _, p := range fresh {
		w.sink.Changed(p, watch.Entry|watch.Tree)
	}
}

// depth returns how much of the directory at path is to be watched.
func (w *Watcher) depth(path string) watch.Depth {
	switch {
	case w.opts.Enter == nil || path == "":
		return watch.Whole
	case w.arms.alone(relpath.Parent(path)):
		return watch.Nothing
	}
	return w.opts.Enter(path)
}

// topmost returns the first directory above path that is not known, path if all are.
func (w *Watcher) topmost(path string) string {
	for i, c := range []byte(path) {
		if c == '/' && !w.arms.has(path[:i]) {
			return path[:i]
		}
	}
	return path
}

// hidden reports whether path is in a directory that is not watched because it is not
// to be.
func (w *Watcher) hidden(path string) bool {
	top := w.topmost(path)
	return top != path && w.depth(top) == watch.Nothing
}

// ignore forgets a directory of which nothing is to be watched, and has its events
// dropped if it was watched before.
func (w *Watcher) ignore(path string) {
	if w.arms.has(path) {
		w.drop(path)
	}
	if w.arms.wasWatched(path) {
		w.mu.Lock()
		w.ignored[path] = struct{}{}
		w.mu.Unlock()
	}
}

// heed undoes ignore.
func (w *Watcher) heed(path string) {
	if _, ok := w.ignored[path]; ok {
		w.mu.Lock()
		delete(w.ignored, path)
		w.mu.Unlock()
	}
}

// isIgnored reports whether path is below one of Watcher.ignored; mu is held.
func (w *Watcher) isIgnored(path string) bool {
	if len(w.ignored) == 0 {
		return false
	}
	for i := strings.IndexByte(path, '/'); i >= 0; {
		if _, ok := w.ignored[path[:i]]; ok {
			return true
		}
		next := strings.IndexByte(path[i+1:], '/')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}
