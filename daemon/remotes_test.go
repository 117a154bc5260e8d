package daemon

import (
	"testing"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// TestAdoption: the file says until the monitor has looked that the
// destination may hold something else.
func TestAdoption(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	pending := func() bool { return d.file()[0].Remotes[0].AdoptionPending }
	notYet := func(s *report.RemoteStatus) { s.Adopted = false }
	m.send(t, m.first.Barrier, "one", notYet)
	m.send(t, m.first.Barrier, "one", notYet)
	if !pending() || !m.first.Workspace.Remotes[0].AdoptionPending {
		t.Error("the remote counts as adopted before its first pass")
	}
	m.send(t, m.first.Barrier, "one", nil)
	m.defined(t, "the end of the adoption", func(d report.Definition) bool { return !d.Workspace.Remotes[0].AdoptionPending })
	if pending() {
		t.Error("the file does not say that the remote is adopted")
	}
	m.send(t, m.first.Barrier, "one", notYet)
	m.send(t, m.first.Barrier, "one", notYet)
	if pending() {
		t.Error("an adopted remote is not any more")
	}

	// Not all is to be kept there, or nothing.
	call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/remotes", api.AttachRemote{
		Remote:         config.Remote{Name: "two", RemotePath: "/two", Connection: config.Connection{Local: &config.Local{}}, AdoptionPending: true},
		DeleteExisting: true,
	})
	if r := d.file()[0].Remotes[1]; !r.AdoptionPending || !r.AdoptDelete || r.AdoptOverwrite {
		t.Errorf("--delete-existing became %+v", r)
	}
	call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/remotes", api.AttachRemote{
		Remote:         config.Remote{Name: "three", RemotePath: "/three", Connection: config.Connection{Local: &config.Local{}}, AdoptionPending: true},
		DeleteExisting: true, OverwriteExisting: true,
	})
	if r := d.file()[0].Remotes[2]; r.AdoptionPending || r.AdoptDelete || r.AdoptOverwrite {
		t.Errorf("with both options it became %+v", r)
	}
}

// TestAttachAgain: what was reported of a remote is not believed of another
// one that has its name now.
func TestAttachAgain(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "other")
	d.attach("docs", "one")
	m := d.monitor()
	old := m.defined(t, "both", func(d report.Definition) bool { return len(d.Workspace.Remotes) == 2 }).Barrier
	m.send(t, old, "other one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))
	d.act(api.Resync, "docs", "one")
	_, early := d.startWait(m, api.Wait{Workspace: "docs", Remote: "one"})
	barrier, result := d.startWait(m, api.Wait{Workspace: "docs"})
	m.send(t, old, "other one", func(s *report.RemoteStatus) { s.State = report.Offline })

	call[api.WorkspaceStatus](d, "DELETE", "/v1/workspaces/docs/remotes/one", nil)
	if a := next(t, "end of the wait", early); a.Kind != api.NotFound {
		t.Errorf("the wait for a remote that was detached: %+v", a)
	}
	attached := d.attachTo("docs", "one", "elsewhere")
	if s := attached.Remotes[1]; s.State != report.Starting || s.Adopted {
		t.Errorf("attached as %+v", s)
	}
	// The monitor has not heard of it yet, and praises the one before.
	for range 2 {
		m.send(t, barrier, "other one", nil)
	}
	status := d.status().Workspaces[0]
	if s := status.Remotes[1]; s.State != report.Starting || !s.PendingEverything || s.Barrier != 0 {
		t.Errorf("the remote is shown as %+v", s)
	}
	if s := status.Remotes[0]; s.State != report.InSync {
		t.Errorf("the other one is shown as %+v", s)
	}
	if !d.file()[0].Remotes[1].AdoptionPending {
		t.Error("the remote counts as adopted")
	}
	for range 2 {
		m.send(t, barrier, "other one", func(s *report.RemoteStatus) { s.State, s.Held = report.Halted, &report.Held{ID: "h1"} })
	}
	if s := d.status().Workspaces[0].Remotes[1]; s.State != report.Starting || s.Held != nil {
		t.Errorf("the remote is shown as %+v", s)
	}
	if _, e := d.refused("POST", "/v1/workspaces/docs/approve?remote=one", nil); e.Kind != api.Conflict {
		t.Errorf("what was held before was approved: %+v", e)
	}
	m.send(t, barrier, "other one", nil)
	d.pending("the remote was attached again", result)

	// Now it has.
	definition := m.defined(t, "the new destination", func(definition report.Definition) bool {
		return len(definition.Workspace.Remotes) == 2 && definition.Workspace.Remotes[1].RemotePath == d.home+"/elsewhere"
	})
	if definition.Barrier <= barrier || definition.Orders["one"] != (report.Orders{}) {
		t.Errorf("the definition is %+v", definition)
	}
	m.send(t, definition.Barrier, "other one", func(s *report.RemoteStatus) {
		if s.Name == "one" {
			s.State, s.Barrier, s.Adopted = report.Syncing, 0, false
		}
	})
	d.eventually("docs", "the first pass", func(s api.WorkspaceStatus) bool { return s.Remotes[1].State == report.Syncing })
	d.pending("the first pass runs", result)
	m.send(t, definition.Barrier, "other one", nil)
	d.expectWait(result, true, false)
	d.eventually("docs", "adoption", func(s api.WorkspaceStatus) bool {
		return s.Remotes[1].State == report.InSync && !s.Workspace.Remotes[1].AdoptionPending
	})
}
