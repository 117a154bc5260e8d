package remote

import "time"

// A burst is so many changes at once that they go by rsync, or nearly so: a tree
// that is copied, a branch that is checked out. To begin with its first part
// takes processor time from whoever makes it, and makes several runs of one.

const (
	// burstCount is how many paths are a burst.
	burstCount = 500
	// burstQuiet without any change tells that it is over.
	burstQuiet = 20 * time.Millisecond
	// burstLimit bounds the wait for that.
	burstLimit = time.Second
)

// burst is since when so many paths are dirty, zero if they are not.
type burst struct{ since time.Time }

// end is when so many dirty paths may go, of which the last was changed at a time;
// zero if they are no burst.
func (b *burst) end(paths int, changed, now time.Time) time.Time {
	if paths <= burstCount {
		b.since = time.Time{}
		return time.Time{}
	}
	if b.since.IsZero() {
		b.since = now
	}
	end := changed.Add(burstQuiet)
	if limit := b.since.Add(burstLimit); limit.Before(end) {
		return limit
	}
	return end
}
