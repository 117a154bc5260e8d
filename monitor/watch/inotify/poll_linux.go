package inotify

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// Directories that cannot be watched are polled: their entries are compared
// with what they were the time before.

const (
	// rewatchInterval is how often polled directories are tried to be watched.
	rewatchInterval = time.Minute
	// rewatchBatch is how many are tried together. A failure ends the attempt.
	rewatchBatch = 64
)

// errAlias is why the second path of a bind-mounted directory is polled.
var errAlias = errors.New("it is in the tree under another path, too")

// poll begins or goes on to poll n because of err, and returns the names of its
// subdirectories.
func (w *Watcher) poll(j *job, n *node, err error) []string {
	state := w.polls.Unwatched[n]
	if state == nil {
		state = &directory.Polled{}
		w.polls.Unwatched[n] = state
		j.report = true
	}
	if state.Why == nil || state.Why.Error() != err.Error() {
		w.polledChanged = true
	}
	state.Why = err
	return w.compare(j, n, state)
}

// compare reports what changed in n since the time before, and returns the
// names of its subdirectories. If there was no time before, all of it changed.
func (w *Watcher) compare(j *job, n *node, state *directory.Polled) []string {
	path, ok := w.tree.path(n)
	if !ok {
		return nil
	}
	abs := w.root.Abs(path)
	entries, dirs, err := directory.Take(abs, n.id, w.types.Of(n.id.Dev, abs))
	if err != nil {
		if !directory.Gone(err) && (state.Why == nil || state.Why.Error() != err.Error()) {
			state.Why = err
			w.polledChanged = true
		}
		state.Entries = nil
		return nil
	}
	before := state.Entries
	state.Entries = entries
	if before == nil {
		j.report = true
		return dirs
	}
	for _, d := range entries.Since(before) {
		w.differs(n, path, d)
	}
	return dirs
}

// differs reports an entry of a polled directory that is another one, or changed.
func (w *Watcher) differs(n *node, dir string, d directory.Difference) {
	path := relpath.Join(dir, d.Name)
	child := n.children[d.Name]
	if d.IsDir {
		if d.Replaced || child == nil && w.depth(place{n, d.Name}, path) != watch.Nothing {
			w.startJob(place{n, d.Name}, true, true)
		} else {
			w.sink.Changed(path, watch.Meta)
		}
		return
	}
	if child != nil {
		w.tree.detach(child)
	}
	change := watch.Entry
	if d.Is {
		change |= watch.Content | watch.Meta
	}
	if d.WasDir {
		change |= watch.Tree
	}
	w.sink.Changed(path, change)
}

// pollOne looks at a polled directory again.
func (w *Watcher) pollOne(n *node, state *directory.Polled) {
	if !w.tree.holds(n) {
		return
	}
	if state.Entries != nil {
		j := &job{place: place{n.parent, n.name}}
		w.compare(j, n, state)
	}
	if state.Entries == nil {
		w.startJob(place{n.parent, n.name}, true, false)
	}
}

// pollSilent begins, or ends, to poll a directory that has a watch. path is its
// absolute path.
func (w *Watcher) pollSilent(j *job, n *node, path string) {
	state := w.polls.Silent[n]
	why := ""
	if n.wd != 0 {
		why = directory.Silence(&w.types, &w.mounts, n.id.Dev, path)
	}
	if why == "" {
		if state != nil {
			delete(w.polls.Silent, n)
			w.silentChanged = true
		}
		return
	}
	if state == nil {
		state = &directory.Polled{}
		w.polls.Silent[n] = state
	}
	if state.Silent != why {
		state.Silent = why
		w.silentChanged = true
	}
	w.compare(j, n, state)
}

// rewatch begins to try to watch what is polled: watches may have become free.
func (w *Watcher) rewatch() {
	w.unwatched = w.unwatched[:0]
	for n := range w.polls.Unwatched {
		w.unwatched = append(w.unwatched, n)
	}
	w.polledBefore = len(w.unwatched) + 1
}

// rewatchSome goes on with the attempt, as long as it gets anywhere.
func (w *Watcher) rewatchSome() {
	if len(w.unwatched) == 0 || len(w.visits) > 0 || len(w.tree.ending) > 0 {
		return
	}
	if len(w.polls.Unwatched) >= w.polledBefore || w.freeWatches() <= 0 {
		w.unwatched = nil
		return
	}
	w.polledBefore = len(w.polls.Unwatched)
	for range min(rewatchBatch, len(w.unwatched)) {
		n := w.unwatched[len(w.unwatched)-1]
		w.unwatched = w.unwatched[:len(w.unwatched)-1]
		if w.polls.Unwatched[n] != nil && w.tree.holds(n) {
			w.startJob(place{n.parent, n.name}, false, false)
		}
	}
}

// problem describes why directories are polled, "" if none is.
func (w *Watcher) problem() string {
	var short, broken int
	var example string
	for n, state := range w.polls.Unwatched {
		if outOfWatches(state.Why) {
			short++
			continue
		}
		path, ok := w.tree.path(n)
		if !ok || errors.Is(state.Why, errAlias) {
			continue
		}
		broken++
		if text := fmt.Sprintf("cannot watch %q: %v", w.root.Abs(path), directory.Explain(state.Why)); example == "" || text < example {
			example = text
		}
	}
	var parts []string
	if short > 0 {
		parts = append(parts, w.shortage(short))
	}
	if broken > 1 {
		example += fmt.Sprintf(" (and %d more)", broken-1)
	}
	if broken > 0 {
		parts = append(parts, example)
	}
	return strings.Join(parts, "; ")
}

func outOfWatches(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, errNotAllowed)
}

// shortage describes a lack of n watches and what helps.
func (w *Watcher) shortage(n int) string {
	text := fmt.Sprintf("%d of %d directories are polled because no watch is left for them", n, n+len(w.tree.byWatch))
	if w.opts.MaxWatches > 0 && len(w.tree.byWatch) >= w.opts.MaxWatches {
		return fmt.Sprintf("%s: MaxWatches allows %d, and %d are needed", text, w.opts.MaxWatches, n+len(w.tree.byWatch))
	}
	limit := readLimit("/proc/sys/fs/inotify/max_user_watches")
	if own := readLimit("/proc/sys/user/max_inotify_watches"); own > 0 && own < limit {
		return fmt.Sprintf("%s: sysctl user.max_inotify_watches=%d", text, roundUp(own+n))
	}
	return fmt.Sprintf("%s: sysctl fs.inotify.max_user_watches=%d", text, roundUp(limit+n))
}

// roundUp returns a round number with some room above n.
func roundUp(n int) int {
	const step = 8192
	return (n + n/4 + step) / step * step
}

// readLimit reads a number below /proc/sys, 0 if it cannot.
func readLimit(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return n
}
