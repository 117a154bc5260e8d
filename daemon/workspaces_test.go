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
	"wsync/config/filesystem"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestAddAttachDetachRemove(t *testing.T) {
	d := startDaemon(t)
	added := d.add("docs")
	if added.Workspace.Name != "docs" || added.Workspace.Root == nil || added.Monitor.State != "stopped" || len(added.Remotes) != 0 {
		t.Errorf("added %+v", added)
	}
	if file := d.file(); len(file) != 1 || !sameJSON(file[0], added.Workspace) {
		t.Errorf("the file has %+v", file)
	}
	d.noMonitor() // there is nothing to do

	attached := d.attach("docs", "one")
	if len(attached.Remotes) != 1 || attached.Remotes[0].State != report.Starting || attached.Remotes[0].Adopted {
		t.Errorf("attached %+v", attached)
	}
	if file := d.file(); len(file) != 1 || len(file[0].Remotes) != 1 || !file[0].Remotes[0].AdoptionPending || file[0].Remotes[0].Name != "one" {
		t.Errorf("the file has %+v", file)
	}
	m := d.monitor()
	first := m.first
	if first.Workspace.Name != "docs" || len(first.Workspace.Remotes) != 1 || first.Settings.LogFile != d.settings.WorkspaceLogPath("docs") ||
		first.Settings.RunDirectory != filepath.Join(d.settings.RunDirectory(), "docs") {
		t.Errorf("the first definition is %+v", first)
	}
	d.eventually("docs", "the start", func(s api.WorkspaceStatus) bool { return s.Monitor.State == "starting" && s.Monitor.PID == m.pid })
	m.send(t, first.Barrier, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))

	d.attach("docs", "two")
	m.defined(t, "the second remote", func(d report.Definition) bool { return len(d.Workspace.Remotes) == 2 })
	status := d.status()
	if len(status.Workspaces) != 1 || status.Daemon.Version != "test" || status.Daemon.PID != os.Getpid() || status.Daemon.LogProblem != "" || status.Daemon.NotifyProblem != "" {
		t.Errorf("the status is %+v", status)
	}
	if r := status.Workspaces[0].Remotes; len(r) != 2 || r[0].State != report.InSync || r[1].Name != "two" || r[1].State != report.Starting || !r[1].PendingEverything {
		t.Errorf("the remotes are %+v", r)
	}
	d.noMonitor() // the one that runs has taken it in

	detached := call[api.WorkspaceStatus](d, "DELETE", "/v1/workspaces/docs/remotes/one", nil)
	if len(detached.Remotes) != 1 || detached.Remotes[0].Name != "two" {
		t.Errorf("detached: %+v", detached)
	}
	if file := d.file(); len(file[0].Remotes) != 1 || file[0].Remotes[0].Name != "two" {
		t.Errorf("the file has %+v", file)
	}
	// With the last remote the monitor goes.
	call[api.WorkspaceStatus](d, "DELETE", "/v1/workspaces/docs/remotes/two", nil)
	next(t, "end of the monitor", m.ended)
	d.eventually("docs", "the end", func(s api.WorkspaceStatus) bool { return s.Monitor.State == "stopped" && s.Watch.Backend == "" })
	d.noMonitor()

	d.add("music")
	write(t, filepath.Join(d.settings.RunDirectory(), "docs", "left"), "")
	call[struct{}](d, "DELETE", "/v1/workspaces/docs", nil)
	if file := d.file(); len(file) != 1 || file[0].Name != "music" {
		t.Errorf("the file has %+v", file)
	}
	if _, err := os.Stat(filepath.Join(d.settings.RunDirectory(), "docs")); !os.IsNotExist(err) {
		t.Errorf("the run directory is left: %v", err)
	}
	if got := call[api.WorkspaceStatus](d, "GET", "/v1/workspaces/music", nil); got.Workspace.Name != "music" {
		t.Errorf("got %+v", got)
	}
	if got := call[[]config.Workspace](d, "GET", "/v1/workspaces", nil); len(got) != 1 || got[0].Name != "music" {
		t.Errorf("got %+v", got)
	}
	call[struct{}](d, "DELETE", "/v1/workspaces/music", nil)
	if _, _, data := d.ask("GET", "/v1/workspaces", ""); strings.TrimSpace(string(data)) != "[]" {
		t.Errorf("no workspaces are %s", data)
	}
	if data, err := os.ReadFile(d.settings.WorkspaceConfigFilePath); err != nil || strings.TrimSpace(string(data)) != "[]" {
		t.Errorf("the file has %q (%v)", data, err)
	}
}

func TestRefusals(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.add("music")
	d.attach("docs", "one")
	add := func(name, path string) any { return api.AddWorkspace{Name: name, LocalPath: path} }
	attach := func(r config.Remote) any { return api.AttachRemote{Remote: r} }
	other := d.local("one", "elsewhere")
	for _, test := range []struct {
		method, path string
		body         any
		kind         api.ErrorKind
		code         int
		message      string
		hint         string
	}{
		{"GET", "/v1/workspaces/doc", nil, api.NotFound, 404, `there is no workspace "doc"`, "there is: docs, music"},
		{"DELETE", "/v1/workspaces/doc", nil, api.NotFound, 404, `there is no workspace "doc"`, "there is: docs, music"},
		{"POST", "/v1/workspaces/doc/pause", nil, api.NotFound, 404, `there is no workspace "doc"`, "there is: docs, music"},
		{"GET", "/v1/status?workspace=doc", nil, api.NotFound, 404, `there is no workspace "doc"`, "there is: docs, music"},
		{"GET", "/v1/status?after=x", nil, api.Invalid, 400, "after=x is no revision", ""},
		{"POST", "/v1/workspaces/docs/dance", nil, api.Unknown, 501, `there is no action "dance"`, ""},
		{"POST", "/v1/workspaces/docs/pause?remote=two", nil, api.NotFound, 404, `workspace docs has no remote "two"`, "it has: one"},
		{"POST", "/v1/workspaces/music/pause?remote=two", nil, api.NotFound, 404, `workspace music has no remote "two"`, "wsync attach music NAME DEST"},
		{"POST", "/v1/workspaces/docs/approve", nil, api.Conflict, 409, "nothing to approve", "wsync status docs"},
		{"DELETE", "/v1/workspaces/docs/remotes/two", nil, api.NotFound, 404, `has no remote "two"`, "it has: one"},
		{"POST", "/v1/wait", api.Wait{Workspace: "doc"}, api.NotFound, 404, `there is no workspace "doc"`, "there is: docs, music"},
		{"POST", "/v1/wait", api.Wait{Workspace: "docs", Remote: "two"}, api.NotFound, 404, `has no remote "two"`, "it has: one"},
		{"POST", "/v1/wait", api.Wait{Timeout: -1}, api.Invalid, 400, "negative", ""},

		{"POST", "/v1/workspaces", add("docs", filepath.Join(d.home, "bin")), api.Exists, 409, "already a workspace docs", "wsync remove docs"},
		{"POST", "/v1/workspaces", add("again", filepath.Join(d.home, "docs")), api.Exists, 409, `of workspace "docs" already`, ""},
		{"POST", "/v1/workspaces", add("a b", d.home), api.Invalid, 400, `the name "a b"`, ""},
		{"POST", "/v1/workspaces", add("new", "relative"), api.Invalid, 400, "absolute", ""},
		{"POST", "/v1/workspaces", add("new", "/does/not/exist"), api.Invalid, 400, "does not exist", ""},
		{"POST", "/v1/workspaces", add("new", d.home), api.Invalid, 400, "holds wsync's own files", "one by one"},
		{"POST", "/v1/workspaces", add("new", d.settings.LogDirectory), api.Invalid, 400, "holds wsync's own files", ""},
		{"POST", "/v1/workspaces", add("new", d.settings.Directory), api.Invalid, 400, "holds wsync's own files", ""},
		{"POST", "/v1/workspaces", "", api.Invalid, 400, "cannot understand the request: EOF", ""},
		{"POST", "/v1/workspaces", "{", api.Invalid, 400, "cannot understand the request", ""},
		{"POST", "/v1/workspaces", `{"name":1}`, api.Invalid, 400, "cannot understand the request", ""},
		{"POST", "/v1/workspaces", `{} {}`, api.Invalid, 400, "something follows", ""},
		{"POST", "/v1/workspaces", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, api.Invalid, 400, "too large", ""},

		{"POST", "/v1/workspaces/doc/remotes", attach(d.local("x", "x")), api.NotFound, 404, `there is no workspace "doc"`, "there is: docs, music"},
		{"POST", "/v1/workspaces/docs/remotes", attach(other), api.Exists, 409, "already has a remote one", "wsync detach docs one"},
		{"POST", "/v1/workspaces/music/remotes", attach(d.local("x", "to-docs-one")), api.Exists, 409, "two mirrors would delete", ""},
		{"POST", "/v1/workspaces/docs/remotes", attach(d.local("x", "docs/inside")), api.Invalid, 400, "inside the workspace's directory", ""},
		{"POST", "/v1/workspaces/docs/remotes", attach(d.local("x", "")), api.Invalid, 400, "inside the destination", ""},
		{"POST", "/v1/workspaces/docs/remotes", attach(d.local("x", ".wsync")), api.Invalid, 400, "wsync's own files", ""},
		{"POST", "/v1/workspaces/docs/remotes", attach(config.Remote{Name: "x", RemotePath: "/x"}), api.Invalid, 400, "the connection is missing", ""},
		{"POST", "/v1/workspaces/docs/remotes", attach(config.Remote{Name: "-x"}), api.Invalid, 400, "begins with", ""},

		// What another version may know.
		{"POST", "/v1/workspaces", `{"name":"new","local_path":"/","colour":"red"}`, api.Unknown, 501, `the daemon does not know "colour" in the request`, ""},
		{"POST", "/v1/workspaces/docs/remotes", `{"remote":{"name":"x","keep_all":true}}`, api.Unknown, 501, `does not know "keep_all"`, ""},
		{"POST", "/v1/workspaces/docs/remotes", `{"remote":{"name":"x","connection_info":{"Local":{"a":1}}}}`, api.Unknown, 501, `does not know "a"`, ""},
		{"GET", "/", nil, api.Unknown, 501, "the daemon does not know the request GET /", ""},
		{"GET", "/v2/status", nil, api.Unknown, 501, "the daemon does not know the request GET /v2/status", ""},
		{"PUT", "/v1/status", nil, api.Unknown, 501, "the daemon does not know the request PUT /v1/status", ""},
		{"DELETE", "/v1/workspaces", nil, api.Unknown, 501, "the daemon does not know the request DELETE /v1/workspaces", ""},
	} {
		before := d.file()
		code, e := d.refused(test.method, test.path, test.body)
		if code != test.code || e.Kind != test.kind || !strings.Contains(e.Message, test.message) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%s %s: %d %+v, expected %d %q %q with hint %q", test.method, test.path, code, e, test.code, test.kind, test.message, test.hint)
		}
		if strings.HasPrefix(e.Message, `workspace "`) || strings.HasPrefix(e.Message, `remote "`) {
			t.Errorf("%s %s: the error repeats what was asked about: %s", test.method, test.path, e.Message)
		}
		if !sameJSON(before, d.file()) {
			t.Errorf("%s %s changed the file", test.method, test.path)
		}
	}
	if s := d.status(); len(s.Workspaces) != 2 || len(s.Workspaces[0].Remotes) != 1 || len(s.Workspaces[1].Remotes) != 0 {
		t.Errorf("the status has become %+v", s)
	}

	t.Setenv("PATH", filepath.Join(d.home, "nothing"))
	_, e := d.refused("POST", "/v1/workspaces/docs/remotes", attach(d.local("x", "x")))
	if e.Kind != api.Internal || !strings.Contains(e.Message, "no rsync") || e.Hint != "install rsync" {
		t.Errorf("without rsync: %+v", e)
	}
	if err := os.Rename(filepath.Join(d.home, "bin", "ssh"), filepath.Join(d.home, "ssh")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(d.home, "bin"))
	host := config.Remote{Name: "x", RemotePath: "/x", Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "host"}}}
	if _, e := d.refused("POST", "/v1/workspaces/docs/remotes", attach(host)); !strings.Contains(e.Message, "no ssh") {
		t.Errorf("without ssh: %+v", e)
	}
}

func TestNoWorkspaceYet(t *testing.T) {
	d := startDaemon(t)
	if _, e := d.refused("GET", "/v1/workspaces/docs", nil); e.Hint != "there is none yet: wsync add NAME PATH" {
		t.Errorf("the hint is %q", e.Hint)
	}
	if result := call[api.WaitResult](d, "POST", "/v1/wait", api.Wait{}); !result.InSync {
		t.Errorf("nothing is not in sync: %+v", result)
	}
}

// TestFailedSave: what cannot be saved does not happen, and what need not be
// saved does.
func TestFailedSave(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	d.add("music")
	m.send(t, m.first.Barrier, "one", func(s *report.RemoteStatus) {
		s.State, s.Pending, s.Adopted = report.Halted, 3, false
		s.Held = &report.Held{ID: "h1", Count: 3}
	})
	d.eventually("docs", "halted", isState(report.Halted))
	write(t, filepath.Join(d.home, "new", "file"), "")

	// A file where the directory was stops root too.
	state := filepath.Dir(d.settings.WorkspaceConfigFilePath)
	if err := os.Rename(state, state+".away"); err != nil {
		t.Fatal(err)
	}
	write(t, state, "")
	before := d.status().Workspaces
	for _, test := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/v1/workspaces", api.AddWorkspace{Name: "new", LocalPath: filepath.Join(d.home, "new")}},
		{"DELETE", "/v1/workspaces/docs", nil},
		{"DELETE", "/v1/workspaces/music", nil},
		{"POST", "/v1/workspaces/docs/remotes", api.AttachRemote{Remote: d.local("two", "two")}},
		{"DELETE", "/v1/workspaces/docs/remotes/one", nil},
		{"POST", "/v1/workspaces/docs/pause", nil},
		{"POST", "/v1/workspaces/docs/resume?remote=one", nil},
	} {
		code, e := d.refused(test.method, test.path, test.body)
		if code != http.StatusInternalServerError || e.Kind != api.Internal || !strings.Contains(e.Message, "cannot write the workspace file") {
			t.Errorf("%s %s: %d %+v", test.method, test.path, code, e)
		}
		if after := d.status().Workspaces; !sameJSON(before, after) {
			t.Errorf("%s %s has changed the state to %+v", test.method, test.path, after)
		}
	}
	if orders := d.entries["docs"].orders["one"]; orders != (report.Orders{}) {
		t.Errorf("the orders have become %+v", orders)
	}
	d.act(api.Approve, "docs", "")
	d.act(api.Resync, "docs", "one")
	got := m.defined(t, "the orders", func(d report.Definition) bool { return d.Orders["one"].Resync > 0 })
	if o := got.Orders["one"]; o != (report.Orders{Resync: 1, Approve: "h1"}) || len(got.Workspace.Remotes) != 1 || got.Workspace.Paused {
		t.Errorf("the definition is %+v", got)
	}
	d.act(api.Restart, "docs", "")
	d.monitor()

	// With the directory back it goes on.
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(state+".away", state); err != nil {
		t.Fatal(err)
	}
	d.add("new")
	call[struct{}](d, "DELETE", "/v1/workspaces/music", nil)
	if file := d.file(); len(file) != 2 || file[0].Name != "docs" || file[1].Name != "new" {
		t.Errorf("the file has %+v", file)
	}
}

// TestRestore: a file that the original wrote comes to life.
func TestRestore(t *testing.T) {
	home := newHome(t)
	settings := loadSettings(t, home)
	write(t, filepath.Join(home, "docs", "file"), "")
	write(t, settings.WorkspaceConfigFilePath, strings.ReplaceAll(`[
 {"name":"docs","local_path":"HOME/docs","remote_workspaces":[
  {"name":"a","remote_path":"/srv/a","connection_info":{"Ssh":{"host":"h","port":2222,"username":null,"identity_file":null}}},
  {"name":"b","remote_path":"/srv/b","connection_info":{"HostAlias":{"host_alias":"h2"}}},
  {"name":"c","remote_path":"module/c","connection_info":{"RsyncDaemon":{"host":"h3","port":null,"username":"me"}}}]},
 {"name":"gone","local_path":"HOME/gone/","remote_workspaces":[
  {"name":"a","remote_path":"/srv/gone","connection_info":{"HostAlias":{"host_alias":"h2"}}}]},
 {"name":"empty","local_path":"HOME/empty","remote_workspaces":[]}
]`, "HOME", home))
	d := startDaemonIn(t, home)
	monitors := make(map[string]*fakeMonitor)
	for range 2 {
		m := d.monitor()
		monitors[m.workspace] = m
	}
	d.noMonitor()
	docs, gone := monitors["docs"], monitors["gone"]
	if docs == nil || gone == nil {
		t.Fatalf("monitors of %v were started", monitors)
	}
	if w := docs.first.Workspace; len(w.Remotes) != 3 || w.Remotes[0].Connection.SSH.Port != 2222 || w.Remotes[0].AdoptionPending || w.Root == nil {
		t.Errorf("the definition of docs is %+v", w)
	}
	if file := d.file(); len(file) != 3 || file[0].Root == nil || file[1].Root != nil {
		t.Errorf("the file has %+v", file)
	}
	if s := d.status(); s.Workspaces[0].Workspace.Name != "docs" || s.Workspaces[2].Monitor.State != "stopped" {
		t.Errorf("the status is %+v", s)
	}

	// The directory that was away gets its identity when a monitor sees it.
	root := config.RootIdentity{Device: 7, Inode: 8, FileSystem: "9"}
	gone.sendReport(t, report.Report{Version: report.Version})
	gone.sendReport(t, report.Report{Version: report.Version, Root: &root})
	gone.defined(t, "the identity", func(d report.Definition) bool { return d.Workspace.Root != nil })
	if file := d.file(); file[1].Root == nil || *file[1].Root != root {
		t.Errorf("the file has %+v", file[1])
	}
	// And keeps it.
	gone.sendReport(t, report.Report{Version: report.Version, Root: &config.RootIdentity{Device: 1, Inode: 2}})
	gone.sendReport(t, report.Report{Version: report.Version})
	if file := d.file(); *file[1].Root != root {
		t.Errorf("the file has %+v", file[1])
	}

	// A second daemon finds what the first has left.
	d.act(api.Pause, "docs", "b")
	want := d.file()
	d.end()
	again := startDaemonIn(t, home)
	if !sameJSON(again.file(), want) || !again.status().Workspaces[0].Workspace.Remotes[1].Paused {
		t.Errorf("restored %+v", again.status())
	}
}

// TestRemoveWaits: the answer to remove comes when the monitor is gone, and
// meanwhile what it says does not bring it back.
func TestRemoveWaits(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	m.stubborn = true
	m.send(t, m.first.Barrier, "one", func(s *report.RemoteStatus) { s.Adopted = false })
	d.eventually("docs", "in sync", isState(report.InSync))
	removed := make(chan int, 1)
	go func() {
		code, _, _ := d.ask("DELETE", "/v1/workspaces/docs", "")
		removed <- code
	}()
	next(t, "the request to end", m.ended)
	m.send(t, m.first.Barrier, "one", nil) // adopted
	m.send(t, m.first.Barrier, "one", nil) // the one before was taken in
	if s := d.status(); len(s.Workspaces) != 0 {
		t.Errorf("the status is %+v", s)
	}
	code, e := d.refused("POST", "/v1/workspaces", api.AddWorkspace{Name: "docs", LocalPath: filepath.Join(d.home, "docs")})
	if code != http.StatusConflict || !strings.Contains(e.Message, "still ending") || e.Hint == "" {
		t.Errorf("adding the name again: %d %+v", code, e)
	}
	select {
	case <-removed:
		t.Error("the answer came before the monitor was gone")
	default:
	}
	m.exit(nil)
	if code := next(t, "the answer", removed); code != http.StatusOK {
		t.Errorf("removed: %d", code)
	}
	d.noMonitor()
	if file := d.file(); len(file) != 0 {
		t.Errorf("the file has %+v", file)
	}
	d.add("docs")
}

func TestOwnFiles(t *testing.T) {
	home := newHome(t)
	d := &Daemon{settings: loadSettings(t, home)}
	if err := os.Symlink(".wsync", filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{
		"/": true, home: true, home + "/.wsync": true, home + "/link": true,
		home + "/bin": false, home + "/.wsync/run": false, home + "/nothing": false,
	} {
		if got := d.ownFilesIn(dir); got != want {
			t.Errorf("own files in %s: %v", dir, got)
		}
	}
}

func TestSilentNotes(t *testing.T) {
	got := silentNotes([]filesystem.Mount{{Path: "/w", Type: "nfs4"}, {Path: "/w/m", Type: "fuse.sshfs"}}, 10*time.Second)
	want := []string{
		"/w is on nfs4, which does not tell of changes that are made elsewhere: they are looked for every 10s (PollInterval)",
		"/w/m is on fuse.sshfs, which does not tell of changes that are made elsewhere: they are looked for every 10s (PollInterval)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
