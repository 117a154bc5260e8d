package daemon

import (
	"math"
	"strings"
	"testing"
	"time"

	"wsync/monitor/report"
)

// fakeMonitor is a monitor in the hands of a test.
type fakeMonitor struct {
	workspace   string
	pid         int
	definitions chan report.Definition
	reports     chan report.Report
	exited      chan error
	ended       chan struct{} // one token: End was called
	stubborn    bool          // End does not end it
	first       report.Definition
	last        report.Definition // that the test has looked at
}

func (m *fakeMonitor) PID() int                      { return m.pid }
func (m *fakeMonitor) Define(d report.Definition)    { m.definitions <- d }
func (m *fakeMonitor) Reports() <-chan report.Report { return m.reports }
func (m *fakeMonitor) Exited() <-chan error          { return m.exited }

func (m *fakeMonitor) End() {
	select {
	case m.ended <- struct{}{}:
	default:
	}
	if !m.stubborn {
		m.exit(nil)
	}
}

// exit ends it, if it has not ended.
func (m *fakeMonitor) exit(err error) {
	select {
	case m.exited <- err:
	default:
	}
}

// defined waits for a definition; those before it are forgotten.
func (m *fakeMonitor) defined(t *testing.T, what string, met func(report.Definition) bool) report.Definition {
	t.Helper()
	for !met(m.last) {
		m.last = next(t, what, m.definitions)
	}
	return m.last
}

// send reports remotes of which all is well but what change says.
func (m *fakeMonitor) send(t *testing.T, barrier uint64, names string, change func(*report.RemoteStatus)) {
	t.Helper()
	r := report.Report{Version: report.Version, PID: m.pid, Pong: math.MaxUint64, Watch: report.Watch{Armed: true, Backend: "fake"}}
	for name := range strings.FieldsSeq(names) {
		s := report.RemoteStatus{Name: name, State: report.InSync, Since: time.Now(), Adopted: true, Asked: barrier, Barrier: barrier}
		if change != nil {
			change(&s)
		}
		r.Remotes = append(r.Remotes, s)
	}
	m.sendReport(t, r)
}

func (m *fakeMonitor) sendReport(t *testing.T, r report.Report) {
	t.Helper()
	select {
	case m.reports <- r:
	case <-time.After(patience):
		t.Fatal("nobody takes a report")
	}
}
