package daemon

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// aReport is a report about remote one, always the same.
func aReport(m *fakeMonitor, pong uint64, state report.State) report.Report {
	return report.Report{
		Version: report.Version, PID: m.pid, Pong: pong, Watch: report.Watch{Armed: true},
		Remotes: []report.RemoteStatus{{Name: "one", State: state, Asked: m.first.Barrier}},
	}
}

// startInSync starts a daemon whose only remote was in sync when it was heard of.
func startInSync(t *testing.T) (*testDaemon, *fakeMonitor) {
	t.Helper()
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	m.sendReport(t, aReport(m, 0, report.InSync))
	d.eventually("docs", "in sync", isState(report.InSync))
	return d, m
}

// A status is no older than the question, which the monitor must have answered.
func TestStatusIsOfNow(t *testing.T) {
	d, m := startInSync(t)
	asked := make(chan api.Status, 1)
	go func() { asked <- d.status() }()
	ping := m.defined(t, "a question", func(def report.Definition) bool { return def.Ping > 0 }).Ping
	m.sendReport(t, aReport(m, ping, report.Pending))
	if s := next(t, "a status", asked); !isState(report.Pending)(s.Workspaces[0]) || s.Workspaces[0].Monitor.SilentSince != nil {
		t.Errorf("the status is %+v", s.Workspaces[0])
	}
}

// Who pauses may rely on it: the monitor knows of it by then.
func TestPauseIsKnown(t *testing.T) {
	d, m := startInSync(t)
	paused := make(chan api.WorkspaceStatus, 1)
	go func() { paused <- d.act(api.Pause, "docs", "one") }()
	ping := m.defined(t, "the pause", func(def report.Definition) bool {
		return def.Ping > 0 && def.Workspace.Remotes[0].Paused
	}).Ping
	select {
	case <-paused:
		t.Error("the monitor has not answered yet")
	default:
	}
	m.sendReport(t, aReport(m, ping, report.Paused))
	next(t, "the answer", paused)
}

// What a monitor that does not answer has said last, may be true no more.
func TestSilentMonitor(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	state := report.InSync
	tell := func(pong uint64, armed bool) {
		m.sendReport(t, report.Report{
			Version: report.Version, PID: m.pid, Pong: pong, Watch: report.Watch{Armed: armed},
			Remotes: []report.RemoteStatus{{Name: "one", State: state, Asked: 100}, {Name: "two", State: report.Offline, Asked: 100}},
		})
	}
	states := func() (one, two report.State, silent bool) {
		s := d.status().Workspaces[0]
		return s.Remotes[0].State, s.Remotes[1].State, s.Monitor.SilentSince != nil
	}
	tell(0, false)
	d.eventually("docs", "a report", func(s api.WorkspaceStatus) bool { return s.Remotes[1].State == report.Offline })
	if one, two, silent := states(); one != report.InSync || two != report.Offline || silent {
		t.Errorf("while the tree is not armed: %q, %q, silent %v", one, two, silent)
	}
	tell(0, true)
	d.eventually("docs", "a report", func(s api.WorkspaceStatus) bool { return s.Watch.Armed })
	for range 2 {
		if one, two, silent := states(); one != report.Unknown || two != report.Offline || !silent {
			t.Errorf("without an answer: %q, %q, silent %v", one, two, silent)
		}
	}
	ping := m.defined(t, "two questions", func(def report.Definition) bool { return def.Ping == 2 }).Ping
	// It has heard of the first question at least, and has as long again for the next.
	state = report.Syncing
	tell(ping-1, true)
	d.eventually("docs", "an answer to the first", func(s api.WorkspaceStatus) bool {
		return s.Remotes[0].State == report.Syncing && s.Monitor.SilentSince == nil
	})
	if one, two, silent := states(); one != report.Unknown || two != report.Offline || !silent {
		t.Errorf("without a further answer: %q, %q, silent %v", one, two, silent)
	}
	state = report.InSync
	tell(ping+1, true)
	d.eventually("docs", "an answer to the last", func(s api.WorkspaceStatus) bool {
		return s.Remotes[0].State == report.InSync && s.Monitor.SilentSince == nil
	})
	// Another process was not asked yet.
	m.exit(errors.New("killed"))
	m = d.monitor()
	tell(0, true)
	d.eventually("docs", "a report of the next monitor", func(s api.WorkspaceStatus) bool {
		return s.Remotes[1].State == report.Offline && s.Monitor.SilentSince == nil
	})
}

// A monitor that hangs is noticed without anybody's asking, and so is that it
// goes on.
func TestMonitorsAreWatched(t *testing.T) {
	d, m := startInSync(t)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { d.watchMonitors(ctx, 10*time.Millisecond) })
	d.eventually("docs", "silence", func(api.WorkspaceStatus) bool { return d.entries["docs"].silent })
	d.eventually("docs", "silence", isState(report.Unknown))
	told := 0
	for _, line := range d.logged() {
		if line["msg"] == "A monitor does not answer" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("%d log lines tell of it", told)
	}
	m.sendReport(t, aReport(m, math.MaxUint64, report.InSync))
	d.eventually("docs", "an answer", isState(report.InSync))
	cancel()
	watching.Wait()
}

// An answer that says nothing new is no change of the status.
func TestAnswersAreNoChanges(t *testing.T) {
	d, m := startInSync(t)
	var revision uint64
	for i := range 3 {
		asked := make(chan api.Status, 1)
		go func() { asked <- d.status() }()
		ping := m.defined(t, "a question", func(def report.Definition) bool { return def.Ping > uint64(i) }).Ping
		m.sendReport(t, aReport(m, ping, report.InSync))
		s := next(t, "a status", asked)
		if i > 0 && s.Revision != revision {
			t.Errorf("revision %d after %d", s.Revision, revision)
		}
		revision = s.Revision
	}
}

// Who asks is answered though others go on asking, and a monitor that is never
// done with the last question is not silent.
func TestQuestionsOverlap(t *testing.T) {
	d, m := startInSync(t)
	asked := make(chan api.Status, 1)
	go func() { asked <- d.status() }()
	first := m.defined(t, "a question", func(def report.Definition) bool { return def.Ping > 0 }).Ping
	second := make(chan api.Status, 1)
	go func() { second <- d.status() }()
	m.defined(t, "another question", func(def report.Definition) bool { return def.Ping > first })
	d.lock.Do(func() { d.entries["docs"].pinged = time.Now().Add(-time.Hour) })
	m.sendReport(t, aReport(m, first, report.InSync))
	if s := next(t, "a status", asked); !isState(report.InSync)(s.Workspaces[0]) {
		t.Errorf("the status is %+v", s.Workspaces[0])
	}
	m.sendReport(t, aReport(m, first+1, report.InSync))
	next(t, "the other status", second)
}
