package remote

import "time"

// PassReason is why a full pass is due.
type PassReason int

// The reasons, the one that explains most of what a pass finds first. Only one
// that nothing announced finds drift.
const (
	PassStart PassReason = iota
	PassEvents
	PassVerify
)

// Passes say when and why the whole workspace is compared.
type Passes struct {
	// Interval is the time between two passes for which there is no other reason.
	Interval time.Duration
	// Last is when the last pass ended, zero if there was none.
	Last time.Time
	// Drift is how much passes have repaired that nothing announced.
	Drift int

	reason PassReason // of the pass that is due
	next   time.Time  // when the interval is over, zero for never
}

// Because takes in that a pass is due for a reason; pending reports whether
// one already was.
func (p *Passes) Because(reason PassReason, pending bool) {
	if !pending || reason < p.reason {
		p.reason = reason
	}
}

// Reason is why the pass that is due is.
func (p *Passes) Reason() PassReason { return p.reason }

// Next returns when a pass is due because of its time, if ever.
func (p *Passes) Next() (at time.Time, ok bool) { return p.next, !p.next.IsZero() }

// TakeNext reports whether such a pass is due at now, once.
func (p *Passes) TakeNext(now time.Time) bool {
	if p.next.IsZero() || now.Before(p.next) {
		return false
	}
	p.next = time.Time{}
	return true
}

// Done takes in that a pass ended at now, after it has repaired so many entries;
// the next one follows after interval.
func (p *Passes) Done(reason PassReason, repaired int, now time.Time, interval time.Duration) {
	p.Last, p.next = now, now.Add(interval)
	if reason == PassVerify {
		p.Drift += repaired
	}
}
