package monitor

import (
	"math/rand/v2"
	"time"
)

// The waits after a failed transfer.
const (
	firstBackoff = time.Second
	// maxBackoff bounds the wait for a remote that cannot be reached, and for
	// a path that fails.
	maxBackoff = time.Minute
	// attentionBackoff bounds the wait when somebody must do something first.
	attentionBackoff = 5 * time.Minute
	// meetingBackoff bounds the wait for another mirror to leave.
	meetingBackoff = 20 * time.Second
	// eagerWait is how soon after a failure a new change may end the wait: a
	// network that is back is used at once.
	eagerWait = time.Second
)

// backoff is the wait after the n-th failure in a row (n >= 1): it doubles from
// firstBackoff to limit, and is shortened by up to a fifth at random, so that
// remotes that failed together do not come back together.
func backoff(n int, limit time.Duration) time.Duration {
	d := limit
	if shift := n - 1; shift < 20 {
		d = min(limit, firstBackoff<<shift)
	}
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}

// slot is when what has failed n times in a row (n >= 1) is tried again: after a
// wait that doubles from firstBackoff to limit, and ends at one of a grid of
// times. So what failed at different moments is tried together, and a thousand
// paths that fail cost no more transfers than one. phase moves the grid, so that
// remotes do not come back together.
func slot(now time.Time, phase time.Duration, n int, limit time.Duration) time.Time {
	wait := limit
	if shift := n - 1; shift < 20 {
		wait = min(limit, firstBackoff<<shift)
	}
	return now.Add(wait/2 - phase).Truncate(wait).Add(wait + phase)
}

// eager is how long after the n-th failure in a row a new change must wait.
func eager(n int) time.Duration {
	return min(eagerWait*time.Duration(n), 5*eagerWait)
}

// jittered shortens or lengthens d by up to a tenth.
func jittered(d time.Duration) time.Duration {
	return d - d/10 + time.Duration(rand.Int64N(int64(d)/5+1))
}
