package monitor

import (
	"time"

	"go.uber.org/zap"

	"wsync/monitor/links"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// Changed implements watch.Sink.
func (m *mirror) Changed(path string, change watch.Change) {
	m.noticeRules(path, change)
	if path, change = m.rules().Change(path, change); change == 0 {
		return
	}
	if change&watch.Tree != 0 {
		m.mounted.Doubt(path)
	}
	seq, now := m.seq.Add(1), time.Now()
	var others []string
	a := links.Complete
	if change&watch.Tree == 0 {
		others, a = m.links.Notice(path, seq, now)
	}
	// Of the other names only what is in the file may differ.
	content := change & (watch.Content | watch.Meta | watch.Open)
	if content&^watch.Open == 0 {
		others = nil
	}
	m.eachNow(func(w *runningWorker) { w.Mark(path, change, others, content, seq, now) })
	if a != links.Complete {
		m.tellLinks(nil, a)
	}
	m.compensate()
}

// Moved implements watch.Sink. What was moved into what is excluded, or out of
// it, is gone or was made.
func (m *mirror) Moved(from, to string, dir bool) {
	change := watch.Entry | watch.Content
	if dir {
		change |= watch.Tree
	}
	before := m.rules()
	if dir {
		m.ruling.live.Moved(from, to, time.Now())
		m.ruling.settler.Later()
	} else {
		m.noticeRules(from, change)
		m.noticeRules(to, change)
	}
	if after := m.rules(); before.Excludes(from, dir) || after.Excludes(to, dir) || dir && !before.Alike(from, to) {
		m.Changed(to, change)
		m.Changed(from, change)
		return // what is to be watched of it the watcher has found out
	}
	m.links.Moved(from, to, dir)
	if dir {
		m.mounted.Doubt(from)
	}
	// Where changes are found later than they happen, a rename may be older than
	// what was seen of its names.
	stats := m.watcher.Stats()
	repeatable := stats.Lossless && stats.Polled+stats.Silent == 0
	m.each(func(w *runningWorker, seq uint64, now time.Time) { w.Moved(from, to, change, repeatable, seq, now) })
	m.compensate()
}

// Lost implements watch.Sink.
func (m *mirror) Lost(reason string) {
	m.log.Warn("Events were lost; a full pass follows", zap.String("reason", reason))
	m.ruling.live.Refresh(time.Now())
	m.ruling.settler.Later()
	m.mu.Lock()
	m.overflows++
	m.mu.Unlock()
	m.happened(report.Event{Kind: report.EventLost, Detail: reason})
	m.markEverything(remote.PassEvents, 0)
	m.recheck()
}

// RootGone implements watch.Sink.
func (m *mirror) RootGone(reason string) {
	m.log.Warn("The workspace's directory is gone", zap.String("reason", reason))
	m.recheck()
}

// afterChanges calls do, from the watcher's goroutine, when everything that
// changed before this call has been reported.
func (m *mirror) afterChanges(do func()) { m.requests.Add(m.watcher.Barrier, do) }

// afterEvents is afterChanges without what nothing but a look tells of.
func (m *mirror) afterEvents(do func()) { m.requests.Add(m.watcher.Events, do) }

// Barrier implements watch.Sink.
func (m *mirror) Barrier(n uint64) { m.requests.Reached(n) }

// answer tells the daemon that the monitor is alive, when it has heard of all that
// changed before. Where it has to look for changes, that would take too long.
func (m *mirror) answer(ping uint64) {
	pong := func() {
		m.pong.Store(ping)
		m.changed(true)
	}
	if stats := m.watcher.Stats(); stats.Lossless && stats.Polled+stats.Silent == 0 {
		m.afterChanges(pong)
	} else {
		pong()
	}
}

// reached tells the workers that all changes from before a request to wait are
// known. A watcher that misses changes cannot promise anything without a full
// pass.
func (m *mirror) reached(n uint64) {
	m.recheck() // not everything that can happen to the root is an event
	m.ruling.settler.When(func() { m.reachedSettled(n) })
}

// reachedSettled is reached when the rules are known.
func (m *mirror) reachedSettled(n uint64) {
	if !m.watcher.Stats().Lossless {
		m.markEverything(remote.PassEvents, 0)
	}
	m.each(func(w *runningWorker, seq uint64, now time.Time) { w.AddBarrier(n, seq, now) })
}

// each calls f for all workers with the number and the time of a new mark.
func (m *mirror) each(f func(w *runningWorker, seq uint64, now time.Time)) {
	seq, now := m.seq.Add(1), time.Now()
	m.eachNow(func(w *runningWorker) { f(w, seq, now) })
}

// eachNow calls f for all workers.
func (m *mirror) eachNow(f func(w *runningWorker)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, w := range m.workers {
		f(w)
	}
}

// markEverything makes full passes due after a delay.
func (m *mirror) markEverything(reason remote.PassReason, delay time.Duration) {
	m.each(func(w *runningWorker, seq uint64, now time.Time) { w.Everything(reason, seq, now, now.Add(delay)) })
}

// compensate follows changes with a full pass when the watcher may have missed
// others.
func (m *mirror) compensate() {
	if m.watcher.Stats().Lossless {
		return
	}
	now := time.Now()
	m.mu.Lock()
	delay := m.lossy.After(now)
	m.mu.Unlock()
	// Each time: a pass that is not due yet may have been made early, for a request
	// to wait for example, and then none would come after this change.
	m.markEverything(remote.PassEvents, delay)
}

// mountsChanged is called by the watcher when something was mounted or unmounted.
func (m *mirror) mountsChanged() {
	m.each(func(w *runningWorker, seq uint64, now time.Time) { w.MountsChanged(seq, now) })
}
