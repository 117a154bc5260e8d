package notify

import (
	"os"
	"time"

	lib "github.com/rjeczalik/notify"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// look finds out what is at a path that there is a hint for.
func (w *Watcher) look(path string, events lib.Event) {
	if w.hidden(path) {
		return // an event that was under way
	}
	for parent := relpath.Parent(path); path != "" && !w.arms.has(parent); parent = relpath.Parent(path) {
		// Nothing is known of its directory: begin with that.
		path = parent
		events |= lib.Create
	}
	if !w.realDir(relpath.Parent(path)) {
		return // Some part of the path is gone, or a symbolic link.
	}
	id, err := directory.Identify(w.root.Abs(path))
	wasDir := w.arms.has(path)
	switch {
	case path == "":
		w.sink.Changed(path, watch.Meta)
	case err != nil:
		change := watch.Entry | watch.Content | watch.Meta
		if wasDir {
			change |= watch.Tree
			w.drop(path)
		}
		w.sink.Changed(path, change)
	case events&^(lib.Write|metaEvents) == 0 && (w.arms.matches(path, id) || w.depth(path) == watch.Nothing):
		w.sink.Changed(path, watch.Meta)
	default:
		if events&lib.Create != 0 {
			// A directory made anew may have got the identity of the old one.
			w.drop(path)
		}
		w.watchBelow(path, nil)
		w.sink.Changed(path, watch.Entry|watch.Tree)
	}
}

// realDir reports whether the path leads to a directory and through directories
// only, and not through symbolic links.
func (w *Watcher) realDir(path string) bool {
	for ; ; path = relpath.Parent(path) {
		info, err := os.Lstat(w.root.Abs(path))
		if err != nil || !info.IsDir() {
			return false
		}
		if path == "" {
			return true
		}
	}
}

// drop forgets a directory and all below it.
func (w *Watcher) drop(path string) {
	w.unsettledAt = time.Now()
	w.arms.forget(path)
	for _, polled := range []map[string]*directory.Polled{w.polls.Unwatched, w.polls.Silent} {
		for p := range polled {
			if path == "" || relpath.Within(p, path) {
				delete(polled, p)
				w.silentChanged = true
			}
		}
	}
}

// watchBelow watches a directory and all below it, as far as they are not watched and
// are to be, and forgets what is not to be. Each directory that was not watched, or
// not as a whole, is passed to fresh, if that is set.
func (w *Watcher) watchBelow(path string, fresh func(path string)) {
	depth := w.depth(path)
	if depth == watch.Nothing {
		w.ignore(path)
		return
	}
	w.heed(path)
	id, err := directory.Identify(w.root.Abs(path))
	if err != nil {
		w.drop(path)
		return
	}
	matches := w.arms.matches(path, id)
	if widened := w.arms.alone(path) && depth == watch.Whole; !matches || widened {
		w.unsettledAt = time.Now()
		if fresh != nil {
			fresh(path)
		}
	}
	if !matches {
		if err := w.arms.arm(path, id); err != nil {
			w.beginPoll(path, err)
		}
	}
	w.arms.setAlone(path, depth == watch.Alone)
	// List it only now that it is watched.
	names, err := subdirs(w.root.Abs(path))
	if err != nil {
		w.beginPoll(path, err)
		return
	}
	if !w.arms.bare(path) {
		delete(w.polls.Unwatched, path)
		w.pollSilent(path, id)
	}
	for _, gone := range w.arms.others(path, names) {
		w.drop(relpath.Join(path, gone))
	}
	for _, name := range names {
		w.watchBelow(relpath.Join(path, name), fresh)
	}
}

// subdirs lists the directories in a directory.
func subdirs(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// audit makes sure that every directory is watched.
func (w *Watcher) audit() {
	start := time.Now()
	var fresh []string
	if w.arms.doubtful {
		w.arms.doubtful = false
		w.arms.forget("")
	}
	w.watchBelow("", func(path string) { fresh = append(fresh, path) })
	for _, path := range fresh {
		w.sink.Changed(path, watch.Entry|watch.Tree)
	}
	w.unsettledAt = time.Time{}
	if len(fresh) > 0 || w.arms.doubtful {
		w.unsettledAt = time.Now()
	}
	w.nextAudit = time.Now().Add(20 * time.Since(start))
}
