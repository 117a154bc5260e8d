package daemon

import (
	"time"

	"wsync/daemon/api"
	"wsync/monitor/journal"
	"wsync/monitor/report"
)

const (
	// crashTime is for how long the status tells of the end of a monitor.
	crashTime = time.Hour
	// maxCrashes bounds how many are remembered. The watchdog allows for fewer.
	maxCrashes = 1000
)

// crashes are the ends of a monitor that nobody had asked for, the oldest first. It starts
// again so soon that nobody would see them.
type crashes struct {
	times []time.Time
	last  string // how it ended last
}

// crashesIn are those of the last hour that the journals in a directory tell of.
func crashesIn(directory string, now time.Time) (c crashes) {
	cursor := journal.NewCursor(directory, journal.SeriesDaemon, now.Add(-crashTime))
	defer cursor.Close()
	for {
		e, ok, err := cursor.Next()
		if err != nil || !ok {
			return c
		}
		if e.Kind == report.EventMonitorEnded {
			c.add(e.Time, e.Detail)
		}
	}
}

// add takes in that the monitor has ended.
func (c *crashes) add(now time.Time, how string) {
	c.forget(now)
	if len(c.times) == maxCrashes {
		c.times = c.times[1:]
	}
	c.times, c.last = append(c.times, now), how
}

// forget drops what is too long ago.
func (c *crashes) forget(now time.Time) {
	for len(c.times) > 0 && now.Sub(c.times[0]) >= crashTime {
		c.times = c.times[1:]
	}
}

// report is what the status tells of them, nil for none.
func (c *crashes) report(now time.Time) *api.Crashes {
	if c.forget(now); len(c.times) == 0 {
		return nil
	}
	return &api.Crashes{Count: len(c.times), Last: c.times[len(c.times)-1], LastExit: c.last}
}
