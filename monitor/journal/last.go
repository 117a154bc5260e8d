package journal

import (
	"time"

	"wsync/monitor/report"
)

// Last is when a remote was sent something last, and when all of it was compared.
type Last struct{ Sent, FullPass time.Time }

// LastOf returns what the journals of a workspace know of its remotes, by their IDs. It
// reads no more than the last files.
func LastOf(dir string) map[string]Last {
	last := make(map[string]Last)
	for _, series := range []string{SeriesSent, SeriesMonitor} {
		all, err := files(dir, series)
		if err != nil {
			continue
		}
		c := NewCursor(dir, series, time.Time{})
		if n := len(all) - lastFiles; n > 0 {
			c.number = all[n-1].number
		}
		for {
			e, ok, err := c.Next()
			if err != nil || !ok {
				break
			}
			last[e.RemoteID] = last[e.RemoteID].with(e)
		}
		c.Close()
	}
	delete(last, "")
	return last
}

// lastFiles is how many files of a series are read for that.
const lastFiles = 2

// with takes in an event of the remote.
func (l Last) with(e report.Event) Last {
	later := func(a, b time.Time) time.Time {
		if b.After(a) {
			return b
		}
		return a
	}
	switch e.Kind {
	case report.EventFullPass, report.EventRepaired:
		l.FullPass = later(l.FullPass, e.Time)
		l.Sent = later(l.Sent, e.Time)
	case report.EventSent, report.EventRenamed, report.EventDeleted:
		l.Sent = later(l.Sent, e.Time)
	}
	return l
}
