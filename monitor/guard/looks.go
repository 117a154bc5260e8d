package guard

import (
	"sync"
	"time"
)

// Looks share looks at the root between the workers, which have the same change
// to send at the same time. Its method may be called from any goroutine.
type Looks struct {
	mu    sync.Mutex // held while looking; guards everything below
	found string
	mark  uint64    // the last mark before the look
	at    time.Time // when it began
}

// lookTime is how long a look is good for others: no longer than it may take to
// plan a batch, which comes between its look and its first request.
const lookTime = 2 * time.Millisecond

// After returns what a look has found that began after a mark was set, and not
// long ago; it looks if there was none. lastMark is called before look.
func (l *Looks) After(mark uint64, lastMark func() uint64, look func() string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() || l.mark < mark || time.Since(l.at) > lookTime {
		l.mark, l.at = lastMark(), time.Now()
		l.found = look()
	}
	return l.found
}
