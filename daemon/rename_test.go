package daemon

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func (d *testDaemon) rename(workspace, remote, name string) api.WorkspaceStatus {
	d.t.Helper()
	return call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/"+workspace+"/rename", api.Rename{Remote: remote, New: name})
}

// TestRenameRemote: what is known of a remote goes along with it, and what was meant for
// another one that has its name afterwards does not reach it.
func TestRenameRemote(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	d.act(api.Resync, "docs", "one")
	d.act(api.Pause, "docs", "one")
	m.defined(t, "the pause", func(d report.Definition) bool { return d.Workspace.Remotes[0].Paused })
	m.send(t, 100, "one two", func(s *report.RemoteStatus) {
		if s.Name == "one" {
			s.State, s.Held = report.Halted, &report.Held{ID: "h1", Count: 7}
		}
	})
	d.eventually("docs", "held", func(s api.WorkspaceStatus) bool { return s.Remotes[0].State == report.Halted })
	before := d.file()[0].Remotes[0]

	if s := d.rename("docs", "one", "first").Remotes[0]; s.Name != "first" || s.State != report.Halted || s.Held == nil {
		t.Errorf("renamed, it is %+v", s)
	}
	got := m.defined(t, "the name", func(d report.Definition) bool { return d.Workspace.Remotes[0].Name == "first" })
	if o := got.Orders; o["first"].Resync != 1 || o["one"] != (report.Orders{}) {
		t.Errorf("the orders are %+v", o)
	}
	want := before
	want.Name, want.StateName = "first", "one"
	if r := d.file()[0].Remotes[0]; !sameJSON(r, want) {
		t.Errorf("the file has %+v, expected %+v", r, want)
	}
	d.act(api.Approve, "docs", "first")
	m.defined(t, "the approval", func(d report.Definition) bool { return d.Orders["first"].Approve == "h1" })

	// They swap their names: what is reported of the old ones is not believed of the new.
	d.rename("docs", "first", "x")
	d.rename("docs", "two", "first")
	d.rename("docs", "x", "two")
	m.send(t, 1, "first two", nil)
	for _, s := range d.status().Workspaces[0].Remotes {
		if s.State.InSync() {
			t.Errorf("%+v is believed", s)
		}
	}

	for _, test := range []struct {
		remote, name string
		code         int
		want         api.Error
	}{
		{"two", "first", http.StatusConflict, api.Error{Kind: api.Exists, Message: "workspace docs already has a remote first", Hint: "choose another name"}},
		{"two", "two", http.StatusConflict, api.Error{Kind: api.Conflict, Message: "that is its name already"}},
		{"two", "a/b", http.StatusBadRequest, api.Error{Kind: api.Invalid, Message: `the name "a/b" is not allowed: expected only letters (a-z), digits, ".", "_" or "-"`}},
		{"one", "three", http.StatusNotFound, api.Error{Kind: api.NotFound, Message: `workspace docs has no remote "one"`, Hint: "it has: two, first"}},
	} {
		code, got := d.refused("POST", "/v1/workspaces/docs/rename", api.Rename{Remote: test.remote, New: test.name})
		if code != test.code || got != test.want {
			t.Errorf("%s to %s: %d %+v, want %d %+v", test.remote, test.name, code, got, test.code, test.want)
		}
	}
	d.noMonitor()
}

// TestRenameProvisional: of a remote that may be taken back nobody takes the name.
func TestRenameProvisional(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.startAttach("docs", "one")
	d.monitor()
	if code, got := d.refused("POST", "/v1/workspaces/docs/rename", api.Rename{Remote: "one", New: "two"}); code != http.StatusConflict || got.Message != "it is just being attached" {
		t.Errorf("%d %+v", code, got)
	}
}

// TestRenameWorkspace: the monitor goes on, and what it keeps stays where it is, also when
// another workspace takes the name.
func TestRenameWorkspace(t *testing.T) {
	d := startDaemon(t)
	path := d.add("docs").Workspace.LocalPath
	d.attach("docs", "one")
	m := d.monitor()
	run := m.first.Settings.RunDirectory
	log := m.first.Settings.LogFile
	const rotated = "-2026-01-02T03-04-05.678-size.log"
	write(t, log, "now\n")
	write(t, log[:len(log)-len(".log")]+rotated, "earlier\n")
	write(t, filepath.Join(filepath.Dir(log), "docs-two.log"), "of another\n")
	m.send(t, 100, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))

	if s := d.rename("docs", "", "notes"); s.Workspace.Name != "notes" || s.Remotes[0].State != report.InSync {
		t.Errorf("renamed, it is %+v", s)
	}
	got := m.defined(t, "the name", func(d report.Definition) bool { return d.Workspace.Name == "notes" })
	if got.Settings.RunDirectory != run || got.Settings.LogFile != filepath.Join(filepath.Dir(log), "notes.log") {
		t.Errorf("the settings are %+v", got.Settings)
	}
	for name, want := range map[string]bool{"docs.log": false, "notes.log": true, "notes" + rotated: true, "docs-two.log": true, "notes-two.log": false} {
		if _, err := os.Stat(filepath.Join(filepath.Dir(log), name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w := d.file()[0]; w.Name != "notes" || w.StateName != "docs" || w.LocalPath != path {
		t.Errorf("the file has %+v", w)
	}
	d.noMonitor()

	// The next monitor is called by the new name.
	m.exit(errForTest)
	if next := d.monitor(); next.workspace != "notes" || next.first.Settings.RunDirectory != run {
		t.Errorf("the next monitor is of %s in %s", next.workspace, next.first.Settings.RunDirectory)
	}

	// Another workspace of the old name keeps what is known of it elsewhere.
	write(t, filepath.Join(d.home, "other", "file"), "")
	call[api.WorkspaceStatus](d, "POST", "/v1/workspaces", api.AddWorkspace{Name: "docs", LocalPath: filepath.Join(d.home, "other")})
	d.attach("docs", "two")
	if second := d.monitor(); second.first.Settings.RunDirectory != run+".2" {
		t.Errorf("the second monitor is in %s", second.first.Settings.RunDirectory)
	}
	for _, test := range []struct {
		name string
		code int
		want api.Error
	}{
		{"notes", http.StatusConflict, api.Error{Kind: api.Exists, Message: "there is already a workspace notes (" + path + ")", Hint: "choose another name"}},
		{"docs", http.StatusConflict, api.Error{Kind: api.Conflict, Message: "that is its name already"}},
		{"-a", http.StatusBadRequest, api.Error{Kind: api.Invalid, Message: `the name "-a" begins with "-": expected a letter, a digit or "_"`}},
	} {
		code, got := d.refused("POST", "/v1/workspaces/docs/rename", api.Rename{New: test.name})
		if code != test.code || got != test.want {
			t.Errorf("docs to %s: %d %+v, want %d %+v", test.name, code, got, test.code, test.want)
		}
	}
	// What is removed takes nothing of the other along.
	write(t, filepath.Join(run, "stamp"), "")
	call[struct{}](d, "DELETE", "/v1/workspaces/docs", nil)
	if _, err := os.Stat(filepath.Join(run, "stamp")); err != nil {
		t.Error(err)
	}
}

// TestFreeState: a long name leaves room for what tells two apart.
func TestFreeState(t *testing.T) {
	d := startDaemon(t)
	long := "a123456789012345678901234567890123456789012345678901234567890123"
	d.add(long)
	d.rename(long, "", "b")
	var got string
	d.lock.Do(func() { got = d.freeState(long) })
	if err := config.ValidateName(got); err != nil || got == long {
		t.Errorf("%q: %v", got, err)
	}
}
