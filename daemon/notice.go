package daemon

import (
	"time"

	"wsync/monitor/report"
)

// trouble is how badly a remote needs somebody.
type trouble int

const (
	well    trouble = iota
	ailing          // it tries again by itself, which may be enough
	serious         // it goes on only when somebody does something
)

// mood is what the state of a remote says about trouble. known is false for
// states that say nothing: those at the beginning, and those on the way to the
// next success or failure.
func mood(s report.RemoteStatus) (t trouble, known bool) {
	switch s.State {
	case report.Halted, report.Failed:
		return serious, true
	case report.Retrying, report.Offline, report.Unknown:
		return ailing, true
	case report.InSync:
		return well, true
	case report.Paused:
		return well, false
	}
	if s.Error != "" {
		return ailing, true // some path fails while others are sent
	}
	return well, false
}

// maxStretch bounds how much longer than the delay the time between two
// messages about a remote that comes and goes gets.
const maxStretch = 16

// notice is what is remembered of a remote for its messages.
type notice struct {
	// told is what the last message said, and at when that was; zero if there
	// was none.
	told trouble
	at   time.Time
	// since is when the trouble of now began, zero without any.
	since time.Time
	// recovered: the remote was well in between.
	recovered bool
	// verified is the end of the last verification that was told of.
	verified time.Time
	// messages counts those that followed each other closely.
	messages int
}

// look takes in the status of a remote, and decides whether somebody is told of
// it now. next is when to look again even if the status stays as it is, zero
// for never.
//
// Serious trouble is told at once, the other when it lasts for the delay, and
// the end of what was told once. Between two messages there is at least the
// delay, and longer and longer, up to maxStretch times, for a remote that comes
// and goes; what is true then is told then.
func (n notice) look(s report.RemoteStatus, now time.Time, delay time.Duration) (after notice, tell bool, next time.Time) {
	t, known := mood(s)
	switch {
	case s.State == report.Paused, known && t == well:
		n.since = time.Time{}
	case !known:
		if s.LastSuccess != nil && s.LastSuccess.After(n.since) {
			n.since = time.Time{} // it works again, and just is not done yet
		}
	case n.since.IsZero():
		n.since = now
	}
	if !known {
		return n, false, time.Time{}
	}
	n.recovered = n.recovered || t == well
	var due time.Time
	switch {
	case t == well && n.told == well, t != well && t <= n.told && !n.recovered:
		return n, false, time.Time{} // it is known
	case t == ailing:
		due = n.since.Add(delay)
	}
	if gap := n.gap(now, delay); due.Before(n.at.Add(gap)) && gap > 0 {
		due = n.at.Add(gap)
	}
	if due.After(now) {
		return n, false, due
	}
	if n.gap(now, delay) == 0 {
		n.messages = 0
	}
	n.messages++
	n.told, n.at, n.recovered = t, now, false
	return n, true, time.Time{}
}

// differs reports whether somebody is to be told now of what a verification in the
// background has found, and what is remembered then: once for each that ended after since.
func (n notice) differs(s report.RemoteStatus, since time.Time) (after notice, tell bool) {
	v := s.Verified
	if v == nil || !v.Background || v.Differences == 0 || !v.Ended.After(since) || v.Ended.Equal(n.verified) {
		return n, false
	}
	n.verified = v.Ended
	return n, true
}

// gap is the least time between the last message and the next, 0 if the last
// one was so long ago that it does not matter.
func (n notice) gap(now time.Time, delay time.Duration) time.Duration {
	if n.at.IsZero() || now.Sub(n.at) > 2*maxStretch*delay {
		return 0
	}
	return delay * time.Duration(min(1<<min(n.messages-1, 10), maxStretch))
}
