package cli

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"wsync/client/live"
	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// A board has the worst first, whatever workspace it is of, and nothing in it can steer a
// terminal or begin a line.
func TestBoard(t *testing.T) {
	p, _ := testPrinter()
	places := somePlaces()
	evil := "a\x1b[2J\nb\u202e"
	places[0].Remotes[0].Verified = &report.Verification{Open: 2, Ended: now}
	places[0].Remotes[2].Error, places[0].Remotes[2].Hint, places[0].Remotes[2].ErrorPath = evil, evil, evil
	places[0].Remotes[1].Held.Reason = evil
	places[0].Workspace.Remotes[1].RemotePath = "/" + evil
	places[2].Halted.Reason = evil
	b := p.asOf(now).board(&api.Status{Daemon: api.DaemonStatus{LogProblem: evil}, Workspaces: places})
	var names []string
	for _, row := range b.Rows {
		names = append(names, row.Key().String()+" "+row.Standing+" "+string(row.Level))
		for _, text := range append(row.Details(), row.Destination, row.State, row.Since, row.Pending, row.Rate, row.Problem, row.Hint) {
			if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %q", row.Key(), text)
			}
		}
	}
	if want := []string{"sad/r failed bad", "docs/disk held bad", "docs/far failing bad", "docs/nas different busy", "new no remotes off"}; !slices.Equal(names, want) {
		t.Errorf("rows %q, want %q", names, want)
	}
	if b.Summary != "3 workspaces, 4 remotes: 1 failed, 1 held, 1 failing, 1 different" || len(b.Notes) != 1 || strings.ContainsAny(b.Notes[0], "\x1b\n") {
		t.Errorf("%q, %q", b.Summary, b.Notes)
	}
	if far := b.Rows[2]; far.State != "retry in 2s" || far.Pending != "1" || far.Rate != "600.0 kB/s" || far.ErrorPath != evil {
		t.Errorf("%+v", far)
	}
}

// What passes within seconds moves no row.
func TestBoardKeepsOrder(t *testing.T) {
	p, _ := testPrinter()
	for _, test := range []struct {
		status report.RemoteStatus
		want   report.Standing
	}{
		{report.RemoteStatus{State: report.Syncing, OldestPending: before(time.Second)}, report.StandsInSync},
		{report.RemoteStatus{State: report.Syncing, OldestPending: before(time.Minute)}, report.StandsBehind},
		{report.RemoteStatus{State: report.Starting}, report.StandsBehind},
		{report.RemoteStatus{State: report.Syncing, OldestPending: before(time.Second), Error: "no"}, report.StandsFailing},
	} {
		if got := p.order(test.status); got != test.want {
			t.Errorf("%+v: %s, want %s", test.status, got, test.want)
		}
	}
}

// A line tells of each change, but for what passes within moments or counts.
func TestChanges(t *testing.T) {
	said := make(spoken)
	place := api.WorkspaceStatus{Workspace: config.Workspace{Name: "w"}}
	steps := []struct {
		status report.RemoteStatus
		want   string
	}{
		{report.RemoteStatus{State: report.Starting}, "w/r  starting"},
		{report.RemoteStatus{State: report.Pending, Pending: 1}, "w/r  sending"},
		{report.RemoteStatus{State: report.Syncing, Pending: 3}, ""},
		{report.RemoteStatus{State: report.Confirming}, "w/r  in sync"},
		{report.RemoteStatus{State: report.InSync}, ""},
		{report.RemoteStatus{State: report.Offline, Error: "no\nroute\x1b", NextRetry: before(-time.Second)}, `w/r  offline: no route\x1b`},
		{report.RemoteStatus{State: report.Offline, Error: "no\nroute\x1b", NextRetry: before(-time.Minute)}, ""},
		{report.RemoteStatus{State: report.Halted, Held: &report.Held{Count: 3, Reason: "many"}}, "w/r  halted: 3 deletions: many"},
	}
	for _, step := range steps {
		step.status.Name = "r"
		place.Remotes = []report.RemoteStatus{step.status}
		if got := strings.Join(said.lines([]api.WorkspaceStatus{place}), "\n"); got != step.want {
			t.Errorf("%+v: %q, want %q", step.status, got, step.want)
		}
	}
	place.Remotes = nil
	if got := said.lines([]api.WorkspaceStatus{place}); !slices.Equal(got, []string{"w  no remotes yet", "w/r  is not there any more"}) {
		t.Errorf("%q", got)
	}
}

// What commands print comes in lines, and how far they are apart from it.
func TestSaying(t *testing.T) {
	var lines, progress []string
	b := &liveBackend{command: &command{printer: &printer{now: func() time.Time { return now }}}}
	c := b.saying(live.Output{Line: func(s string) { lines = append(lines, s) }, Progress: func(s string) { progress = append(progress, s) }})
	c.print("a")
	c.print("b\nc\n")
	l := c.progressLine()
	l.show("w/r", []part{{essential, "3 files"}})
	c.note("d")
	l.clear()
	if !slices.Equal(lines, []string{"ab", "c", "wsync: d"}) || !slices.Equal(progress, []string{"w/r: 3 files", ""}) {
		t.Errorf("lines %q, progress %q", lines, progress)
	}
}

func TestMomentText(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Hour: "15:04:05", 48 * time.Hour: "Jan _2 15:04"} {
		if got := momentText(now.Add(-d), now); got != now.Add(-d).Local().Format(want) {
			t.Errorf("%v: %s", d, got)
		}
	}
}

func TestLatencyText(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	for want, latencies := range map[string][]time.Duration{
		"1.5 ms": {ms(1.5)},
		"12 ms, the last 3 changes 0.8 ms to 4.0 s": {ms(0.84), ms(4000), ms(12)},
		"75s, the last 2 changes 2.0 ms to 75s":     {ms(2), ms(75_000)},
	} {
		if got := latencyText(latencies); got != want {
			t.Errorf("%v: %s, want %s", latencies, got, want)
		}
	}
}
