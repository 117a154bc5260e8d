package daemon

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

const explainPath = "/v1/workspaces/docs/explain"

// TestExplain: each remote that is asked about answers with what it knows of this path,
// and then nobody asks any more.
func TestExplain(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	if status, _ := d.refused("POST", explainPath, api.Explain{Path: "a", Remote: "none"}); status != http.StatusNotFound {
		t.Errorf("of no remote: %d", status)
	}
	m := d.monitor()
	m.send(t, m.first.Barrier, "one two", nil)
	answer := httptest.NewRecorder()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "POST", explainPath, strings.NewReader(`{"path":"a/b","remote":"two"}`)))
	}()
	asked := m.defined(t, "a question", func(d report.Definition) bool { return len(d.Questions) == 1 })
	if got := asked.Questions[0].Name(); got != "a/b" {
		t.Errorf("asked about %q", got)
	}
	m.send(t, asked.Barrier, "one two", func(s *report.RemoteStatus) {
		s.Paths = []report.PathStatus{{ID: "another's", State: report.PathHeld}}
		if s.Name == "two" {
			s.Paths = append(s.Paths, report.PathStatus{ID: asked.Questions[0].ID, State: report.PathPending})
		}
	})
	next(t, "the end of the request", answered)
	m.defined(t, "none any more", func(d report.Definition) bool { return len(d.Questions) == 0 })
	var got api.WorkspaceStatus
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", answer.Body, err)
	}
	if len(got.Remotes) != 1 || len(got.Remotes[0].Paths) != 1 || got.Remotes[0].Paths[0].State != report.PathPending {
		t.Errorf("%+v", got.Remotes)
	}
}
