package remote

import "time"

// late is until when requests may be under way that an earlier monitor has made: then the
// whole is compared once more. Of its own a machine knows the paths; see Confirmations.AddLate.
type late struct{ until time.Time }

// newLate returns what the machine before has left at now.
func newLate(until, now time.Time) late {
	if !until.After(now) {
		return late{} // the pass at the start comes later
	}
	if most := now.Add(LateTime); until.After(most) {
		until = most // the clock was set back
	}
	return late{until}
}

// takeDue reports whether that time has come, once.
func (l *late) takeDue(now time.Time) bool {
	if l.until.IsZero() || now.Before(l.until) {
		return false
	}
	l.until = time.Time{}
	return true
}

// LateUntil is until when requests may be under way on a line that broke, zero for none. A
// machine that comes after this one must know.
func (m *Machine) LateUntil() time.Time {
	until := m.late.until
	if of := m.confirmations.LateUntil(); of.After(until) {
		until = of
	}
	return until
}
