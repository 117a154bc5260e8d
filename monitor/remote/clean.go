package remote

import "time"

// CleanMargin is subtracted from the start of the transfer that left nothing
// open: coarse clocks of file systems, and events on their way.
const CleanMargin = 10 * time.Second

// stampInterval is the least time between two writes of a stamp.
const stampInterval = 5 * time.Second

// clean is until when the remote is known to equal the workspace.
type clean struct {
	asOf    time.Time // zero for not at all
	stamped time.Time // when that was last to be remembered
	rooted  time.Time // when the workspace became another directory, zero for never
	begun   time.Time // when the first transfer to it was, zero for none
}

// since returns since when files may have changed without a difference in size and time,
// for a pass that begins; zero for none. Before anything is known to be equal, that
// is what has been sent by an earlier transfer, and may have changed within the same second.
func (c *clean) since() time.Time {
	switch {
	case !c.asOf.IsZero():
		return c.asOf
	case c.begun.IsZero():
		return time.Time{}
	}
	return c.begun.Add(-CleanMargin)
}

// begins takes in that something is sent at now.
func (c *clean) begins(now time.Time) {
	if c.begun.IsZero() {
		c.begun = now
	}
}

// otherRoot takes in, at now, that the workspace is another directory: when something in
// it changed says nothing about the remote, which equals the one before.
func (c *clean) otherRoot(now time.Time) { c.asOf, c.rooted = time.Unix(0, 0), now }

// nothingOpen takes in that nothing was open after a transfer that began at began,
// and returns the time to be remembered for the next monitor, zero for none.
func (c *clean) nothingOpen(began time.Time) (stamp time.Time) {
	if began.Before(c.rooted) {
		return time.Time{} // it was about the directory before
	}
	c.asOf = began.Add(-CleanMargin)
	if began.Sub(c.stamped) < stampInterval {
		return time.Time{}
	}
	c.stamped = began
	return c.asOf
}
