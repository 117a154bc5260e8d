package remote

import "time"

// PassReason is why a full pass is due.
type PassReason int

// The reasons, the one that explains most of what a pass finds first. Only those
// that nothing of the workspace announced find drift.
const (
	PassStart PassReason = iota
	PassEvents
	// PassLost: the remote lacks something, or somebody else has changed it.
	PassLost
	PassVerify
)

// vainInterval is how long after a pass that PassLost was the reason for, and that
// had nothing to repair, the next such one may follow; it doubles each time.
const vainInterval = time.Minute

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
	vain   int        // passes for PassLost in a row with nothing to repair
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

// Noticed takes in, at now, that somebody else seems to have changed the remote,
// and reports whether a pass is due at once. Where passes found nothing to repair
// before, as where others come and go at the destination, it is later.
func (p *Passes) Noticed(now time.Time) (atOnce bool) {
	if p.vain == 0 {
		return true
	}
	at := p.Last.Add(vainInterval << min(p.vain-1, 10))
	if !at.After(now) {
		return true
	}
	if p.next.IsZero() || at.Before(p.next) {
		p.next = at
	}
	return false
}

// SetInterval changes the interval. A shorter one counts from the last pass, a
// longer one from the next.
func (p *Passes) SetInterval(interval time.Duration) {
	if at := p.Last.Add(interval); !p.next.IsZero() && interval < p.Interval && at.Before(p.next) {
		p.next = at
	}
	p.Interval = interval
}

// Done takes in that a pass ended at now, after it has repaired so many entries;
// the next one follows after interval.
func (p *Passes) Done(reason PassReason, repaired int, now time.Time, interval time.Duration) {
	p.Last, p.next = now, now.Add(interval)
	switch {
	case reason < PassLost:
		return
	case repaired > 0:
		p.vain = 0
	case reason == PassLost:
		p.vain++
	}
	p.Drift += repaired
}
