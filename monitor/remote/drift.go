package remote

import (
	"time"

	"wsync/config"
)

// drift is about what others do at the destination while nothing is sent to it. The
// next change would notice it, and until then a look does.
type drift struct {
	// interval is the time between two looks, zero for none.
	interval time.Duration
	at       time.Time // of the next one
	looking  bool
	// transfers counts those that have ended.
	transfers int
	// asked is the mark of a barrier that waits for a look, zero for none, and askedAt
	// when the last one did.
	asked   uint64
	askedAt time.Time
}

// open is the mark that is not verified before there was a look.
func (d *drift) open() Open {
	if d.asked == 0 {
		return None
	}
	return d.asked
}

// ask makes a look due at now because of a barrier.
func (d *drift) ask(mark uint64, now time.Time) {
	if d.interval == 0 {
		return
	}
	if d.asked == 0 {
		d.asked = mark
	}
	d.at, d.askedAt = now, now
}

// answeredBy reports whether a transfer that began at a time, and succeeded, answers
// what was asked: it has looked itself. Where there is always something to send, no
// other look comes to its end.
func (d *drift) answeredBy(began time.Time) bool {
	if d.asked == 0 || began.Before(d.askedAt) {
		return false
	}
	d.asked = 0
	return true
}

// left takes in that a transfer has ended at now: it has left the destination as it
// should be.
func (d *drift) left(now time.Time) {
	if d.transfers++; d.asked == 0 {
		d.at = now.Add(d.interval)
	}
}

// driftDue is when the destination is to be looked at next: not while anything is
// under way, which would be taken for somebody else's work.
func (m *Machine) driftDue() (at time.Time, ok bool) {
	idle := m.running == nil && m.beside == nil && m.armed && !m.paused && m.halt == "" &&
		!m.holds.stopsAll() && m.retry.failures == 0 && m.adoption.done() && !m.passes.Last.IsZero()
	return m.drift.at, idle && m.drift.interval > 0 && !m.drift.looking
}

// DriftLook is a look at the destination.
type DriftLook struct{ transfers int }

// BeginLook takes in that the destination is being looked at.
func (m *Machine) BeginLook() DriftLook {
	m.drift.looking = true
	return DriftLook{m.drift.transfers}
}

// Looked takes in whether the destination was changed by somebody else, and reports
// whether a full pass follows. seq numbers a new mark. A look during which something
// was sent says nothing, and comes again.
func (m *Machine) Looked(l DriftLook, drifted bool, seq uint64, now time.Time) (pass bool) {
	d := &m.drift
	d.looking = false
	if m.running != nil || m.beside != nil || l.transfers != d.transfers {
		return false
	}
	asked := d.asked
	d.asked, d.at, m.unanswered = 0, now.Add(d.interval), true
	if !drifted || m.set.Everything() || asked == 0 && !m.passes.Noticed(now) {
		return false
	}
	if asked != 0 {
		seq = asked // whoever asked waits for the pass, too
	}
	m.lost(seq, now)
	return true
}

// LookInterval is how often a destination is looked at to which nothing is sent: by
// what a look costs.
func LookInterval(kind config.Kind) time.Duration {
	switch kind {
	case config.KindLocal:
		return 10 * time.Second
	case config.KindSSH:
		return time.Minute
	}
	return 0
}
