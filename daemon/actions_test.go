package daemon

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

func TestActions(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	last := m.defined(t, "both", func(d report.Definition) bool { return len(d.Workspace.Remotes) == 2 })
	seen := last
	// changed returns the definition after an action.
	changed := func(what string, action api.Action, remote string, met func(report.Definition) bool) {
		t.Helper()
		d.act(action, "docs", remote)
		seen = m.defined(t, what, met)
		if !sameJSON(d.file()[0], seen.Workspace) {
			t.Errorf("%s: the file has %+v, the definition %+v", what, d.file()[0], seen.Workspace)
		}
	}
	paused := func(workspace, one, two bool) func(report.Definition) bool {
		return func(d report.Definition) bool {
			w := d.Workspace
			return w.Paused == workspace && w.Remotes[0].Paused == one && w.Remotes[1].Paused == two
		}
	}
	changed("pause one", api.Pause, "one", paused(false, true, false))
	changed("pause all", api.Pause, "", paused(true, true, false))
	changed("resume two", api.Resume, "two", paused(false, true, false))
	if o := seen.Orders; o["two"].Retry != 1 || o["one"].Retry != 0 {
		t.Errorf("the orders are %+v", o)
	}
	changed("pause all", api.Pause, "", paused(true, true, false))
	changed("resume all", api.Resume, "", paused(false, false, false))
	if o := seen.Orders; o["two"].Retry != 2 || o["one"].Retry != 1 {
		t.Errorf("the orders are %+v", o)
	}
	changed("pause all", api.Pause, "", paused(true, false, false))
	changed("resume one", api.Resume, "one", paused(false, false, true))

	changed("resume all again", api.Resume, "", paused(false, false, false))
	changed("resync", api.Resync, "", func(d report.Definition) bool { return d.Orders["one"].Resync == 1 && d.Orders["two"].Resync == 1 })
	changed("resync two", api.Resync, "two", func(d report.Definition) bool { return d.Orders["two"].Resync == 2 })
	if o := seen.Orders; o["one"].Resync != 1 {
		t.Errorf("the orders are %+v", o)
	}

	// Approval is of what is held now, and of nothing else.
	m.send(t, seen.Barrier, "one two", func(s *report.RemoteStatus) {
		if s.Name == "two" {
			s.State, s.Held = report.Halted, &report.Held{ID: "h7", Count: 200}
		}
	})
	d.eventually("docs", "held", func(s api.WorkspaceStatus) bool { return s.Remotes[1].Held != nil })
	if _, e := d.refused("POST", "/v1/workspaces/docs/approve?remote=one", nil); e.Kind != api.Conflict {
		t.Errorf("approve of nothing: %+v", e)
	}
	changed("approve", api.Approve, "", func(d report.Definition) bool { return d.Orders["two"].Approve == "h7" })
	if o := seen.Orders; o["one"].Approve != "" {
		t.Errorf("the orders are %+v", o)
	}

	call[api.WorkspaceStatus](d, "DELETE", "/v1/workspaces/docs/remotes/two", nil)
	seen = m.defined(t, "the end of two", func(d report.Definition) bool { return len(d.Workspace.Remotes) == 1 })
	if _, ok := seen.Orders["two"]; ok {
		t.Errorf("the orders are %+v", seen.Orders)
	}
}

// TestApproveAfterResume: what the monitor was told to judge anew cannot be
// approved before it is held again.
func TestApproveAfterResume(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	barrier := m.first.Barrier
	hold := func(id string) {
		t.Helper()
		m.send(t, barrier, "one", func(s *report.RemoteStatus) { s.State, s.Held = report.Halted, &report.Held{ID: id, Count: 200} })
		d.eventually("docs", "held", func(s api.WorkspaceStatus) bool { return s.Remotes[0].Held != nil && s.Remotes[0].Held.ID == id })
	}
	hold("h0")
	for id, action := range map[string]api.Action{"h1": api.Resume, "h2": api.Resync} {
		d.act(action, "docs", "one")
		if _, e := d.refused("POST", "/v1/workspaces/docs/approve", nil); e.Kind != api.Held || e.Message != "the deletions are being judged anew" || e.Hint != "wsync wait docs, then wsync approve docs" {
			t.Errorf("approve after %s: %+v", action, e)
		}
		before := barrier
		barrier = m.defined(t, "a barrier", func(d report.Definition) bool { return d.Barrier > before }).Barrier
		hold(id)
		d.act(api.Approve, "docs", "")
		m.defined(t, "the approval", func(d report.Definition) bool { return d.Orders["one"].Approve == id })
	}
}

// What was shown to somebody is approved, and not what has come since.
func TestApproveWhatWasShown(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	hold := func(id string) {
		t.Helper()
		m.send(t, m.first.Barrier, "one", func(s *report.RemoteStatus) { s.State, s.Held = report.Halted, &report.Held{ID: id, Count: 200} })
		d.eventually("docs", "held", func(s api.WorkspaceStatus) bool { return s.Remotes[0].Held != nil && s.Remotes[0].Held.ID == id })
	}
	hold("shown")
	hold("later")
	if _, e := d.refused("POST", "/v1/workspaces/docs/approve?remote=one&held=shown", nil); e.Kind != api.Held || e.Message != "what is held is not what was shown any more" {
		t.Errorf("approve of another set: %+v", e)
	}
	if _, e := d.refused("POST", "/v1/workspaces/docs/pause?held=later", nil); e.Kind != api.Invalid {
		t.Errorf("pause of a set: %+v", e)
	}
	status := call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/approve?remote=one&held=later", nil)
	if len(status.Approved) != 1 || status.Approved[0].Held.ID != "later" {
		t.Fatalf("approved %+v", status.Approved)
	}
	m.defined(t, "the approval", func(d report.Definition) bool { return d.Orders["one"].Approve == "later" })
}

// pointless expects that an action is refused because it would do nothing.
func (d *testDaemon) pointless(command, message, hint string) {
	d.t.Helper()
	words := strings.Fields(command)
	path := "/v1/workspaces/" + words[1] + "/" + words[0]
	if len(words) > 2 {
		path += "?remote=" + words[2]
	}
	if code, e := d.refused("POST", path, nil); code != http.StatusConflict || e != (api.Error{Kind: api.Conflict, Message: message, Hint: hint}) {
		d.t.Errorf("%s: %d %+v", command, code, e)
	}
}

// TestPointlessResync: what is paused is not compared now.
func TestPointlessResync(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.pointless("resync docs", "it has no remotes yet", "wsync attach docs REMOTE DEST")
	d.attach("docs", "one")
	d.attach("docs", "two")
	d.act(api.Pause, "docs", "one")
	d.pointless("resync docs one", "it is paused", "wsync resume docs one")
	d.act(api.Resync, "docs", "two")
	d.act(api.Resync, "docs", "")
	d.act(api.Pause, "docs", "")
	d.pointless("resync docs two", "it is paused", "wsync resume docs two")
	d.pointless("resync docs", "it is paused", "wsync resume docs")
}

func TestRestart(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.pointless("restart docs", "it has no remotes yet", "wsync attach docs REMOTE DEST")
	d.attach("docs", "one")
	m := d.monitor()
	m.send(t, m.first.Barrier, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))

	// Nothing of the old one is believed from now on.
	m.stubborn = true
	if s := d.act(api.Restart, "docs", ""); s.Remotes[0].State != report.Starting {
		t.Errorf("restarted: %+v", s.Remotes[0])
	}
	next(t, "the request to end", m.ended)
	for range 2 {
		m.send(t, m.first.Barrier, "one", nil)
	}
	if s := d.status().Workspaces[0]; s.Remotes[0].State != report.Starting || s.Watch.Armed {
		t.Errorf("the status is %+v", s)
	}
	m.exit(nil)
	second := d.monitor()
	d.eventually("docs", "the start of the next", func(s api.WorkspaceStatus) bool { return s.Monitor.PID == second.pid })
	if s := d.status().Workspaces[0]; s.Remotes[0].State != report.Starting || s.Monitor.Restarts != 0 || s.Monitor.LastExit != "was stopped" {
		t.Errorf("the status is %+v", s)
	}
	second.send(t, second.first.Barrier, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))

	// One that dies: its reports die with it.
	second.exit(errForTest)
	third := d.monitor()
	d.eventually("docs", "the restart", func(s api.WorkspaceStatus) bool { return s.Monitor.PID == third.pid })
	if s := d.status().Workspaces[0]; s.Remotes[0].State != report.Starting || s.Monitor.Restarts != 1 || s.Monitor.LastExit != "for the test" {
		t.Errorf("the status is %+v", s)
	}
	third.exit(errForTest)
	d.eventually("docs", "backing off", func(s api.WorkspaceStatus) bool {
		r := s.Remotes[0]
		return s.Monitor.State == "backing off" && s.Monitor.NextStart != nil && r.State == report.Retrying && r.NextRetry != nil && r.Error == "the monitor died: for the test" && r.Hint == "wsync logs docs says why"
	})
	d.launchError <- errForTest // the restart that is due
	d.eventually("docs", "failure", func(s api.WorkspaceStatus) bool { return s.Monitor.State == "failed" })
	s := d.status().Workspaces[0]
	if r := s.Remotes[0]; r.State != report.Failed || r.Error != "the monitor died too often: cannot start: for the test" || r.Hint != "see wsync logs docs, then wsync restart docs" {
		t.Errorf("failed as %+v", r)
	}
	// One that was killed could log nothing.
	e := &entry{workspace: config.Workspace{Name: "docs"}}
	for state, want := range map[watchdog.State]string{watchdog.BackingOff: "dmesg does", watchdog.Failed: "dmesg, if memory has run out), then wsync restart docs"} {
		var killed report.RemoteStatus
		e.process = watchdog.Status{State: state, LastExit: "signal: killed"}
		if !e.tellEnded(&killed) || !strings.Contains(killed.Hint, want) || strings.Contains(killed.Hint, "logs") {
			t.Errorf("%s: %+v", state, killed)
		}
	}
	// No other command starts it.
	d.pointless("resync docs", "its monitor has failed", "wsync restart docs")
	d.pointless("resume docs", "its monitor has failed", "wsync restart docs")
	d.attach("docs", "two")
	if s := d.status().Workspaces[0]; s.Monitor.State != "failed" || s.Remotes[1].State != report.Failed {
		t.Errorf("the status is %+v", s)
	}
	d.noMonitor()
	d.act(api.Restart, "docs", "")
	last := d.monitor()
	last.send(t, 100, "one two", nil)
	d.eventually("docs", "in sync", isState(report.InSync))
}

// TestTimesWithoutReport: while a monitor has not reported, the times are those of
// its process, and of what the one before has sent.
func TestTimesWithoutReport(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	sent, passed := time.Now().Add(-time.Minute), time.Now().Add(-time.Hour)
	tell := func(m *fakeMonitor) {
		m.send(t, m.last.Barrier, "one", func(s *report.RemoteStatus) { s.LastSuccess, s.LastFullPass, s.Drift = &sent, &passed, 3 })
		d.eventually("docs", "in sync", isState(report.InSync))
	}
	expect := func(what string, state report.State, event time.Time) {
		t.Helper()
		s := d.status().Workspaces[0].Remotes[0]
		if s.State != state || s.Since.Before(event) {
			t.Errorf("%s: %s since %s, which began after %s", what, s.State, s.Since, event)
		}
		if s.LastSuccess == nil || !s.LastSuccess.Equal(sent) || s.LastFullPass == nil || !s.LastFullPass.Equal(passed) || s.Drift != 3 {
			t.Errorf("%s: what was sent before is %v, %v, %d", what, s.LastSuccess, s.LastFullPass, s.Drift)
		}
	}
	tell(m)
	event := time.Now()
	d.act(api.Restart, "docs", "")
	expect("restarted", report.Starting, event)
	m = d.monitor()
	d.eventually("docs", "the start of the next", func(s api.WorkspaceStatus) bool { return s.Monitor.PID == m.pid })
	tell(m)
	event = time.Now()
	for range d.settings.RestartLimit {
		d.launchError <- errForTest
	}
	m.exit(errForTest)
	d.eventually("docs", "failure", isState(report.Failed))
	expect("failed", report.Failed, event)
	// Another remote of that name has nothing of it.
	call[api.WorkspaceStatus](d, "DELETE", "/v1/workspaces/docs/remotes/one", nil)
	if s := d.attachTo("docs", "one", "elsewhere").Remotes[0]; s.LastSuccess != nil || s.LastFullPass != nil || s.Drift != 0 {
		t.Errorf("attached as %+v", s)
	}
}

func TestSetPaused(t *testing.T) {
	for _, test := range []struct {
		name      string
		workspace bool
		paused    []bool
		remote    string
		pause     bool
		want      bool
		wantEach  []bool
	}{
		{"all", false, []bool{false, true}, "", true, true, []bool{false, true}},
		{"one of them", false, []bool{false, false}, "r0", true, false, []bool{true, false}},
		{"one of those that are", true, []bool{false, false}, "r0", true, true, []bool{true, false}},
		{"resume all", true, []bool{true, false}, "", false, false, []bool{false, false}},
		{"resume one", false, []bool{true, true}, "r1", false, false, []bool{true, false}},
		{"resume one of all", true, []bool{false, false, true}, "r1", false, false, []bool{true, false, true}},
	} {
		w := config.Workspace{Paused: test.workspace}
		for i, p := range test.paused {
			w.Remotes = append(w.Remotes, config.Remote{Name: string([]byte{'r', '0' + byte(i)}), Paused: p})
		}
		setPaused(&w, test.remote, test.pause)
		var each []bool
		for _, r := range w.Remotes {
			each = append(each, r.Paused)
		}
		if w.Paused != test.want || !slices.Equal(each, test.wantEach) {
			t.Errorf("%s: %v %v, expected %v %v", test.name, w.Paused, each, test.want, test.wantEach)
		}
	}
}

// The directory that is approved in place of the workspace's own is so for the
// next daemon, too; what was held before was judged by the other one.
func TestApprovedRootIsSaved(t *testing.T) {
	d := startDaemon(t)
	path := d.add("docs").Workspace.LocalPath
	d.attach("docs", "one")
	m := d.monitor()
	if err := os.Rename(path, path+"-old"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(path, "file"), "")
	id, err := config.IdentifyRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	m.sendReport(t, report.Report{
		Version: report.Version, PID: m.pid, Halted: &report.Halt{Reason: "replaced", Since: time.Now()},
		Remotes: []report.RemoteStatus{{Name: "one", State: report.Halted, Held: &report.Held{ID: "h1", Count: 7}, Asked: m.first.Barrier}},
	})
	d.eventually("docs", "halted", func(s api.WorkspaceStatus) bool { return s.Halted != nil })
	d.act(api.Approve, "docs", "")
	got := m.defined(t, "the directory", func(d report.Definition) bool { return d.Workspace.Root != nil && d.Workspace.Root.Same(id) })
	if o := got.Orders["one"]; o != (report.Orders{}) {
		t.Errorf("the orders are %+v", o)
	}
	if saved := d.file()[0].Root; saved == nil || !saved.Same(id) {
		t.Errorf("the file has %+v, expected %+v", saved, id)
	}
}
