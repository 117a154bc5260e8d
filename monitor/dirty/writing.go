package dirty

import (
	"time"

	"wsync/monitor/watch"
)

// The bounds of writeInterval.
const (
	// intervalLeast is the least time between two transfers of a file that stays
	// open, and intervalMost the most for one that is cheap to send.
	intervalLeast = 20 * time.Millisecond
	intervalMost  = time.Second
	// cheapShare and dearShare are how many times its cost a file waits: one that
	// is cheap takes a tenth of the time at most, one that is not a fifth.
	cheapShare = 10
	dearShare  = 4
)

// writing is a file that was last sent while it was still open.
type writing struct {
	sent time.Time // when that transfer began
	next time.Time // before which it is not sent again, as long as it stays open
}

// writeInterval is the time between two transfers of a file that is written and
// not closed, such as a log, when one costs so much time.
func writeInterval(cost time.Duration) time.Duration {
	return max(intervalLeast, min(cheapShare*cost, intervalMost), dearShare*cost)
}

// openFile is when a file is ripe that has been written at now and stays open.
// Whoever has just opened it mostly closes it at once; one that is known to stay
// open is sent at once.
func (s *Set) openFile(p string, now time.Time) time.Time {
	if w, ok := s.writing[p]; ok {
		return later(now, w.next)
	}
	return now.Add(CloseWait)
}

// Sent reports whether a transfer ended at now in which a file was sent while it was
// open, and what the file cost of it.
func (s *Set) Sent(p string, cost time.Duration, now time.Time) {
	w, ok := s.writing[p]
	if !ok {
		return // it was closed meanwhile
	}
	w.next = now.Add(writeInterval(cost))
	s.writing[p] = w
	if e := s.entries[p]; e != nil && e.Change&watch.Open != 0 && !e.Failing() {
		e.NotBefore = later(e.NotBefore, w.next)
	}
}

// HastenOpen makes files ripe at now that only wait because they stay open:
// somebody asks for what is in them now.
func (s *Set) HastenOpen(now time.Time) {
	for p := range s.writing {
		if e := s.entries[p]; e != nil && e.Change&watch.Open != 0 && !e.Failing() {
			e.NotBefore = earlier(e.NotBefore, now)
		}
	}
}

// writingTime is how long a file is known to stay open that is not written any
// more.
const writingTime = 2 * time.Second

// forgetWriting forgets files that have not been written for long; they may have
// been closed without a word.
func (s *Set) forgetWriting(now time.Time) {
	for p, w := range s.writing {
		if now.Sub(later(w.sent, w.next)) > writingTime {
			delete(s.writing, p)
		}
	}
}
