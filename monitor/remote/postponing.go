package remote

import (
	"time"

	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// A remote with a config.Remote.DeleteAfter keeps what is gone for so long. A transfer
// tells what it has left there for that (Outcome.Left); that is clean, and nobody waits for
// it. When it is due it is dirty again, like any change, and Order.Deletes lets it go.

// postponing is what is postponed, and when it is due.
type postponing struct {
	Postponed
	// woken: what was due by then was made dirty. wake is when more is due, zero for never,
	// and waiting how many names wait for that or for later.
	woken, wake time.Time
	waiting     int
}

// set replaces what is postponed.
func (p *postponing) set(now Postponed) {
	p.Postponed, p.wake, p.waiting = now, time.Time{}, 0
	for q := range now.All() {
		if !q.Due.After(p.woken) {
			continue
		}
		if p.waiting++; p.wake.IsZero() || q.Due.Before(p.wake) {
			p.wake = q.Due
		}
	}
}

// take takes in what a transfer has left, and what it has found not to be postponed any more.
// It reports whether there is room for what was too much before.
func (p *postponing) take(out Outcome, due time.Time) (room bool) {
	if len(out.Left) == 0 && len(out.Settled) == 0 && !out.LeftMore {
		return false
	}
	now := p.Postponed.Update(out.Left, due, out.Settled)
	now = now.WithMore(now.More() || out.LeftMore)
	if room = now.More() && now.Len() < PostponedLimit/2; room {
		now = now.WithMore(false)
	}
	for _, g := range out.Left {
		if due, ok := now.Due(g.Path); ok && !due.After(p.woken) {
			p.woken = due.Add(-1) // it has become due on the way
		}
	}
	p.set(now)
	return room
}

// toCome is when a name is to be deleted, if that is to come.
func (p *postponing) toCome(name string) (due time.Time, ok bool) {
	due, ok = p.Due(name)
	return due, ok && due.After(p.woken)
}

// report is how it is shown, nil for nothing.
func (p *postponing) report() *report.Postponed {
	if p.waiting == 0 {
		return nil
	}
	return &report.Postponed{Count: p.waiting, First: p.wake, More: p.More()}
}

// Deletes reports whether a name that is gone here, and still there, may be deleted now. Where
// it may not, it stays. What is in the way to something else goes whatever this says, unless
// the remote keeps all there ever was.
func (o Order) Deletes(name string) bool {
	switch {
	case o.Remote.Keeps():
		return false
	case o.Remote.DeleteAfter == 0:
		return true
	}
	due, ok := o.Postponed.Due(name)
	return ok && !due.After(o.Began)
}

// Postponed is what the next monitor has to know; see Options.
func (m *Machine) Postponed() Postponed { return m.postponing.Postponed }

// wakePostponed makes what is due at now dirty, as of a mark.
func (m *Machine) wakePostponed(mark func() uint64, now time.Time) {
	if m.postponing.wake.IsZero() || m.postponing.wake.After(now) {
		return
	}
	seq := mark()
	for q := range m.postponing.All() {
		if !q.Due.After(m.postponing.woken) || q.Due.After(now) {
			continue
		}
		change := watch.Entry | watch.Content
		if q.Dir {
			change |= watch.Tree
		}
		m.comparisons.touch(q.Path, change, now)
		if q.MovedTo != "" {
			m.set.MarkMoved(q.Path, q.MovedTo, change, seq, now)
		} else {
			m.set.Mark(q.Path, change, seq, now)
		}
	}
	m.postponing.woken = now
	m.postponing.set(m.postponing.Postponed)
}

// postpone takes in what a transfer has left, from now on.
func (m *Machine) postpone(s *Sending, out Outcome, now time.Time) {
	due := now.Round(0).Add(time.Duration(s.Order.Remote.DeleteAfter)) // by the clock, which goes on while the machine sleeps
	if !m.postponing.take(out, due) {
		return
	}
	if seq, _, ok := s.Order.Batch.Oldest(); ok {
		m.Everything(PassEvents, seq, now, now)
	}
}
