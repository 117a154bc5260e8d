package monitor

import (
	"context"
	"io/fs"
	"math"
	"slices"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

// The search for names that nobody knows: a walk through the workspace, which
// costs no remote anything. Until it is done, no remote is in sync.

const (
	// searchDelay is how long a question waits for the events that may answer it,
	// which come by the time: a name that is about to be removed, above all.
	searchDelay = 20 * time.Millisecond
	// searchShare, the inverse of it, bounds the part of the time that walks may take.
	searchShare = 4
	// searchRounds is how many walks may be disturbed before a full pass is made.
	searchRounds = 3
)

// marks are names that are to be looked at, as of a mark.
type marks struct {
	names []string
	seq   uint64
	since time.Time
}

// scan finds the names of all files that have several, and answers the questions
// that were open when it began. A name that is new comes with an event, so that
// no walk needs to find it; but a directory that is renamed meanwhile may take
// names along to where the walk has been.
func (l *links) scan(ctx context.Context) {
	l.mu.Lock()
	renames := l.renames
	questions := make([]*linkedFile, 0, len(l.asked))
	for f := range l.asked {
		questions = append(questions, f)
	}
	l.mu.Unlock()
	type file struct {
		names []string
		nlink uint64
	}
	files := make(map[fileID]*file)
	walkFiles(ctx, l.root, "", func(name string, e fs.DirEntry) bool {
		if l.seen != nil {
			l.seen(name)
		}
		info, err := e.Info()
		if err != nil {
			return true // it is gone
		}
		id, nlink, ok := identify(info)
		if !ok || nlink < 2 || l.exclude.Excludes(name) {
			return true
		}
		f := files[id]
		if f == nil {
			f = &file{}
			files[id] = f
		}
		f.names, f.nlink = append(f.names, name), nlink
		return true
	})
	if ctx.Err() != nil {
		return
	}
	var found []marks
	for id, f := range files {
		found = append(found, l.found(id, f.names, f.nlink, renames)...)
	}
	for _, f := range questions {
		found = append(found, l.resolve(f, renames)...)
	}
	l.finish(found)
}

// found takes in the names of a file that a walk has found, which began after so
// many renames.
func (l *links) found(id fileID, names []string, nlink uint64, renames int) (found []marks) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[id]
	for _, name := range names {
		if f != nil && f.used > 0 && !slices.Contains(l.paths[name], f) {
			// What happened meanwhile by another name was told of that one only.
			found = append(found, marks{[]string{name}, f.used, time.Now()})
		}
		if f = l.join(id, name); f == nil {
			return found
		}
	}
	if f.question == nil && l.renames == renames {
		l.setOutside(f, max(nlink, uint64(len(names)))-uint64(len(names)))
	}
	return found
}

// resolve answers the question about a file after a walk that began after so many
// renames, or without one if all names are known by now.
func (l *links) resolve(f *linkedFile, renames int) []marks {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := f.question
	if q == nil || q.answered {
		return nil
	}
	names := l.current(f, "")
	changed := true
	if len(names) > 0 {
		info, err := l.lstat(names[0])
		if err != nil {
			return nil // at the next time
		}
		id, nlink, ok := identify(info)
		if !ok || id != f.id {
			return nil
		}
		if nlink > uint64(len(names))+f.outside && l.renames != renames {
			if renames != noWalk {
				q.walks++
			}
			return nil
		}
		l.setOutside(f, max(nlink, uint64(len(names)))-uint64(len(names)))
		changed = nlink != q.nlink || !changeTime(info).Equal(q.changed)
	}
	q.answered = true
	if !changed {
		// It is as it was when the names were looked at that were known.
		names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(f.names[:q.known], name) })
	}
	return []marks{{names, q.seq, q.since}}
}

// noWalk is the number of renames for resolve when there was no walk.
const noWalk = -1

// recheck answers the questions that need no walk any more.
func (l *links) recheck() {
	l.mu.Lock()
	questions := make([]*linkedFile, 0, len(l.asked))
	for f := range l.asked {
		questions = append(questions, f)
	}
	l.mu.Unlock()
	var found []marks
	for _, f := range questions {
		found = append(found, l.resolve(f, noWalk)...)
	}
	l.finish(found)
}

// finish marks what was found, and closes the questions that were answered by it.
func (l *links) finish(found []marks) {
	l.tell(found, settled)
	l.mu.Lock()
	defer l.mu.Unlock()
	lowest := uint64(math.MaxUint64)
	for f := range l.asked {
		if f.question.answered {
			f.question = nil
			delete(l.asked, f)
		} else {
			lowest = min(lowest, f.question.seq)
		}
	}
	l.lowest = lowest
}

// giveUp answers the questions that walks could not, and tells whether there were
// any: a full pass has to.
func (l *links) giveUp() (any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.asked {
		if f.question.walks >= searchRounds {
			any, f.question.answered = true, true
		}
	}
	return any
}

// tellLinks marks names of files for all remotes, and begins a search if there
// are questions.
func (m *mirror) tellLinks(found []marks, a answer) {
	m.markFound(found)
	switch a {
	case beyond:
		m.each(func(w *runningWorker, seq uint64, now time.Time) { w.markLinked(seq, now) })
	case asks:
		m.tellSearch()
		if m.searching.CompareAndSwap(false, true) {
			go m.search()
		}
	}
}

// tellSearch tells the workers what questions are open.
func (m *mirror) tellSearch() {
	m.searchMu.Lock() // the newest comes last
	defer m.searchMu.Unlock()
	seq, since, files := m.links.oldest()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, w := range m.workers {
		w.noteSearch(seq, since, files)
	}
}

// search is a goroutine that answers questions until none is open.
func (m *mirror) search() {
	m.mu.RLock()
	ctx := m.ctx
	m.mu.RUnlock()
	timer := time.NewTimer(searchDelay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		m.links.recheck()
		if _, _, open := m.links.oldest(); open > 0 {
			began := time.Now()
			m.links.scan(ctx)
			timer.Reset(max(searchDelay, (searchShare-1)*time.Since(began)))
		}
		if m.links.giveUp() {
			m.markEverything(remote.PassEvents, 0)
			m.links.finish(nil)
		}
		m.tellSearch()
		if _, _, open := m.links.oldest(); open > 0 {
			continue
		}
		m.searching.Store(false)
		// One that came just before has started nothing.
		if _, _, open := m.links.oldest(); open == 0 || !m.searching.CompareAndSwap(false, true) {
			return
		}
		timer.Reset(searchDelay)
	}
}

// markFound marks names that were found for all remotes.
func (m *mirror) markFound(found []marks) {
	if len(found) == 0 {
		return
	}
	m.each(func(w *runningWorker, _ uint64, now time.Time) {
		for _, f := range found {
			w.markNames(f, now)
		}
	})
}

// markNames makes names of a file dirty, as of an earlier mark.
func (w *worker) markNames(m marks, now time.Time) {
	if len(m.names) == 0 {
		return
	}
	w.mu.Lock()
	for _, name := range m.names {
		if path, change := w.excluded().Change(name, watch.Content|watch.Meta); change != 0 {
			w.set.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: path, Change: change, Seq: m.seq, Since: m.since}}}, now)
		}
	}
	w.changedAt = now
	w.mu.Unlock()
	w.poke()
}

// linkedInterval is the least time between two full passes for the sake of
// files whose names cannot be remembered.
const linkedInterval = 10 * time.Second

// markLinked makes a full pass due for the sake of a file whose names cannot all
// be remembered, and not more often than linkedInterval.
func (w *worker) markLinked(seq uint64, now time.Time) {
	w.mu.Lock()
	w.everything(remote.PassEvents, seq, now, w.passes.Last.Add(linkedInterval))
	w.mu.Unlock()
	w.poke()
}

// noteSearch takes in that there are questions about so many files, which may have
// changed with the mark seq.
func (w *worker) noteSearch(seq uint64, since time.Time, files int) {
	w.mu.Lock()
	w.sought = sought{seq, since, files}
	w.unanswered = true
	w.mu.Unlock()
	w.poke()
}

// sought is a search for names: files may have others, which have to be looked at
// because of marks from seq on.
type sought struct {
	seq   uint64
	since time.Time
	files int
}

// Oldest is as that of a batch.
func (s sought) Oldest() (seq uint64, since time.Time, ok bool) { return s.seq, s.since, s.files > 0 }
