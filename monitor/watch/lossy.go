package watch

import "time"

// The rhythm of full passes behind a watcher that misses changes: soon after
// the first change, and not more often than LossyInterval.
const (
	LossyDelay    = 2 * time.Second
	LossyInterval = 10 * time.Second
)

// Lossy says when full passes make up for what a watcher has missed. It is a value, and
// pure.
type Lossy struct {
	due time.Time // when the last pass is, or was, due
}

// After takes in a change at now, and returns after which time a pass is to follow it.
func (l *Lossy) After(now time.Time) time.Duration {
	if !l.due.After(now) {
		delay := LossyDelay
		if next := l.due.Add(LossyInterval); next.After(now.Add(delay)) {
			delay = next.Sub(now)
		}
		l.due = now.Add(delay)
	}
	return l.due.Sub(now)
}
