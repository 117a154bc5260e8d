package daemon

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// TestTrial: what only a trial tells is tried out by the monitor, and set or refused by
// what that says; then nobody asks for it any more.
func TestTrial(t *testing.T) {
	for name, test := range map[string]struct {
		end    report.TrialStatus
		state  report.State
		status int
		said   string
	}{
		"it can":       {end: report.TrialStatus{}, status: http.StatusOK},
		"it cannot":    {end: report.TrialStatus{Refused: "it does not know", Hint: "do this"}, status: http.StatusConflict, said: "it does not know"},
		"nobody knows": {end: report.TrialStatus{Unknown: "it is busy"}, status: http.StatusOK, said: "nobody knows yet whether one can do that: it is busy"},
		"offline":      {state: report.Offline, status: http.StatusOK, said: "it cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t)
			d.add("docs")
			d.attach("docs", "one")
			m := d.monitor()
			m.send(t, m.first.Barrier, "one", nil)
			answer := httptest.NewRecorder()
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				d.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "POST", "/v1/workspaces/docs/options?remote=one",
					strings.NewReader(`{"options":[{"name":"owner","value":"somebody"}]}`)))
			}()
			asked := m.defined(t, "a trial", func(d report.Definition) bool { return len(d.Trials) == 1 })
			if got := asked.Trials[0].Remote; got.ID != asked.Workspace.Remotes[0].ID || got.Owner != "somebody" || asked.Workspace.Remotes[0].Owner != config.WhoseAuto {
				t.Errorf("tries out %+v", got)
			}
			m.send(t, asked.Barrier, "one", func(s *report.RemoteStatus) {
				if test.state != "" {
					s.State = test.state
					return
				}
				test.end.ID = asked.Trials[0].ID
				s.Trials = []report.TrialStatus{{ID: "another's", Refused: "no"}, test.end}
			})
			next(t, "the end of the request", answered)
			last := m.defined(t, "none any more", func(d report.Definition) bool { return len(d.Trials) == 0 })
			if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.said) {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
			if test.status == http.StatusOK {
				last = m.defined(t, "the option", func(d report.Definition) bool { return d.Workspace.Remotes[0].Owner != config.WhoseAuto })
			}
			if got := last.Workspace.Remotes[0].Owner == "somebody"; got != (test.status == http.StatusOK) {
				t.Errorf("the owner is %q", last.Workspace.Remotes[0].Owner)
			}
			if test.status != http.StatusOK {
				var refused api.Error
				if err := json.Unmarshal(answer.Body.Bytes(), &refused); err != nil || refused.Hint != test.end.Hint {
					t.Errorf("%s: %v", answer.Body, err)
				}
			}
		})
	}
}
