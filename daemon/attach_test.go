package daemon

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// attachment is how a request to attach ended.
type attachment struct {
	code int
	api.Error
	api.WorkspaceStatus
}

// startAttach attaches a remote, and returns the answer when its fate is decided.
func (d *testDaemon) startAttach(workspace, remote string) <-chan attachment {
	d.t.Helper()
	return d.startAttachFor(workspace, remote, time.Hour)
}

func (d *testDaemon) startAttachFor(workspace, remote string, settle time.Duration) <-chan attachment {
	d.t.Helper()
	result := make(chan attachment, 1)
	body := encode(d.t, api.AttachRemote{Remote: d.local(remote, "to-"+remote), Settle: settle})
	go func() {
		var a attachment
		var data []byte
		a.code, _, data = d.ask("POST", "/v1/workspaces/"+workspace+"/remotes", body)
		into := any(&a.WorkspaceStatus)
		if a.code != http.StatusOK {
			into = &a.Error
		}
		if err := json.Unmarshal(data, into); err != nil {
			d.t.Error(err)
		}
		result <- a
	}()
	return result
}

// inUse is what a monitor reports of a destination that holds something else.
func inUse(s *report.RemoteStatus) {
	s.State, s.Adopted = report.Halted, false
	s.Held = &report.Held{ID: "x", Count: 1, Sample: []string{"precious"}, Reason: "why"}
}

// isAttached reports whether the workspace file has a remote of docs.
func (d *testDaemon) isAttached(name string) bool {
	for _, r := range d.file()[0].Remotes {
		if r.Name == name {
			return true
		}
	}
	return false
}

// TestAttachRefused: a destination in use is not attached, and never was.
func TestAttachRefused(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	result := d.startAttach("docs", "one")
	m := d.monitor()
	m.send(t, m.first.Barrier, "one", func(s *report.RemoteStatus) { s.State, s.Adopted = report.Syncing, false })
	d.eventually("docs", "a look", isState(report.Syncing))
	if d.isAttached("one") {
		t.Error("it is in the file before it is decided")
	}
	m.send(t, m.first.Barrier, "one", inUse)
	a := next(t, "refusal", result)
	if a.code != http.StatusConflict || a.Kind != api.Held || a.Held == nil || a.Held.Sample[0] != "precious" || !strings.Contains(a.Hint, "--delete-existing") {
		t.Errorf("refused with %+v", a)
	}
	if d.isAttached("one") || len(d.status().Workspaces[0].Remotes) > 0 {
		t.Error("it is attached all the same")
	}
}

func TestAttachSettles(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	result := d.startAttach("docs", "one")
	m := d.monitor()
	m.send(t, m.first.Barrier, "one", nil)
	if a := next(t, "answer", result); a.code != http.StatusOK || a.Remotes[0].State != report.InSync || !d.isAttached("one") {
		t.Errorf("attached as %+v", a)
	}
	// One that is detached before it is decided is not attached.
	result = d.startAttach("docs", "two")
	m.defined(t, "two", func(d report.Definition) bool { return len(d.Workspace.Remotes) == 2 })
	call[struct{}](d, "DELETE", "/v1/workspaces/docs/remotes/two", nil)
	if a := next(t, "answer", result); a.Kind != api.Conflict || d.isAttached("two") {
		t.Errorf("attached as %+v", a)
	}
}

// TestAttachRefusedLate: a host that is slow to tell what its destination holds is
// waited for a while longer, one that is known to be free is not.
func TestAttachRefusedLate(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	result := d.startAttachFor("docs", "one", time.Nanosecond)
	m := d.monitor()
	m.send(t, m.first.Barrier, "one", func(s *report.RemoteStatus) { s.State, s.Adopted = report.Syncing, false })
	m.send(t, m.first.Barrier, "one", inUse)
	if a := next(t, "answer", result); a.Kind != api.Held || d.isAttached("one") {
		t.Errorf("attached as %+v", a)
	}
	result = d.startAttachFor("docs", "two", time.Nanosecond)
	m = d.monitor()
	m.send(t, m.first.Barrier, "two", func(s *report.RemoteStatus) { s.State = report.Syncing })
	if a := next(t, "answer", result); a.code != http.StatusOK || a.Remotes[0].State != report.Syncing || !d.isAttached("two") {
		t.Errorf("attached as %+v", a)
	}
}

// TestAttachWithoutClient: a client that is killed leaves nothing half-attached.
func TestAttachWithoutClient(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	ctx, leave := context.WithCancel(t.Context())
	body := encode(t, api.AttachRemote{Remote: d.local("one", "to-one"), Settle: time.Hour})
	req, err := http.NewRequestWithContext(ctx, "POST", "http://wsync/v1/workspaces/docs/remotes", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan error, 1)
	go func() {
		resp, err := d.httpClient().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		left <- err
	}()
	m := d.monitor()
	leave()
	if err := next(t, "end of the client", left); err == nil {
		t.Error("the client did not leave")
	}
	m.send(t, m.first.Barrier, "one", inUse)
	d.eventually("docs", "the refusal", func(s api.WorkspaceStatus) bool { return len(s.Remotes) == 0 })
	if d.isAttached("one") {
		t.Error("it is attached all the same")
	}
}
