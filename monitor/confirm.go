package monitor

import (
	"time"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
)

// addUnconfirmed takes in what the direct lane has brought in line. The caller
// holds mu.
func (w *worker) addUnconfirmed(entries []*dirty.Entry, now time.Time) {
	w.confirmations.Add(entries, now)
	if len(entries) > 0 && w.barriers.WantsVerified() {
		w.confirmations.Hurry(now)
	}
}

// directBounds are those of the direct lane; the caller holds mu.
func (w *worker) directBounds() direct.Limits {
	bounds := small
	bounds.Paths = min(bounds.Paths, w.confirmations.Room())
	return bounds
}
