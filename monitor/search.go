package monitor

import (
	"time"

	"wsync/monitor/links"
	"wsync/monitor/remote"
)

// The search for names that nobody knows: a walk through the workspace, which
// costs no remote anything. Until it is done, no remote is in sync.

const (
	// searchDelay is how long a question waits for the events that may answer it,
	// which come by the time: a name that is about to be removed, above all.
	searchDelay = 20 * time.Millisecond
	// searchShare, the inverse of it, bounds the part of the time that walks may take.
	searchShare = 4
)

// tellLinks marks names of files for all remotes, and begins a search if there
// are questions.
func (m *mirror) tellLinks(found []links.Marks, a links.Answer) {
	m.markFound(found)
	switch a {
	case links.Beyond:
		m.each(func(w *runningWorker, seq uint64, now time.Time) { w.NamesUnknown(seq, now) })
	case links.Asks:
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
	seq, since, files := m.links.Oldest()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, w := range m.workers {
		w.SetSearch(remote.Search{Seq: seq, Since: since, Files: files})
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
		m.links.Recheck()
		if _, _, open := m.links.Oldest(); open > 0 {
			began := time.Now()
			m.links.Scan(ctx)
			timer.Reset(max(searchDelay, (searchShare-1)*time.Since(began)))
		}
		if m.links.GiveUp() {
			m.markEverything(remote.PassEvents, 0)
			m.links.Finish(nil)
		}
		m.tellSearch()
		if _, _, open := m.links.Oldest(); open > 0 {
			continue
		}
		m.searching.Store(false)
		// One that came just before has started nothing.
		if _, _, open := m.links.Oldest(); open == 0 || !m.searching.CompareAndSwap(false, true) {
			return
		}
		timer.Reset(searchDelay)
	}
}

// markFound marks names that were found for all remotes.
func (m *mirror) markFound(found []links.Marks) {
	if len(found) == 0 {
		return
	}
	m.each(func(w *runningWorker, _ uint64, now time.Time) {
		for _, f := range found {
			w.MarkNames(f.Names, f.Seq, f.Since, now)
		}
	})
}
