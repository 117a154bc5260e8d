package remote

import (
	"math/rand/v2"
	"time"
)

// The waits after a failed transfer.
const (
	firstBackoff = time.Second
	// MaxBackoff bounds the wait for a remote that cannot be reached, and for a
	// path that fails.
	MaxBackoff = time.Minute
	// attentionBackoff bounds the wait when somebody must do something first.
	attentionBackoff = 5 * time.Minute
	// meetingBackoff bounds the wait for another mirror to leave.
	meetingBackoff = 20 * time.Second
	// eagerWait is how soon after a failure a new change may end the wait: a
	// network that is back is used at once.
	eagerWait = time.Second
)

// retry says when what has failed is tried again.
type retry struct {
	// random and phase keep remotes that failed together from coming back
	// together; phase moves the grid of slot.
	random *rand.Rand
	phase  time.Duration
	// failures counts the failed transfers in a row, failure is the last one's, nil
	// for none, and failedAt when that ended; at is when the next may begin. barrier is
	// the last request to wait that had come when that began.
	failures     int
	failure      *Failure
	failedAt, at time.Time
	barrier      uint64
}

func newRetry(random *rand.Rand) retry {
	return retry{random: random, phase: time.Duration(random.Int64N(int64(MaxBackoff)))}
}

// limit bounds the waits after a failure of a kind.
func (k FailureKind) limit() time.Duration {
	switch k {
	case Attention:
		return attentionBackoff
	case Met:
		return meetingBackoff
	}
	return MaxBackoff
}

// failed takes in that a transfer failed at now.
func (r *retry) failed(f *Failure, now time.Time) {
	r.failures++
	r.failure, r.failedAt = f, now
	r.at = now.Add(r.backoff(r.failures, f.Kind.limit()))
}

// needsPerson reports whether it goes on failing until somebody does something.
func (r *retry) needsPerson() bool {
	return r.failure != nil && r.failure.Cure.NeedsPerson(r.failures)
}

// succeeded takes in that one did not.
func (r *retry) succeeded() { r.failures, r.failure, r.at = 0, nil, time.Time{} }

// is reports whether the last transfer failed that way.
func (r *retry) is(kind FailureKind) bool { return r.failure != nil && r.failure.Kind == kind }

// hurry ends the wait.
func (r *retry) hurry() { r.at = time.Time{} }

// notBefore delays at by the wait that is in force, which a change shortens that
// came after the failure, and somebody whom its failure does not answer.
func (r *retry) notBefore(at, changed time.Time, asked bool) time.Time {
	if r.failures == 0 || r.at.IsZero() {
		return at
	}
	next := r.at
	if asked || changed.After(r.failedAt) {
		if soon := r.failedAt.Add(eager(r.failures)); soon.Before(next) {
			next = soon
		}
	}
	if next.After(at) {
		return next
	}
	return at
}

// backoff is the wait after the n-th failure in a row (n >= 1): it doubles from
// firstBackoff to limit, and is shortened by up to a fifth at random.
func (r *retry) backoff(n int, limit time.Duration) time.Duration {
	d := doubled(n, limit)
	return d - time.Duration(r.random.Int64N(int64(d)/5+1))
}

// slot is when what has failed n times in a row (n >= 1) is tried again: after a
// wait that doubles from firstBackoff to limit, and ends at one of a grid of
// times. So what failed at different moments is tried together, and a thousand
// paths that fail cost no more transfers than one.
func (r *retry) slot(now time.Time, n int, limit time.Duration) time.Time {
	wait := doubled(n, limit)
	return now.Add(wait/2 - r.phase).Truncate(wait).Add(wait + r.phase)
}

func doubled(n int, limit time.Duration) time.Duration {
	if shift := n - 1; shift < 20 {
		return min(limit, firstBackoff<<shift)
	}
	return limit
}

// eager is how long after the n-th failure in a row a new change must wait.
func eager(n int) time.Duration {
	return min(eagerWait*time.Duration(n), 5*eagerWait)
}

// jittered shortens or lengthens d by up to a tenth.
func (r *retry) jittered(d time.Duration) time.Duration {
	return d - d/10 + time.Duration(r.random.Int64N(int64(d)/5+1))
}
