// Package watchdog keeps the daemon's children running, and the daemon itself
// honest: a Supervisor restarts a monitor that dies, and a Lock ends a daemon
// whose state cannot be trusted any more.
package watchdog

import (
	"math/rand/v2"
	"time"
)

// State is a state of a supervised process.
type State string

// The states. From Failed only Restart leads on.
const (
	Stopped    State = "stopped"     // not wanted
	Starting   State = "starting"    // started, and not heard of yet
	Running    State = "running"     // has reported
	BackingOff State = "backing off" // died, and is started again at a set time
	Stopping   State = "stopping"    // asked to end
	Failed     State = "failed"      // died too often
)

// Policy says how a process that dies is restarted.
type Policy struct {
	// A process that would be restarted more than Limit times within Window
	// has failed.
	Limit  int
	Window time.Duration
}

// The waits before a restart: none for the first, then doubling from
// firstBackoff to maxBackoff, shortened by up to a fifth at random.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// healthyAfter is how long a process must run for its earlier deaths to be
	// forgotten.
	healthyAfter = time.Minute
)

// action is what a machine asks for after an event.
type action int

const (
	nothing action = iota
	spawn          // start the process
	wait           // call backoffElapsed at machine.nextStart
	end            // end the process, then call exited
	abandon        // nothing, and say that it died too often
)

// machine decides about the restarts of one process: a method per event, each
// a switch over the state. It has no clock and no process of its own.
type machine struct {
	policy Policy
	state  State
	// restarts are the times of the restarts that count; total counts all
	// since the first start or the last restart by the user.
	restarts  []time.Time
	total     int
	startedAt time.Time
	nextStart time.Time
	// again: Stopping leads to a new start.
	again bool
}

// start: the process is wanted.
func (m *machine) start(now time.Time) action {
	switch m.state {
	case Stopped:
		return m.spawn(now)
	case Stopping:
		m.again = true
	}
	return nothing
}

// stop: the process is not wanted any more.
func (m *machine) stop() action {
	switch m.state {
	case Starting, Running:
		m.state, m.again = Stopping, false
		return end
	case Stopping:
		m.again = false
	case BackingOff, Failed:
		m.state = Stopped
	}
	return nothing
}

// restart: the user wants a new process, whatever happened before.
func (m *machine) restart(now time.Time) action {
	m.restarts, m.total = nil, 0
	switch m.state {
	case Starting, Running:
		m.state, m.again = Stopping, true
		return end
	case Stopping:
		m.again = true
	case BackingOff, Failed, Stopped:
		return m.spawn(now)
	}
	return nothing
}

// reported: the process works.
func (m *machine) reported() {
	if m.state == Starting {
		m.state = Running
	}
}

// startFailed: the process could not be started. That counts like a death.
func (m *machine) startFailed(now time.Time) action { return m.exited(now) }

// exited: the process is gone.
func (m *machine) exited(now time.Time) action {
	switch m.state {
	case Stopping:
		if m.again {
			return m.spawn(now)
		}
		m.state = Stopped
		return nothing
	case Starting, Running:
		if m.state == Running && now.Sub(m.startedAt) >= healthyAfter {
			m.restarts = nil
		}
		m.forget(now)
		if len(m.restarts) >= m.policy.Limit {
			m.state = Failed
			return abandon
		}
		m.state = BackingOff
		m.nextStart = now.Add(m.backoff())
		return wait
	}
	return nothing
}

// backoffElapsed: the time for the next start has come.
func (m *machine) backoffElapsed(now time.Time) action {
	if m.state != BackingOff {
		return nothing
	}
	m.restarts = append(m.restarts, now)
	m.total++
	return m.spawn(now)
}

func (m *machine) spawn(now time.Time) action {
	m.state, m.startedAt, m.again = Starting, now, false
	return spawn
}

// forget drops the restarts that are older than the window.
func (m *machine) forget(now time.Time) {
	for len(m.restarts) > 0 && now.Sub(m.restarts[0]) > m.policy.Window {
		m.restarts = m.restarts[1:]
	}
}

// backoff is the wait before the next restart.
func (m *machine) backoff() time.Duration {
	n := len(m.restarts)
	if n == 0 {
		return 0
	}
	d := maxBackoff
	if n < 10 {
		d = min(maxBackoff, firstBackoff<<(n-1))
	}
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}
