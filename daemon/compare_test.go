package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

const comparePath = "/v1/workspaces/docs/compare"

// asksToCompare reports whether a definition asks for so many comparisons.
func asksToCompare(n int) func(report.Definition) bool {
	return func(d report.Definition) bool { return len(d.Comparisons) == n }
}

// TestCompare: what the monitor has found of each remote is told, one after the other, and
// then nobody wants it any more.
func TestCompare(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	answer := httptest.NewRecorder()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "POST", comparePath, strings.NewReader(`{"checksum":true}`)))
	}()
	definition := m.defined(t, "two comparisons", asksToCompare(2))
	asked := make(map[string]report.Comparison)
	for _, c := range definition.Comparisons {
		for _, r := range definition.Workspace.Remotes {
			if r.ID == c.Remote && c.Checksum {
				asked[r.Name] = c
			}
		}
	}
	file := report.ComparisonPath(definition.Settings.RunDirectory, asked["one"].ID)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, file, `{"path":"a<b","kind":"new","state":"drift"}`+"\n"+`{"path":"c","kind":"delete","state":"held"}`+"\n")
	m.send(t, definition.Barrier, "one two", func(s *report.RemoteStatus) {
		status := report.ComparisonStatus{ID: asked[s.Name].ID, State: report.ComparisonDone, Summary: &report.ComparisonSummary{Differences: 2}}
		if s.Name == "two" {
			s.State, status = report.Paused, report.ComparisonStatus{ID: asked[s.Name].ID, State: report.ComparisonFailed, Error: "why", Hint: "how"}
		}
		s.Comparisons = []report.ComparisonStatus{status}
	})
	next(t, "the end of the request", answered)
	m.defined(t, "none any more", asksToCompare(0))
	var got []string
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		var line api.Compared
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		switch r := line.Result; {
		case line.Difference != nil:
			got = append(got, line.Remote+" "+line.Difference.Path)
		case r != nil && r.Summary != nil:
			got = append(got, line.Remote+" done "+string(r.State))
		case r != nil:
			got = append(got, line.Remote+" "+r.Error+" "+r.Hint+" "+string(r.State))
		case line.End:
			got = append(got, "end")
		}
	}
	if got, want := strings.Join(got, "; "), "one a<b; one c; one done in sync; two why how paused; end"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCompareIsSuspended: who interrupts a comparison of contents and asks for the same
// again finds it where it was; another is begun anew.
func TestCompareIsSuspended(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	ask := func(body string) (definition report.Definition, leave func() string) {
		ctx, cancel := context.WithCancel(t.Context())
		answer, answered := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(answered)
			d.handler().ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "POST", comparePath, strings.NewReader(body)))
		}()
		definition = m.defined(t, "a comparison", func(d report.Definition) bool {
			return slices.ContainsFunc(d.Comparisons, func(c report.Comparison) bool { return !c.Suspended })
		})
		return definition, func() string {
			cancel()
			next(t, "the end of the request", answered)
			return answer.Body.String()
		}
	}
	wanted := func(d report.Definition) report.Comparison {
		return d.Comparisons[slices.IndexFunc(d.Comparisons, func(c report.Comparison) bool { return !c.Suspended })]
	}
	isSuspended := func(n int) func(report.Definition) bool {
		return func(d report.Definition) bool {
			return len(d.Comparisons) == n && !slices.ContainsFunc(d.Comparisons, func(c report.Comparison) bool { return !c.Suspended })
		}
	}
	running := func(definition report.Definition, id string) {
		m.send(t, definition.Barrier, "one", func(s *report.RemoteStatus) {
			s.Comparisons = []report.ComparisonStatus{{ID: id, State: report.ComparisonRunning, Files: 7}}
		})
		d.until(t.Context(), func() bool {
			r := d.entries["docs"].report
			return r != nil && len(r.Remotes[0].Comparisons) == 1 && r.Remotes[0].Comparisons[0].ID == id
		})
	}

	definition, leave := ask(`{"checksum":true}`)
	first := wanted(definition)
	running(definition, first.ID)
	leave()
	m.defined(t, "it is suspended", isSuspended(1))

	definition, leave = ask(`{"checksum":true,"repair":true}`)
	if got := wanted(definition); got.ID == first.ID {
		t.Error("a comparison that repairs goes on with one that does not")
	}
	leave()
	m.defined(t, "one that had not begun is given up", isSuspended(1))

	definition, leave = ask(`{"checksum":true}`)
	if got := wanted(definition); got != first || len(definition.Comparisons) != 1 {
		t.Errorf("%+v, want %+v", definition.Comparisons, first)
	}
	if got := leave(); !strings.Contains(got, `"files":7`) || !strings.Contains(got, `"resumed":true`) {
		t.Errorf("%q does not say that it goes on", got)
	}
	m.defined(t, "it is suspended again", isSuspended(1))
}

// TestCompareClientLeaves: nobody compares for one who does not wait any more.
func TestCompareClientLeaves(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	if status, refused := d.refused("POST", comparePath, api.Compare{}); status != http.StatusConflict || refused.Message != noRemotes {
		t.Errorf("without remotes: %d, %v", status, refused)
	}
	d.attach("docs", "one")
	if status, _ := d.refused("POST", comparePath, api.Compare{Remote: "none"}); status != http.StatusNotFound {
		t.Errorf("of no remote: %d", status)
	}
	m := d.monitor()
	ctx, leave := context.WithCancel(t.Context())
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", comparePath, strings.NewReader("{}")))
	}()
	m.defined(t, "a comparison", asksToCompare(1))
	leave()
	m.defined(t, "none any more", asksToCompare(0))
	next(t, "the end of the request", answered)
}
