package remote

import (
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// The times after which paths are confirmed.
const (
	// confirmQuiet is how long nothing more must have been sent.
	confirmQuiet = 2 * time.Second
	// confirmLimit is how long the oldest waits for that.
	confirmLimit = time.Minute
	// confirmCount is the number of paths that do not wait.
	confirmCount = dirty.Limit - 2000
	// LateTime is how long requests may be under way on a line that broke: the
	// kernel gives up what nobody owns any more after some 100 seconds.
	LateTime = 2 * time.Minute
)

// Confirmations are the paths that the direct lane has sent. They are on the
// remote by the remote's word. After a quiet moment one run of rsync compares
// them by their content and repairs what that lane cannot carry: fractions of a
// second, owners and groups.
type Confirmations struct {
	waiting *dirty.Set
	running dirty.Batch // what rsync is at
	at      time.Time   // when what waits is due
	// late are paths to which requests may still be under way on lines that broke, in the
	// order in which they did.
	late []broken
	// failures counts the runs in a row that failed, and none is due before
	// retry.
	failures int
	retry    time.Time
}

// broken are the paths of flights that broke about the same time.
type broken struct {
	paths *dirty.Set
	first time.Time // when the first of them broke
	at    time.Time // when no request can arrive any more
}

// Flights that break within brokenTogether are confirmed together, and so are all that do
// after brokenApart of these.
const (
	brokenTogether = 10 * time.Second
	brokenApart    = 16
)

// NewConfirmations returns that nothing is to be confirmed.
func NewConfirmations() Confirmations { return Confirmations{waiting: dirty.NewSet()} }

// Add takes in what the direct lane has brought in line.
func (c *Confirmations) Add(entries []*dirty.Entry, now time.Time) {
	if len(entries) == 0 {
		return
	}
	c.waiting.Restore(dirty.Batch{Entries: entries}, now)
	_, since, _ := c.waiting.Oldest()
	c.at = now.Add(confirmQuiet)
	if last := since.Add(confirmLimit); last.Before(c.at) {
		c.at = last
	}
	if c.waiting.Len() > confirmCount {
		c.at = now
	}
}

// AddLate takes in the paths of a flight that broke. The full pass that follows
// at once finds what the remote has made of it so far; but what was sent may still
// arrive after that, and removals, renames and attributes, other than files, are
// carried out by their paths then. So these are looked at again when that can
// no longer be.
func (c *Confirmations) AddLate(entries []*dirty.Entry, now time.Time) {
	if len(entries) == 0 {
		return
	}
	last := len(c.late) - 1
	if last < 0 || now.Sub(c.late[last].first) > brokenTogether && len(c.late) < brokenApart {
		c.late, last = append(c.late, broken{paths: dirty.NewSet(), first: now}), last+1
	}
	c.late[last].paths.Restore(dirty.Batch{Entries: append(parents(entries), entries...)}, now)
	c.late[last].at = now.Add(LateTime)
}

// parents are entries of the directories that entries are in: what comes or goes late
// changes their times, and one that is gone may have stayed for the sake of what was in it.
func parents(entries []*dirty.Entry) (above []*dirty.Entry) {
	for _, e := range entries {
		if e.Path != "" {
			above = append(above, &dirty.Entry{Path: relpath.Parent(e.Path), Change: watch.Meta, Seq: e.Seq, Since: e.Since})
		}
	}
	return above
}

// LateUntil is when no late request can arrive any more, zero for none.
func (c *Confirmations) LateUntil() time.Time {
	if len(c.late) == 0 {
		return time.Time{}
	}
	return c.late[len(c.late)-1].at
}

// Moved follows a rename that is repeated on the remote.
func (c *Confirmations) Moved(from, to string) { c.waiting.Rekey(from, to) }

// Hurry makes what waits due at now.
func (c *Confirmations) Hurry(now time.Time) { c.at = now }

// Due returns when there is something to confirm; ok is false if there is not.
func (c *Confirmations) Due() (at time.Time, ok bool) {
	at, ok = c.at, !c.None()
	if len(c.late) > 0 && (!ok || c.late[0].at.Before(at)) {
		at, ok = c.late[0].at, true
	}
	if at.Before(c.retry) {
		at = c.retry
	}
	return at, ok
}

// Failed takes in that a run failed, which has a wait of its own: what goes
// well in between says nothing about it. wait returns when one is tried again
// that failed n times in a row.
func (c *Confirmations) Failed(wait func(n int) time.Time) {
	c.failures++
	c.retry = wait(c.failures)
}

// Succeeded takes in that a run did not fail.
func (c *Confirmations) Succeeded() { c.failures, c.retry = 0, time.Time{} }

// Retry ends the wait after a failure.
func (c *Confirmations) Retry() { c.retry = time.Time{} }

// Take removes and returns all that is to be confirmed at now. It is running until
// End.
func (c *Confirmations) Take(now time.Time) dirty.Batch {
	if c.retry.After(now) {
		return dirty.Batch{}
	}
	for len(c.late) > 0 && !c.late[0].at.After(now) {
		c.waiting.Restore(c.late[0].paths.Take(now), now)
		c.late, c.at = c.late[1:], now
	}
	if c.None() || c.at.After(now) {
		return dirty.Batch{}
	}
	c.running = c.waiting.Take(now.Add(time.Hour)) // ripe or not
	return c.running
}

// End takes in that nothing runs any more.
func (c *Confirmations) End() { c.running = dirty.Batch{} }

// Restore puts back what was not confirmed.
func (c *Confirmations) Restore(b dirty.Batch, now time.Time) { c.waiting.Restore(b, now) }

// None reports whether nothing waits for a confirmation.
func (c *Confirmations) None() bool { return c.waiting.Len() == 0 && !c.waiting.Everything() }

// Running reports whether rsync is at a confirmation.
func (c *Confirmations) Running() bool { return !c.running.Empty() }

// Len is the number of paths that are not confirmed.
func (c *Confirmations) Len() int { return c.waiting.Len() + c.running.Len() }

// Room is how many more paths may wait. What the direct lane sends has to be
// confirmed later, so that in the long run rsync is faster.
func (c *Confirmations) Room() int { return max(confirmCount-c.waiting.Len(), 0) }

// Touches reports whether the run of rsync has something to do with a path, or
// with what is above or below it.
func (c *Confirmations) Touches(path string) bool { return c.running.Touches(path) }

// Open is the oldest mark that is not confirmed.
func (c *Confirmations) Open() Open { return Oldest(c.waiting.Oldest, c.running.Oldest) }

// Oldest is the lowest number of an open mark in any of the sets.
func Oldest(sets ...func() (seq uint64, since time.Time, ok bool)) Open {
	lowest := None
	for _, of := range sets {
		if seq, _, ok := of(); ok {
			lowest = min(lowest, seq)
		}
	}
	return lowest
}
