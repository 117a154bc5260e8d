package daemon

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
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

// TestExplainAsks: with ask the remotes are asked what they have, all of them at once, also
// one that could not be reached last.
func TestExplainAsks(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	m.send(t, m.first.Barrier, "one two", nil)
	answer := httptest.NewRecorder()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "POST", explainPath, strings.NewReader(`{"path":"a","ask":true}`)))
	}()
	asked := m.defined(t, "a question", func(d report.Definition) bool { return len(d.Questions) == 1 })
	tell := func(s *report.RemoteStatus) {
		s.Paths = []report.PathStatus{{ID: asked.Questions[0].ID, State: report.PathEqual}}
		if s.Name == "one" {
			s.State, s.Error = report.Offline, "away"
		}
	}
	m.send(t, asked.Barrier, "one two", tell)
	trials := m.defined(t, "two looks", func(d report.Definition) bool { return len(d.Trials) == 2 }).Trials
	for _, trial := range trials {
		if !trial.Looks || trial.Path != "a" {
			t.Errorf("asked %+v", trial)
		}
	}
	m.send(t, asked.Barrier, "one two", func(s *report.RemoteStatus) {
		tell(s)
		i := slices.IndexFunc(trials, func(t report.Trial) bool { return t.Remote.Name == s.Name })
		s.Trials = []report.TrialStatus{{ID: trials[i].ID, Look: &report.Look{Unknown: "as " + s.Name}}}
	})
	next(t, "the end of the request", answered)
	m.defined(t, "none any more", func(d report.Definition) bool { return len(d.Trials) == 0 })
	var got api.WorkspaceStatus
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", answer.Body, err)
	}
	for _, r := range got.Remotes {
		if len(r.Paths) != 1 || r.Paths[0].Look == nil || r.Paths[0].Look.Unknown != "as "+r.Name {
			t.Errorf("%s: %+v", r.Name, r.Paths)
		}
	}
}
