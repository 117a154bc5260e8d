package monitor

import "wsync/monitor/dirty"

// barrier is a request to wait: it is reached when no mark up to seq is open.
type barrier struct {
	n   uint64
	seq uint64
}

// addBarrier answers barrier n when all marks up to seq are proven.
func (w *worker) addBarrier(n, seq uint64) {
	w.mu.Lock()
	w.barriers = append(w.barriers, barrier{n, seq})
	w.asked = n
	w.mu.Unlock()
	w.poke()
}

// answer reaches the barriers behind which nothing is open; the caller holds
// mu. While the workspace is halted, nothing is known about it.
func (w *worker) answer() {
	if len(w.barriers) == 0 || !w.everArmed || w.halt != "" {
		return
	}
	oldest, _, open := w.set.Oldest()
	for _, b := range []dirty.Batch{w.inFlight, w.heldBatch()} {
		if seq, _, ok := b.Oldest(); ok && (!open || seq < oldest) {
			oldest, open = seq, true
		}
	}
	for len(w.barriers) > 0 && (!open || oldest > w.barriers[0].seq) {
		w.reached = w.barriers[0].n
		w.barriers = w.barriers[1:]
		w.changed()
	}
}
