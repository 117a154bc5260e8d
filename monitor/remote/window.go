package remote

import (
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// Outside of the remote's window large files wait, or all does. What is under way when the
// window shuts goes on: a file that takes longer than the window would never arrive.

// shut reports whether the window is shut at now, and until when.
func (m *Machine) shut(now time.Time) (until time.Time, is bool) { return m.remote.Window.Shut(now) }

// allShut is shut for all that there is.
func (m *Machine) allShut(now time.Time) (until time.Time, is bool) {
	if m.remote.WindowFor != config.WindowForAll {
		return time.Time{}, false
	}
	return m.shut(now)
}

// largeShut is shut for what is large.
func (m *Machine) largeShut(now time.Time) (until time.Time, is bool) {
	if m.remote.WindowFor == config.WindowForAll {
		return time.Time{}, false // none of it is sent at all
	}
	return m.shut(now)
}

// leaveLarge puts back what is for a transfer of its own. It waits for the window if the
// order was to leave it for that, unless that is open by now.
func (m *Machine) leaveLarge(s *Sending, large dirty.Batch, now time.Time) {
	if until, shut := m.largeShut(now); shut && s.Order.Shut {
		m.set.AwaitWindow(large, until)
		return
	}
	m.set.Restore(large, now)
}

// window is what waits for the window, nil for nothing.
func (m *Machine) window(pending int, everything bool, now time.Time) *report.Window {
	until, shut := m.allShut(now)
	if shut && (pending > 0 || everything) {
		return &report.Window{Until: until, Paths: pending, All: true}
	}
	if until, shut = m.largeShut(now); !shut {
		return nil
	}
	if paths := m.set.Windowed(now); paths > 0 {
		return &report.Window{Until: until, Paths: paths}
	}
	return nil
}
