package daemon

import (
	"context"
	"reflect"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/report"
	"wsync/watchdog"
)

// What a monitor has reported last is true as long as the monitor is alive, and
// has heard of all that has changed since. So it is asked.

// pingTime is how long a monitor has to answer that it is alive. A healthy one
// takes a millisecond, or as long as it needs for changes that it has not seen
// yet.
const pingTime = 2 * time.Second

// pingInterval is how often monitors are asked when nobody wants to know, so that
// one that hangs is noticed, and told of.
const pingInterval = 30 * time.Second

// watchMonitors asks all monitors at an interval, until ctx is done.
func (d *Daemon) watchMonitors(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.ping(ctx, "")
		}
	}
}

// ping asks the monitor of a workspace, or of all, whether it is alive, and waits
// for the answers, but not for ever.
func (d *Daemon) ping(ctx context.Context, name string) {
	asked := make(map[*entry]uint64)
	d.lock.Do(func() {
		for _, e := range d.entries {
			if name != "" && e.workspace.Name != name || !e.isAsked() {
				continue
			}
			if e.answered() {
				e.pinged = time.Now()
			}
			e.ping++
			e.supervisor.Define(d.definition(e))
			asked[e] = e.ping
		}
	})
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	d.until(ctx, func() bool {
		for e, ping := range asked {
			if e.isAsked() && e.report.Pong < ping {
				return false
			}
		}
		return true
	})
	d.lock.Do(func() {
		for _, e := range d.entries {
			if silent := e.isSilent(); silent != e.silent {
				e.silent = silent
				d.bump()
				if silent {
					d.log.Warn("A monitor does not answer", zap.String("workspace", e.workspace.Name), zap.Int("pid", e.process.PID))
				}
			}
		}
	})
}

// isAsked reports whether the monitor can be asked whether it is alive: until it has
// armed the tree, and while there is none, it has no answer.
func (e *entry) isAsked() bool {
	return e.process.State == watchdog.Running && e.report != nil && e.report.Watch.Armed && e.report.Halted == nil
}

// answered reports whether the monitor, which was asked, has answered.
func (e *entry) answered() bool { return e.report.Pong >= e.ping }

// isSilent reports whether the monitor has had the time to answer, and has not.
func (e *entry) isSilent() bool {
	return e.isAsked() && !e.answered() && time.Since(e.pinged) >= pingTime
}

// isNews reports whether what a supervisor saw changes the status that is shown, which
// a question or an answer alone does not. The lock is held.
func (e *entry) isNews(s watchdog.Status, r *report.Report) bool {
	switch {
	case e.silent || s != e.process:
		return true
	case r == nil || e.report == nil:
		return r != nil
	}
	before := *e.report
	before.Pong = r.Pong
	return !reflect.DeepEqual(before, *r)
}
