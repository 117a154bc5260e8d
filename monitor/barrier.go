package monitor

import (
	"math"
	"time"
)

// barrier is a request to wait: it is reached when no mark up to seq is open.
type barrier struct {
	n   uint64
	seq uint64
}

// addBarrier answers barrier n when all marks up to seq are on the remote, and
// when they are proven to be.
func (w *worker) addBarrier(n, seq uint64, now time.Time) {
	w.mu.Lock()
	w.barriers = append(w.barriers, barrier{n, seq})
	w.proofs = append(w.proofs, barrier{n, seq})
	w.asked, w.unanswered = n, true
	if n <= w.wantProof {
		w.confirmAt = now
	}
	w.mu.Unlock()
	w.poke()
}

// answer reaches the barriers behind which nothing is open; the caller holds
// mu. While the workspace is halted, nothing is known about it.
func (w *worker) answer() {
	if len(w.proofs) == 0 || !w.everArmed || w.halt != "" {
		return
	}
	w.unanswered = false
	open := oldest(w.set.Oldest, w.inFlight.Oldest, w.heldBatch().Oldest)
	if reached := pass(&w.barriers, open); reached > 0 {
		w.reached = reached
		w.changed(true)
	}
	open = min(open, oldest(w.unconfirmed.Oldest, w.confirming.Oldest))
	if proven := pass(&w.proofs, open); proven > 0 {
		w.proven = proven
		w.changed(true)
	}
}

// pass takes the barriers away that come before the oldest open mark, and
// returns the last of them, 0 for none.
func pass(barriers *[]barrier, open uint64) (last uint64) {
	for len(*barriers) > 0 && (*barriers)[0].seq < open {
		last = (*barriers)[0].n
		*barriers = (*barriers)[1:]
	}
	return last
}

// oldest is the lowest number of an open mark, the highest number there is if
// none is open.
func oldest(sets ...func() (seq uint64, since time.Time, ok bool)) uint64 {
	lowest := uint64(math.MaxUint64)
	for _, of := range sets {
		if seq, _, ok := of(); ok {
			lowest = min(lowest, seq)
		}
	}
	return lowest
}
