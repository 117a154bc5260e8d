package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wsync/config"
	"wsync/config/logfile"
	"wsync/daemon/api"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing arrived", what)
	}
	panic("not reached")
}

// testDaemon is a daemon with fake monitors that listens on a real socket.
type testDaemon struct {
	*Daemon
	t           *testing.T
	home        string
	launched    chan *fakeMonitor // each that was started
	launchError chan error        // what the next starts fail with
	ended       chan error        // what serve returned
	stopOnce    sync.Once
}

// TestMain gives all daemons one environment: an rsync and an ssh in PATH, a home
// directory, and no agent.
func TestMain(m *testing.M) {
	remotetest.WaitTogether()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) (code int) {
	home, err := makeHome()
	defer os.RemoveAll(home)
	err = errors.Join(err,
		os.Setenv("PATH", filepath.Join(home, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH")),
		os.Setenv("HOME", home), os.Setenv("SSH_AUTH_SOCK", ""))
	if err != nil {
		println(err.Error())
		return 1
	}
	return m.Run()
}

// makeHome makes a directory with a short name, as a socket needs it, that has an rsync
// and an ssh in bin.
func makeHome() (home string, err error) {
	if home, err = os.MkdirTemp("", "wsd"); err == nil {
		err = os.Mkdir(filepath.Join(home, "bin"), 0o755)
	}
	for _, program := range []string{"rsync", "ssh"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(home, "bin", program), []byte("#!/bin/sh\n"), 0o755))
	}
	return home, err
}

// newHome makes a home directory for a test.
func newHome(t *testing.T) string {
	t.Helper()
	home, err := makeHome()
	t.Cleanup(func() { os.RemoveAll(home) })
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// loadSettings are the settings in a home; the workspace file is in a
// directory of its own.
func loadSettings(t *testing.T, home string) config.Settings {
	t.Helper()
	settings, err := config.LoadSettings(func(name string) string { return map[string]string{"HOME": home}[name] })
	if err != nil {
		t.Fatal(err)
	}
	settings.LogLevel = "debug"
	settings.WorkspaceConfigFilePath = filepath.Join(home, "state", "workspaces.json")
	settings.RestartLimit = 2
	if err := settings.MakeDirectories(); err != nil {
		t.Fatal(err)
	}
	return settings
}

// startDaemon starts a daemon in a new home. No two tests do so at once: what anybody
// makes while a daemon makes its socket has the mode of that.
func startDaemon(t *testing.T) *testDaemon {
	t.Helper()
	return startDaemonIn(t, newHome(t))
}

func startDaemonIn(t *testing.T, home string) *testDaemon {
	t.Helper()
	settings := loadSettings(t, home)
	workspaces, err := config.LoadWorkspaces(settings.WorkspaceConfigFilePath)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := listen(settings.DaemonCommandSocketPath)
	if err != nil {
		t.Fatal(err)
	}
	log, file := logfile.Open(settings.DaemonLogPath(), settings.LogMaxSize, settings.LogLevel)
	ctx, cancel := context.WithCancel(context.Background())
	d := &testDaemon{
		t:           t,
		home:        home,
		launched:    make(chan *fakeMonitor, 1000),
		launchError: make(chan error, 1000),
		ended:       make(chan error, 1),
	}
	d.Daemon = &Daemon{
		log:      log,
		logFile:  file,
		settings: settings,
		version:  "test",
		since:    time.Now(),
		stop:     cancel,
		launch:   d.launcher(),
		entries:  make(map[string]*entry),
		leaving:  make(map[string]bool),
		changed:  make(chan struct{}),
	}
	d.lock = watchdog.NewLock(log, func(reason string) { t.Errorf("fatal: %s", reason) })
	d.restore(workspaces)
	go func() { d.ended <- d.serve(ctx, listener) }()
	t.Cleanup(d.end)
	return d
}

// end ends the daemon as Run does.
func (d *testDaemon) end() {
	d.stopOnce.Do(func() {
		d.stop()
		if err := next(d.t, "end", d.ended); err != nil {
			d.t.Error(err)
		}
		d.Daemon.close()
		d.logFile.Close()
	})
}

func (d *testDaemon) launcher() watchdog.Launch {
	var count atomic.Int64
	return func(definition report.Definition) (watchdog.Process, error) {
		select {
		case err := <-d.launchError:
			return nil, err
		default:
		}
		m := &fakeMonitor{
			workspace:   definition.Workspace.Name,
			pid:         1_000_000 + int(count.Add(1)),
			definitions: make(chan report.Definition, 10_000),
			reports:     make(chan report.Report), // a send returns when the supervisor has it
			exited:      make(chan error, 1),
			ended:       make(chan struct{}, 1),
			first:       definition,
			last:        definition,
		}
		d.launched <- m
		return m, nil
	}
}

// monitor waits for the next start of a monitor.
func (d *testDaemon) monitor() *fakeMonitor {
	d.t.Helper()
	return next(d.t, "start of a monitor", d.launched)
}

// noMonitor expects that none was started.
func (d *testDaemon) noMonitor() {
	d.t.Helper()
	select {
	case m := <-d.launched:
		d.t.Errorf("a monitor of %s was started", m.workspace)
	default:
	}
}

// eventually waits until a workspace's status is as wanted.
func (d *testDaemon) eventually(workspace, what string, met func(api.WorkspaceStatus) bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var last api.WorkspaceStatus
	if !d.until(ctx, func() bool {
		e, ok := d.entries[workspace]
		if !ok {
			return false
		}
		last = d.workspaceStatus(e)
		return met(last)
	}) {
		d.t.Fatalf("%s did not happen: %+v", what, last)
	}
}

// barrier is what the first remote has reached, which the status does not tell. It is called
// by those that eventually asks.
func (d *testDaemon) barrier(s api.WorkspaceStatus) uint64 {
	return d.remoteStatus(d.entries[s.Workspace.Name], s.Workspace.Remotes[0]).Barrier
}

// isState reports whether all remotes are in a state.
func isState(state report.State) func(api.WorkspaceStatus) bool {
	return func(s api.WorkspaceStatus) bool {
		for _, r := range s.Remotes {
			if r.State != state {
				return false
			}
		}
		return true
	}
}

func (d *testDaemon) httpClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.settings.DaemonCommandSocketPath)
		},
	}}
}

// ask sends a request; body is JSON, "" for none.
func (d *testDaemon) ask(method, path, body string, header ...string) (int, http.Header, []byte) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://wsync"+path, strings.NewReader(body))
	if err != nil {
		d.t.Error(err)
		return 0, nil, nil
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := d.httpClient().Do(req)
	if err != nil {
		d.t.Errorf("%s %s: %v", method, path, err)
		return 0, nil, nil
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Errorf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, resp.Header, data
}

// call sends a request that must succeed, and decodes the answer.
func call[T any](d *testDaemon, method, path string, body any) T {
	d.t.Helper()
	var answer T
	code, _, data := d.ask(method, path, encode(d.t, body))
	if code != http.StatusOK {
		d.t.Errorf("%s %s: %d %s", method, path, code, data)
		return answer
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		d.t.Errorf("%s %s: %v in %s", method, path, err, data)
	}
	return answer
}

// refused sends a request that must be refused.
func (d *testDaemon) refused(method, path string, body any) (int, api.Error) {
	d.t.Helper()
	code, header, data := d.ask(method, path, encode(d.t, body))
	var e api.Error
	if err := json.Unmarshal(data, &e); err != nil || code == http.StatusOK || e.Message == "" {
		d.t.Errorf("%s %s: %d %s, expected an error", method, path, code, data)
	}
	if got := header.Get("Content-Type"); got != "application/json" {
		d.t.Errorf("%s %s: the content type is %q", method, path, got)
	}
	return code, e
}

func encode(t *testing.T, body any) string {
	t.Helper()
	switch body := body.(type) {
	case nil:
		return ""
	case string:
		return body
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// add makes a directory and adds it as a workspace.
func (d *testDaemon) add(name string) api.WorkspaceStatus {
	d.t.Helper()
	write(d.t, filepath.Join(d.home, name, "file"), "")
	return call[api.WorkspaceStatus](d, "POST", "/v1/workspaces", api.AddWorkspace{Name: name, LocalPath: filepath.Join(d.home, name)})
}

// local is a remote below the home directory.
func (d *testDaemon) local(name, dest string) config.Remote {
	return config.Remote{Name: name, RemotePath: filepath.Join(d.home, dest), Connection: config.Connection{Local: &config.Local{}}}
}

// attach attaches a local remote whose destination has its name.
func (d *testDaemon) attach(workspace, remote string) api.WorkspaceStatus {
	d.t.Helper()
	return d.attachTo(workspace, remote, "to-"+workspace+"-"+remote)
}

func (d *testDaemon) attachTo(workspace, remote, dest string) api.WorkspaceStatus {
	d.t.Helper()
	return call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/"+workspace+"/remotes", api.AttachRemote{Remote: d.local(remote, dest)})
}

func (d *testDaemon) act(action api.Action, workspace, remote string) api.WorkspaceStatus {
	d.t.Helper()
	path := "/v1/workspaces/" + workspace + "/" + string(action)
	if remote != "" {
		path += "?remote=" + remote
	}
	return call[api.WorkspaceStatus](d, "POST", path, nil)
}

func (d *testDaemon) status() api.Status {
	d.t.Helper()
	return call[api.Status](d, "GET", "/v1/status", nil)
}

// startWait sends a request to wait. It returns when the daemon has placed the
// barriers, with their number in a workspace.
func (d *testDaemon) startWait(m *fakeMonitor, w api.Wait) (uint64, <-chan answerOfWait) {
	d.t.Helper()
	var before uint64
	d.lock.Do(func() { before = d.entries[m.workspace].barrier })
	result := make(chan answerOfWait, 1)
	body := encode(d.t, w)
	go func() {
		code, _, data := d.ask("POST", "/v1/wait", body)
		var a answerOfWait
		err := json.Unmarshal(data, &a.Error)
		if code == http.StatusOK {
			err = json.Unmarshal(data, &a.WaitResult)
		}
		a.code = code
		if err != nil {
			d.t.Errorf("wait: %v in %s", err, data)
		}
		result <- a
	}()
	barrier := m.defined(d.t, "a barrier", func(d report.Definition) bool { return d.Barrier > before }).Barrier
	return barrier, result
}

// answerOfWait is the answer to a request to wait.
type answerOfWait struct {
	code int
	api.WaitResult
	api.Error
}

// pending expects that a wait goes on. It first makes sure that the daemon has
// taken in all that was reported.
func (d *testDaemon) pending(what string, result <-chan answerOfWait) {
	d.t.Helper()
	d.status()
	select {
	case a := <-result:
		d.t.Fatalf("%s: the wait ended with %+v", what, a)
	default:
	}
}

func (d *testDaemon) expectWait(result <-chan answerOfWait, inSync, timedOut bool, behind ...string) {
	d.t.Helper()
	a := next(d.t, "end of a wait", result)
	var names []string
	for _, b := range a.Behind {
		names = append(names, b.Workspace+"/"+b.Remote.Name)
	}
	if a.code != http.StatusOK || a.InSync != inSync || a.TimedOut != timedOut || strings.Join(names, " ") != strings.Join(behind, " ") {
		d.t.Fatalf("the wait ended with %+v, expected in sync %v, timed out %v, behind %v", a, inSync, timedOut, behind)
	}
}

// file is the workspace file.
func (d *testDaemon) file() []config.Workspace {
	d.t.Helper()
	workspaces, err := config.LoadWorkspaces(d.settings.WorkspaceConfigFilePath)
	if err != nil {
		d.t.Fatal(err)
	}
	return workspaces
}

func (d *testDaemon) logged() []map[string]any {
	d.t.Helper()
	data, err := os.ReadFile(d.settings.DaemonLogPath())
	if err != nil {
		d.t.Fatal(err)
	}
	var all []map[string]any
	for line := range bytes.Lines(data) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			d.t.Fatalf("%v in %s", err, line)
		}
		all = append(all, fields)
	}
	return all
}

var errForTest = errors.New("for the test")

// sameJSON reports whether two values are the same for a client.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
