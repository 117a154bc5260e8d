package watch

import (
	"io/fs"
	"os"
	"time"
)

// notifyPoll is what is known of a directory that a notifier cannot watch.
type notifyPoll struct {
	// entries are the entries as of the last poll; nil if it failed.
	entries map[string]entryFacts
}

// entryFacts tell one state of an entry from another.
type entryFacts struct {
	id    identity
	mode  fs.FileMode
	size  int64
	mtime time.Time
}

// beginPoll polls a directory from now on, because of err.
func (w *notifier) beginPoll(path string, err error) {
	w.problemText = "cannot watch " + w.abs(path) + ": " + err.Error()
	if w.polled[path] == nil {
		w.polled[path] = &notifyPoll{}
		w.pollOne(path)
	}
}

// pollAll compares all polled directories with what they were.
func (w *notifier) pollAll() {
	start := time.Now()
	for path := range w.polled {
		w.pollOne(path)
	}
	w.nextPoll = time.Now().Add(max(time.Second, 20*time.Since(start)))
}

// pollOne reports what changed in one directory.
func (w *notifier) pollOne(path string) {
	state := w.polled[path]
	if state == nil || !w.realDir(path) {
		return
	}
	if info, err := os.Lstat(w.abs(path)); err == nil && w.arms.bare(path) {
		// Perhaps a watch is left by now.
		_ = w.arms.arm(path, idOf(info))
	}
	entries, err := readFacts(w.abs(path))
	if err != nil {
		state.entries = nil
		return
	}
	old := state.entries
	state.entries = entries
	if old == nil {
		w.settle(path, nil)
		w.sink.Changed(path, Entry|Tree)
		return
	}
	if !w.arms.bare(path) {
		delete(w.polled, path)
	}
	for name, facts := range entries {
		before, was := old[name]
		if was && before == facts {
			continue
		}
		p := join(path, name)
		if !facts.mode.IsDir() {
			if w.arms.has(p) {
				w.drop(p)
			}
			w.sink.Changed(p, Entry|Content|Meta|Tree)
			continue
		}
		if before.id != facts.id {
			w.settle(p, nil)
			w.sink.Changed(p, Entry|Tree)
			continue
		}
		w.sink.Changed(p, Meta)
	}
	for name := range old {
		if _, ok := entries[name]; !ok {
			w.drop(join(path, name))
			w.sink.Changed(join(path, name), Entry|Tree)
		}
	}
}

// readFacts looks at all entries of a directory.
func readFacts(path string) (map[string]entryFacts, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	all := make(map[string]entryFacts, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // It is gone again.
		}
		all[e.Name()] = entryFacts{idOf(info), info.Mode(), info.Size(), info.ModTime()}
	}
	return all, nil
}
