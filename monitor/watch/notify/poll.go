package notify

import (
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// beginPoll polls a directory from now on, because of err. The first look is left to
// the next round, which reports all of it: a look here could find it gone, and forget
// it while the caller goes on with what it knew. What is not known is not polled, so
// that whoever forgets a directory finds what is polled in it.
func (w *Watcher) beginPoll(path string, err error) {
	if !w.arms.has(path) {
		return
	}
	w.problemText = "cannot watch " + w.root.Abs(path) + ": " + directory.Explain(err).Error()
	if w.polls.Unwatched[path] == nil {
		w.polls.Unwatched[path] = &directory.Polled{Why: err}
	}
}

// pollSilent begins, or ends, to poll a directory that is watched and may change
// without an event all the same.
func (w *Watcher) pollSilent(path string, id directory.Identity) {
	abs := w.root.Abs(path)
	why := directory.Silence(&w.types, &w.mounts, id.Dev, abs)
	state := w.polls.Silent[path]
	switch {
	case why == "" && state == nil:
		return
	case why == "":
		delete(w.polls.Silent, path)
	case state == nil:
		state = &directory.Polled{}
		state.Entries, _, _ = directory.Take(abs, id, w.types.Of(id.Dev, abs)) // else at the next look
		w.polls.Silent[path] = state
	}
	if state.Silent != why {
		state.Silent = why
		w.silentChanged = true
	}
}

// pollAll compares all polled directories with what they were.
func (w *Watcher) pollAll() {
	for w.polls.Start(true); w.polls.Busy(); {
		w.polls.Some(w.pollOne)
	}
}

// pollOne reports what changed in one directory.
func (w *Watcher) pollOne(path string, state *directory.Polled) {
	if !w.realDir(path) {
		if path != "" { // checkRoot does that
			w.drop(path)
			if !w.hidden(path) {
				w.sink.Changed(path, watch.Entry|watch.Tree)
			}
		}
		return
	}
	abs := w.root.Abs(path)
	id, err := directory.Identify(abs)
	if err == nil && w.arms.bare(path) {
		// Perhaps a watch is left by now.
		_ = w.arms.arm(path, id)
	}
	entries, _, err := directory.Take(abs, id, w.types.Of(id.Dev, abs))
	if err != nil {
		state.Entries = nil
		return
	}
	before := state.Entries
	state.Entries = entries
	if before == nil {
		w.watchBelow(path, nil)
		w.sink.Changed(path, watch.Entry|watch.Tree)
		return
	}
	if !w.arms.bare(path) {
		delete(w.polls.Unwatched, path)
	}
	for _, d := range entries.Since(before) {
		w.differs(relpath.Join(path, d.Name), d)
	}
}

// differs reports an entry of a polled directory that is another one, or changed.
func (w *Watcher) differs(path string, d directory.Difference) {
	switch {
	case !d.Is:
		w.drop(path)
		w.sink.Changed(path, watch.Entry|watch.Tree)
	case !d.IsDir:
		if w.arms.has(path) {
			w.drop(path)
		}
		w.sink.Changed(path, watch.Entry|watch.Content|watch.Meta|watch.Tree)
	case d.Replaced:
		w.watchBelow(path, nil)
		w.sink.Changed(path, watch.Entry|watch.Tree)
	default:
		w.sink.Changed(path, watch.Meta)
	}
}
