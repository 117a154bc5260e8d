package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestTransferParts(t *testing.T) {
	for _, test := range []struct {
		transfer report.Transfer
		want     string
	}{
		{report.Transfer{}, ""},
		{report.Transfer{Looking: true}, "looking"},
		{report.Transfer{Looking: true, Looked: 1, Found: 3}, "looking, 1 entry seen, 3 files to send so far"},
		{report.Transfer{Files: 3, Bytes: 1_234_567, Path: "media/film"}, "3 files, 1.2 MB, now media/film"},
		{report.Transfer{TotalFiles: 1, TotalBytes: 2e9, Bytes: 1e9, Path: "a\x1b[2J"}, `0 of 1 file, 1.0 GB of 2.0 GB, now a\x1b[2J`},
		{
			report.Transfer{Files: 7, TotalFiles: 9, Bytes: 1000, TotalBytes: 5000, Rate: 20_100_000, Remaining: 90 * time.Second, Path: "x"},
			"7 of 9 files, 1.0 kB of 5.0 kB, 20.1 MB/s, 90s left, now x",
		},
		{report.Transfer{Files: 9, TotalFiles: 9, Bytes: 10, TotalBytes: 10, Path: "x"}, "9 of 9 files, 10 B of 10 B"},
	} {
		if got := joinParts(transferParts(&test.transfer)); got != test.want {
			t.Errorf("%+v:\n%s\nwant:\n%s", test.transfer, got, test.want)
		}
	}
	c := report.ComparisonStatus{Files: 1, TotalFiles: 4, Bytes: 1, TotalBytes: 8, Rate: 1, Remaining: 7 * time.Second}
	if got := joinParts(comparisonParts(&c)); got != "compared, 1 of 4 files, 1 B of 8 B, 1 B/s, 7s left" {
		t.Error(got)
	}
	c.Error = "nothing listens there"
	if got := joinParts(comparisonParts(&c)); got != "1 of 4 files compared, tried again, nothing listens there" {
		t.Error(got)
	}
	if got := joinParts(comparisonParts(new(report.ComparisonStatus))); got != "looking" {
		t.Error(got)
	}
}

// The line has room on every terminal: the file goes first, the bytes go last.
func TestFitted(t *testing.T) {
	parts := transferParts(&report.Transfer{
		Files: 7, TotalFiles: 9, Bytes: 1000, TotalBytes: 5000, Rate: 20_100_000, Remaining: 90 * time.Second, Path: "some/where/far/down/in/the/tree",
	})
	for _, test := range []struct {
		width int
		want  string
	}{
		{200, "docs/web: 7 of 9 files, 1.0 kB of 5.0 kB, 20.1 MB/s, 90s left, now some/where/far/down/in/the/tree"},
		{80, "docs/web: 7 of 9 files, 1.0 kB of 5.0 kB, 20.1 MB/s, 90s left, now some/where/f…"},
		{70, "docs/web: 7 of 9 files, 1.0 kB of 5.0 kB, 20.1 MB/s, 90s left"},
		{60, "docs/web: 7 of 9 files, 1.0 kB of 5.0 kB, 90s left"},
		{40, "docs/web: 7 of 9 files, 1.0 kB of 5.0 kB"},
		{39, "docs/web: 1.0 kB of 5.0 kB"},
		{20, "docs/web"},
		{5, "docs…"},
		{1, "…"},
		{0, ""},
		{-1, ""},
	} {
		if got := fitted("docs/web", parts, test.width); got != test.want {
			t.Errorf("%d columns:\n%s\nwant:\n%s", test.width, got, test.want)
		}
	}
	wide := []part{{wordy, "now " + strings.Repeat("漢", 100)}, {essential, "1 B"}}
	for width := range 60 {
		if got := fitted("ws", wide, width); columns(got) > width {
			t.Errorf("%d columns: %q takes %d", width, got, columns(got))
		}
	}
}

// On a terminal one line is written anew and taken away; elsewhere lines are rare.
func TestProgressLine(t *testing.T) {
	out, at := new(bytes.Buffer), time.Now()
	p := &printer{err: out, now: func() time.Time { return at }}
	status := []api.WorkspaceStatus{{Workspace: config.Workspace{Name: "docs"}, Remotes: []report.RemoteStatus{
		{Name: "a"},
		{Name: "b", Transfer: &report.Transfer{Kind: "full pass", TotalFiles: 2, TotalBytes: 10}},
		{Name: "c", Transfer: &report.Transfer{Kind: "changes"}},
	}}}
	w := &waiting{command: &command{printer: p}, line: p.progressLine()}
	for range 25 {
		w.progress(status)
		at = at.Add(time.Second)
	}
	const line = "docs/b and 1 more: full pass, 0 of 2 files, 0 B of 10 B"
	if want := strings.Repeat("wsync: "+line+"\n", 2); out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
	out.Reset()
	p.rewrites = true
	w.progress(status)
	w.progress(status)
	w.progress(nil)
	w.line.clear()
	if want := strings.Repeat("\r"+line+"\x1b[K", 2) + "\r\x1b[K"; out.String() != want {
		t.Errorf("got %q, want %q", out, want)
	}
}
