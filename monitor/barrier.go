package monitor

import (
	"time"

	"wsync/monitor/remote"
)

// addBarrier answers barrier n when all marks up to seq are on the remote, and
// when rsync has compared them.
func (w *worker) addBarrier(n, seq uint64, now time.Time) {
	w.mu.Lock()
	w.barriers.Add(n, seq)
	w.unanswered = true
	w.set.HastenOpen(now)
	if n <= w.barriers.Wanted {
		w.confirmations.Hurry(now)
	}
	w.mu.Unlock()
	w.poke()
}

// answer reaches the barriers behind which nothing is open; the caller holds
// mu. While the workspace is halted, nothing is known about it.
func (w *worker) answer() {
	if !w.barriers.Waiting() || !w.everArmed || w.halt != "" {
		return
	}
	w.unanswered = false
	if w.barriers.Answer(remote.Oldest(w.set.Oldest, w.inFlight.Oldest, w.heldBatch().Oldest, w.sought.Oldest), w.confirmations.Open()) {
		w.changed(true)
	}
}
