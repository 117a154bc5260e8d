package daemon

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// TestSetPath: another directory has another monitor, and what the remotes have and it does
// not is in doubt, until that one says otherwise.
func TestSetPath(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.add("other")
	d.attach("docs", "one")
	m := d.monitor()
	m.send(t, 100, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))
	if r := d.file()[0].Remotes[0]; r.AdoptionPending {
		t.Fatalf("%+v is in doubt from the beginning", r)
	}
	path := filepath.Join(d.home, "moved")
	write(t, filepath.Join(path, "file"), "")
	id, err := config.IdentifyRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	s := call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/path", api.SetPath{LocalPath: path})
	if s.Workspace.LocalPath != path || s.Remotes[0].State != report.Starting || s.Remotes[0].Adopted {
		t.Errorf("the status is %+v", s)
	}
	next(t, "the end of the first monitor", m.ended)
	second := d.monitor()
	first := second.first
	if w := first.Workspace; w.LocalPath != path || w.Root == nil || !w.Root.Same(id) || first.Settings.RunDirectory != m.first.Settings.RunDirectory {
		t.Errorf("the second monitor is for %+v", first)
	}
	if r := d.file()[0].Remotes[0]; !r.AdoptionPending || r.AdoptDelete || !r.AdoptOverwrite {
		t.Errorf("the file has %+v", r)
	}
	// What it says before it knows of that is not believed.
	second.send(t, first.Barrier-1, "one", nil)
	if r := d.file()[0].Remotes[0]; !r.AdoptionPending {
		t.Errorf("%+v is adopted by an old report", r)
	}
	second.send(t, first.Barrier, "one", nil)
	d.eventually("docs", "adopted", isState(report.InSync))
	if r := d.file()[0].Remotes[0]; r.AdoptionPending || r.AdoptOverwrite {
		t.Errorf("the file has %+v after adoption", r)
	}

	write(t, filepath.Join(d.home, "plain"), "")
	for _, test := range []struct{ path, kind, want string }{
		{path, string(api.Conflict), "that is its directory already"},
		{filepath.Join(d.home, "none"), string(api.Invalid), "does not exist"},
		{filepath.Join(d.home, "plain"), string(api.Invalid), "is not a directory"},
		{"moved", string(api.Invalid), "is relative"},
		{d.settings.Directory, string(api.Invalid), "wsync's own files"},
		{filepath.Join(d.home, "other"), string(api.Exists), `is that of workspace "other" already`},
	} {
		code, got := d.refused("POST", "/v1/workspaces/docs/path", api.SetPath{LocalPath: test.path})
		if string(got.Kind) != test.kind || !strings.Contains(got.Message, test.want) {
			t.Errorf("%s: %d %+v, want %s %s", test.path, code, got, test.kind, test.want)
		}
	}
	if err := os.MkdirAll(filepath.Join(d.home, "to-docs-one"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code, got := d.refused("POST", "/v1/workspaces/docs/path", api.SetPath{LocalPath: filepath.Join(d.home, "to-docs-one")}); code != http.StatusBadRequest {
		t.Errorf("its own destination: %d %+v", code, got)
	}
	d.noMonitor()
}

// TestMoveRemote: a remote whose new destination is in use stays where it was, and the
// file never had the other one.
func TestMoveRemote(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	m.send(t, 100, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))
	before := d.file()[0].Remotes[0]
	move := func(dest string) <-chan attachment {
		result := make(chan attachment, 1)
		body := encode(t, api.AttachRemote{Remote: d.local("", dest), Settle: time.Hour})
		go func() {
			var a attachment
			var data []byte
			a.code, _, data = d.ask("POST", "/v1/workspaces/docs/remotes/one/destination", body)
			a.Message = string(data)
			result <- a
		}()
		return result
	}
	at := func(dest string) func(report.Definition) bool {
		return func(def report.Definition) bool {
			return def.Workspace.Remotes[0].RemotePath == filepath.Join(d.home, dest)
		}
	}
	result := move("elsewhere")
	tried := m.defined(t, "the new destination", at("elsewhere"))
	if r := tried.Workspace.Remotes[0]; r.ID == before.ID || !r.AdoptionPending || r.Name != "one" {
		t.Errorf("tried is %+v", r)
	}
	if !sameJSON(d.file()[0].Remotes[0], before) {
		t.Errorf("the file has %+v before it is decided", d.file()[0].Remotes[0])
	}
	if code, got := d.refused("POST", "/v1/workspaces/docs/remotes/one/destination", api.AttachRemote{Remote: d.local("", "third")}); code != http.StatusConflict {
		t.Errorf("a second one at once: %d %+v", code, got)
	}
	// The old destination being well says nothing of the new one.
	m.send(t, tried.Barrier-1, "one", nil)
	m.send(t, tried.Barrier, "one", inUse)
	if a := next(t, "refusal", result); a.code != http.StatusConflict || !strings.Contains(a.Message, "it stays at "+before.RemotePath) {
		t.Errorf("refused with %d %s", a.code, a.Message)
	}
	back := m.defined(t, "the old destination", at("to-docs-one"))
	if !sameJSON(back.Workspace.Remotes[0], before) || !sameJSON(d.file()[0].Remotes[0], before) {
		t.Errorf("it is back as %+v, was %+v", back.Workspace.Remotes[0], before)
	}
	m.send(t, back.Barrier, "one", nil)
	d.eventually("docs", "in sync again", isState(report.InSync))

	result = move("free")
	tried = m.defined(t, "the free destination", at("free"))
	m.send(t, tried.Barrier, "one", nil)
	if a := next(t, "the answer", result); a.code != http.StatusOK {
		t.Errorf("%d %s", a.code, a.Message)
	}
	if r := d.file()[0].Remotes[0]; r.RemotePath != filepath.Join(d.home, "free") || r.AdoptionPending {
		t.Errorf("the file has %+v", r)
	}
	d.noMonitor()
}
