package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// The list takes no more room than there is, and states are whole.
func TestListFits(t *testing.T) {
	far, err := config.ParseDestination("/x")
	if err != nil {
		t.Fatal(err)
	}
	far.Name, far.RemotePath = "a-remote-with-a-name-that-is-long", "/"+strings.Repeat("日本/", 40)+"end\x1b[2J"
	places := append(somePlaces(), api.WorkspaceStatus{
		Workspace: config.Workspace{Name: "far", LocalPath: "/e\u0301tude/" + strings.Repeat("x", 300), Remotes: []config.Remote{far}},
		Remotes:   []report.RemoteStatus{{Name: far.Name, State: report.Offline, Since: *before(0), Error: strings.Repeat("no\nroute ", 40)}},
	})
	p, _ := testPrinter()
	for _, long := range []bool{false, true} {
		whole := p.listTable(places, long).text(0)
		if !strings.Contains(whole, strings.Repeat("日本/", 40)+`end\x1b[2J`) {
			t.Errorf("the list is not whole:\n%s", whole)
		}
		for _, room := range []int{140, 150, 200} {
			text := p.listTable(places, long).text(room)
			for line := range strings.Lines(text) {
				if got := widthOf(strings.TrimSuffix(line, "\n")); got > room {
					t.Errorf("%d columns of %d: %s", got, room, line)
				}
			}
			if !strings.Contains(text, "  offline, retrying now  ") || strings.Count(text, "…") < 2 || strings.Count(text, "\n") != 7 {
				t.Errorf("in %d columns:\n%s", room, text)
			}
		}
		if text := p.listTable(places, long).text(10); !strings.Contains(text, "offline, retrying now") {
			t.Errorf("the state is cut:\n%s", text)
		}
	}
}

func TestCutMiddle(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abcdefg", 7, "abcdefg"}, {"abcdefgh", 7, "abc…fgh"}, {"日本語日本語", 12, "日本語日本語"}, {"日本語日本語", 11, "日本…本語"},
		{"日本語日本語", 8, "日…語"}, {"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"}, {"abcde\u0301", 3, "a…e\u0301"}, {"abcde\u0301f", 3, "a…f"}, {"abc", 1, "…"},
	} {
		if got := cutMiddle(test.text, test.limit); got != test.want {
			t.Errorf("%q in %d: %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

// TestListFitsNarrow: where cutting is not enough, destinations go, and then verifications,
// and what is wrong stays.
func TestListFitsNarrow(t *testing.T) {
	places := somePlaces()
	at := *before(0)
	places[0].Remotes[0].Verified = &report.Verification{Ended: at.Add(-3 * 24 * time.Hour), Differences: 17, Open: 17}
	places[0].Remotes[0].State, places[0].Remotes[0].Error = report.Offline, strings.Repeat("no route ", 40)
	next := at.Add(14 * time.Second)
	places[0].Remotes[0].NextRetry = &next
	p, _ := testPrinter()
	for room, want := range map[int]string{80: "", 105: " VERIFIED ", 140: " DESTINATION .* VERIFIED "} {
		text := p.listTable(places, false).text(room)
		for line := range strings.Lines(text) {
			if got := widthOf(strings.TrimSuffix(line, "\n")); got > room {
				t.Errorf("%d columns of %d: %s", got, room, line)
			}
		}
		if !regexp.MustCompile(want).MatchString(text) || !strings.Contains(text, "offline, retrying in 14s") || !strings.Contains(text, "no rou") {
			t.Errorf("in %d columns:\n%s", room, text)
		}
	}
}
