package daemon

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

const openPath = "/v1/workspaces/docs/open"

// TestListOpen: what the monitor has listed of each remote is told, after how that stands,
// and then nobody wants it any more.
func TestListOpen(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	if status, _ := d.refused("POST", openPath, api.ListOpen{Remote: "none"}); status != http.StatusNotFound {
		t.Errorf("of no remote: %d", status)
	}
	m := d.monitor()
	m.send(t, m.first.Barrier, "one two", nil)
	answer := httptest.NewRecorder()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		d.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "POST", openPath, strings.NewReader(`{}`)))
	}()
	definition := m.defined(t, "two listings", func(d report.Definition) bool { return len(d.Listings) == 2 })
	file := report.ComparisonPath(definition.Settings.RunDirectory, definition.Listings[0].ID)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, file, `{"path":"a<b","state":"pending"}`+"\n"+`{"path":"c","state":"failing"}`+"\n")
	m.send(t, definition.Barrier, "one two", func(s *report.RemoteStatus) {
		s.State = report.Pending
		if s.Name == "one" {
			s.Listings = []report.ListingStatus{{ID: definition.Listings[0].ID}}
			return
		}
		s.Listings = []report.ListingStatus{{ID: definition.Listings[1].ID, Error: "why"}}
	})
	next(t, "the end of the request", answered)
	m.defined(t, "none any more", func(d report.Definition) bool { return len(d.Listings) == 0 })
	var got []string
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		var line api.Open
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		switch {
		case line.Status != nil:
			got = append(got, line.Remote+" "+string(line.Status.State))
		case line.Path != nil:
			got = append(got, line.Remote+" "+line.Path.Path+" "+string(line.Path.State))
		case line.End:
			got = append(got, "end")
		default:
			got = append(got, line.Remote+" "+line.Error)
		}
	}
	if got, want := strings.Join(got, "; "), "one pending; one a<b pending; one c failing; two pending; two why; end"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
