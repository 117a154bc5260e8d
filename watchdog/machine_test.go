package watchdog

import (
	"testing"
	"time"
)

var policy = Policy{Limit: 3, Window: 10 * time.Minute}

// epoch is a time to count from.
var epoch = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

func TestMachineTransitions(t *testing.T) {
	events := map[string]func(*machine) action{
		"start":          func(m *machine) action { return m.start(epoch) },
		"stop":           func(m *machine) action { return m.stop() },
		"restart":        func(m *machine) action { return m.restart(epoch) },
		"reported":       func(m *machine) action { m.reported(); return nothing },
		"startFailed":    func(m *machine) action { return m.startFailed(epoch) },
		"exited":         func(m *machine) action { return m.exited(epoch) },
		"backoffElapsed": func(m *machine) action { return m.backoffElapsed(epoch) },
	}
	type step struct {
		event  string
		state  State
		action action
	}
	// What is not listed for a state changes nothing.
	for state, steps := range map[State][]step{
		Stopped: {
			{"start", Starting, spawn},
			{"restart", Starting, spawn},
		},
		Starting: {
			{"stop", Stopping, end},
			{"restart", Stopping, end},
			{"reported", Running, nothing},
			{"startFailed", BackingOff, wait},
			{"exited", BackingOff, wait},
		},
		Running: {
			{"stop", Stopping, end},
			{"restart", Stopping, end},
			{"startFailed", BackingOff, wait},
			{"exited", BackingOff, wait},
		},
		BackingOff: {
			{"stop", Stopped, nothing},
			{"restart", Starting, spawn},
			{"backoffElapsed", Starting, spawn},
		},
		Stopping: {
			{"startFailed", Stopped, nothing},
			{"exited", Stopped, nothing},
		},
		Failed: {
			{"stop", Stopped, nothing},
			{"restart", Starting, spawn},
		},
	} {
		want := make(map[string]step)
		for _, s := range steps {
			want[s.event] = s
		}
		for name, event := range events {
			m := &machine{policy: policy, state: state}
			w, ok := want[name]
			if !ok {
				w = step{name, state, nothing}
			}
			if got := event(m); got != w.action || m.state != w.state {
				t.Errorf("%s in %q: action %d and state %q, expected %d and %q", name, state, got, m.state, w.action, w.state)
			}
		}
	}
}

// TestMachineStartedAgain: what the user asks for while the process is ending
// is what happens when it has ended, and the last word counts.
func TestMachineStartedAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		events []func(*machine)
		want   State
	}{
		{"restart", []func(*machine){restartNow}, Starting},
		{"stop, start", []func(*machine){stopNow, startNow}, Starting},
		{"stop, restart", []func(*machine){stopNow, restartNow}, Starting},
		{"restart, stop", []func(*machine){restartNow, stopNow}, Stopped},
		{"stop, start, stop", []func(*machine){stopNow, startNow, stopNow}, Stopped},
	} {
		m := &machine{policy: policy, state: Running}
		for _, event := range test.events {
			event(m)
		}
		if m.state != Stopping {
			t.Errorf("%s: state %q before the end", test.name, m.state)
		}
		m.exited(epoch)
		if m.state != test.want {
			t.Errorf("%s: state %q, expected %q", test.name, m.state, test.want)
		}
		// One wish is good for one start.
		if m.state == Starting {
			m.stop()
			m.exited(epoch)
			if m.state != Stopped {
				t.Errorf("%s: the process is started once more", test.name)
			}
		}
	}
}

func startNow(m *machine)   { m.start(epoch) }
func stopNow(m *machine)    { m.stop() }
func restartNow(m *machine) { m.restart(epoch) }

func TestBackoff(t *testing.T) {
	for restarts, most := range map[int]time.Duration{
		0: 0, 1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 6: 16 * time.Second,
		7: 30 * time.Second, 9: 30 * time.Second, 10: 30 * time.Second, 100: 30 * time.Second,
	} {
		m := &machine{restarts: make([]time.Time, restarts)}
		least := most - most/5
		var low, high bool
		for range 2000 {
			d := m.backoff()
			if d < least || d > most {
				t.Fatalf("after %d restarts the wait is %v, expected %v to %v", restarts, d, least, most)
			}
			low = low || d < least+most/20
			high = high || d > most-most/20
		}
		if restarts > 0 && (!low || !high) {
			t.Errorf("after %d restarts the waits do not spread from %v to %v", restarts, least, most)
		}
	}
}

// die lets the process die after it has run for ran, and goes through the
// wait. It returns when that is over.
func die(m *machine, now time.Time, ran time.Duration, event func(*machine, time.Time) action) time.Time {
	now = now.Add(ran)
	if event(m, now) == wait {
		now = m.nextStart
		m.backoffElapsed(now)
	}
	return now
}

func TestMachineThreshold(t *testing.T) {
	for name, event := range map[string]func(*machine, time.Time) action{"exited": (*machine).exited, "startFailed": (*machine).startFailed} {
		m := &machine{policy: policy, state: Stopped}
		m.start(epoch)
		now := epoch
		for i := range policy.Limit {
			now = die(m, now, time.Second, event)
			if m.state != Starting || len(m.restarts) != i+1 || m.total != i+1 {
				t.Fatalf("%s: after death %d: %q, %d restarts that count of %d", name, i+1, m.state, len(m.restarts), m.total)
			}
		}
		die(m, now, time.Second, event)
		if m.state != Failed || m.total != policy.Limit {
			t.Errorf("%s: state %q after %d restarts, expected %q after %d", name, m.state, m.total, Failed, policy.Limit)
		}
		if m.restart(now); m.state != Starting || m.total != 0 || len(m.restarts) != 0 {
			t.Errorf("%s: restarted: %q, %d, %d", name, m.state, m.total, len(m.restarts))
		}
	}
}

// TestMachineWindow: deaths that are far apart do not add up.
func TestMachineWindow(t *testing.T) {
	m := &machine{policy: policy, state: Stopped}
	m.start(epoch)
	now := epoch
	for range 20 {
		// Never heard of, so that the length of the run says nothing.
		now = die(m, now, 4*time.Minute, (*machine).exited)
	}
	if m.state != Starting || m.total != 20 {
		t.Errorf("state %q after %d restarts", m.state, m.total)
	}
	if len(m.restarts) > policy.Limit {
		t.Errorf("%d restarts count", len(m.restarts))
	}
	for range policy.Limit {
		now = die(m, now, time.Minute, (*machine).exited)
	}
	if m.state != Failed {
		t.Errorf("state %q, expected %q", m.state, Failed)
	}
}

func TestMachineHealthyRun(t *testing.T) {
	for _, test := range []struct {
		ran     time.Duration
		reports bool
		counted int // restarts after the next one
	}{
		{healthyAfter - 1, true, policy.Limit},
		{healthyAfter, true, 1},
		{healthyAfter, false, policy.Limit},
	} {
		m := &machine{policy: policy, state: Stopped}
		m.start(epoch)
		now := epoch
		for range policy.Limit - 1 {
			now = die(m, now, 0, (*machine).exited)
		}
		if test.reports {
			m.reported()
		}
		before := now
		now = die(m, now, test.ran, (*machine).exited)
		if len(m.restarts) != test.counted {
			t.Errorf("%+v: %d restarts count", test, len(m.restarts))
		}
		if test.counted == 1 && now != before.Add(test.ran) {
			t.Errorf("%+v: the first restart after a healthy run waited for %v", test, now.Sub(before.Add(test.ran)))
		}
	}
}

// One death too many is told of once, whatever is asked of the process later.
func TestAbandonedOnce(t *testing.T) {
	now := time.Unix(1e9, 0)
	m := machine{policy: Policy{Limit: 1, Window: time.Hour}, state: Stopped}
	m.start(now)
	m.exited(now)
	m.backoffElapsed(now)
	if a := m.exited(now); a != abandon || m.state != Failed {
		t.Errorf("action %v in the state %s", a, m.state)
	}
	for range 3 {
		if a := m.start(now); a != nothing || m.state != Failed {
			t.Errorf("action %v in the state %s", a, m.state)
		}
	}
}
