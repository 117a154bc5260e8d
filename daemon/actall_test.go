package daemon

import (
	"net/http"
	"slices"
	"testing"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// TestActAll: what is refused for one workspace keeps an action from no other, and what
// has no meaning for one is no refusal.
func TestActAll(t *testing.T) {
	d := startDaemon(t)
	d.add("bare")
	d.add("docs")
	d.attach("docs", "one")
	docs := d.monitor()
	d.add("code")
	d.attach("code", "one")
	code := d.monitor()
	act := func(action api.Action, done, refused []string) api.Acted {
		t.Helper()
		acted := call[api.Acted](d, "POST", "/v1/actions/"+string(action), nil)
		var isDone, isRefused []string
		for _, s := range acted.Done {
			isDone = append(isDone, s.Workspace.Name)
		}
		for _, r := range acted.Refused {
			isRefused = append(isRefused, r.Workspace)
		}
		if !slices.Equal(isDone, done) || !slices.Equal(isRefused, refused) {
			t.Errorf("%s: done for %q, refused for %q, expected %q and %q", action, isDone, isRefused, done, refused)
		}
		return acted
	}
	act(api.Resync, []string{"docs", "code"}, nil)
	d.act(api.Pause, "code", "")
	if acted := act(api.Resync, []string{"docs"}, []string{"code"}); acted.Refused[0].Error.Hint != "wsync resume code" {
		t.Errorf("refused with %+v", acted.Refused[0].Error)
	}
	act(api.Pause, []string{"bare", "docs", "code"}, nil)
	act(api.Resume, []string{"bare", "docs", "code"}, nil)
	for _, w := range d.file() {
		if w.Paused || slices.ContainsFunc(w.Remotes, func(r config.Remote) bool { return r.Paused }) {
			t.Errorf("%+v is paused", w)
		}
	}

	status, _, _ := d.ask("POST", "/v1/actions/approve", "")
	if status != http.StatusConflict {
		t.Errorf("nothing is held, and the answer is %d", status)
	}
	hold := func(m *fakeMonitor, id string) {
		last := m.defined(t, "the resumption", func(d report.Definition) bool { return d.Orders["one"].Retry == 1 })
		m.send(t, last.Barrier, "one", func(s *report.RemoteStatus) {
			s.State, s.Held = report.Halted, &report.Held{ID: id, Count: 7, Reason: "why"}
		})
	}
	hold(docs, "h1")
	d.eventually("docs", "held", isState(report.Halted))
	acted := act(api.Approve, []string{"docs"}, nil)
	if a := acted.Done[0].Approved; len(a) != 1 || a[0].Remote != "one" || a[0].Held.ID != "h1" {
		t.Errorf("approved %+v", a)
	}
	docs.defined(t, "the approval", func(d report.Definition) bool { return d.Orders["one"].Approve == "h1" })
	hold(code, "h2")
	d.eventually("code", "held", isState(report.Halted))
	act(api.Approve, []string{"docs", "code"}, nil)

	for _, action := range []string{"restart", "nonsense"} {
		if status, _, _ := d.ask("POST", "/v1/actions/"+action, ""); status != http.StatusNotImplemented {
			t.Errorf("%s of all: %d", action, status)
		}
	}
}
