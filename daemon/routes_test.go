package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// TestRequestLog: an answer names its line in the log.
func TestRequestLog(t *testing.T) {
	d := startDaemon(t)
	seen := make(map[string]bool)
	for _, test := range []struct {
		method, path, message, level string
	}{
		{"POST", "/v1/wait", "Request done", "debug"},
		{"GET", "/v1/status", "Request done", "debug"},
		{"GET", "/v1/workspaces/nothing", "Request failed", "debug"},
		{"POST", "/v1/workspaces/nothing/pause", "Request failed", "warn"},
	} {
		_, header, _ := d.ask(test.method, test.path, "{}")
		if version := header.Get(api.VersionHeader); version != d.version {
			t.Errorf("%s %s: the version is %q, expected %q", test.method, test.path, version, d.version)
		}
		id := header.Get(api.RequestIDHeader)
		if id == "" || seen[id] {
			t.Errorf("%s %s: the request's number is %q", test.method, test.path, id)
		}
		seen[id] = true
		var found []map[string]any
		for _, line := range d.logged() {
			if line["request"] == id {
				found = append(found, line)
			}
		}
		if len(found) != 1 {
			t.Fatalf("%s %s: the log has %v", test.method, test.path, found)
		}
		line := found[0]
		if line["msg"] != test.message || line["level"] != test.level || line["method"] != test.method || line["path"] != test.path || line["took"] == nil {
			t.Errorf("%s %s: the line is %v", test.method, test.path, line)
		}
		if test.level == "warn" && !strings.Contains(fmt.Sprint(line["error"]), "nothing") {
			t.Errorf("the line does not say why: %v", line)
		}
	}
}

// TestClientLeaves: a client that does not wait any more is no failure of its request.
func TestClientLeaves(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	ctx, leave := context.WithCancel(t.Context())
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", api.WaitPath, strings.NewReader("{}")))
	}()
	m.defined(t, "a barrier", func(definition report.Definition) bool { return definition.Barrier > 1 })
	leave()
	next(t, "the end of the request", answered)
	var found []string
	for _, line := range d.logged() {
		if line["path"] == api.WaitPath {
			found = append(found, fmt.Sprint(line["level"], ": ", line["msg"]))
		}
	}
	if len(found) != 1 || found[0] != "debug: The client has left" {
		t.Errorf("the log has %q", found)
	}
}

// agent is a socket that somebody listens on until close.
func agent(t *testing.T, path string) (close func()) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return func() { listener.Close() }
}

func TestAuthSock(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	if m.first.SSHAuthSock != "" {
		t.Errorf("the agent is %q", m.first.SSHAuthSock)
	}
	path := func(name string) string { return filepath.Join(d.home, name) }
	closeA := agent(t, path("a"))
	defer agent(t, path("b"))()
	defer agent(t, path("c"))()
	dead := path("dead")
	if err := os.WriteFile(dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(method, route, offered string) string {
		t.Helper()
		header := []string{api.AuthSockHeader, offered}
		if offered == "" {
			header = nil
		}
		d.ask(method, route, `{"timeout":1}`, header...)
		var known string
		d.lock.Do(func() { known = d.authSock })
		return known
	}
	const status, wait, resync = "/v1/status", "/v1/wait", "/v1/workspaces/docs/resync"
	for _, test := range []struct {
		what, method, route, offered, want string
		before                             func()
	}{
		{"none offered", "POST", resync, "", "", nil},
		{"a dead one", "POST", resync, "dead", "", nil},
		{"the first, with a question", "GET", status, "a", "a", nil},
		{"another, with a question", "GET", status, "b", "a", nil},
		{"another, with a wait", "POST", wait, "b", "a", nil},
		{"another, with a command", "POST", resync, "b", "b", nil},
		{"back", "POST", resync, "a", "a", nil},
		{"none offered again", "POST", resync, "", "a", nil},
		{"a dead one for a living", "POST", resync, "dead", "a", nil},
		{"a dead one for a dead", "GET", status, "dead", "a", closeA},
		{"the known one is dead, with a question", "GET", status, "c", "c", nil},
	} {
		if test.before != nil {
			test.before()
		}
		offered := test.offered
		if offered != "" {
			offered = path(offered)
		}
		want := test.want
		if want != "" {
			want = path(want)
		}
		if got := ask(test.method, test.route, offered); got != want {
			t.Errorf("%s: the agent is %q, expected %q", test.what, got, want)
		}
	}
	m.defined(t, "the agent", func(d report.Definition) bool { return d.SSHAuthSock == path("c") })
	// The next monitor has it from the start.
	d.add("music")
	d.attach("music", "one")
	if m := d.monitor(); m.first.SSHAuthSock != path("c") {
		t.Errorf("the agent of a new monitor is %q", m.first.SSHAuthSock)
	}
}
