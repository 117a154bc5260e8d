package cli

import (
	"testing"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestCheckStatus(t *testing.T) {
	p, out := testPrinter()
	c := &command{printer: p}
	if err := c.checkStatus(somePlaces(), false); exitCode(err) != exitNotInSync {
		t.Errorf("exit code %d", exitCode(err))
	}
	check(t, out.String(), `sad/r  failed: failed after 5 restarts: signal: killed; try again: wsync restart sad
docs/disk  held, halted: 200 deletions: more than half of all entries are gone
docs/far  failing, retrying in 2s: x/y: Permission denied
`)
}

func TestCheckCode(t *testing.T) {
	held := report.RemoteStatus{State: report.Halted, Held: &report.Held{}}
	halted := report.RemoteStatus{State: report.Halted}
	fine := report.RemoteStatus{State: report.Confirming}
	tests := []struct {
		name    string
		remotes []report.RemoteStatus
		want    int
	}{
		{"none", nil, 0},
		{"in sync", []report.RemoteStatus{fine, {State: report.InSync}}, 0},
		{"behind", []report.RemoteStatus{fine, {State: report.Pending, Pending: 1}}, 4},
		{"not known yet", []report.RemoteStatus{{State: report.Starting}}, 4},
		{"paused", []report.RemoteStatus{{State: report.Paused}}, 4},
		{"differs", []report.RemoteStatus{{State: report.InSync, Verified: &report.Verification{Open: 1}}}, 4},
		{"held", []report.RemoteStatus{fine, held, halted}, 5},
		{"held, and one behind", []report.RemoteStatus{held, {State: report.Syncing}}, 4},
	}
	for _, test := range tests {
		if got := checkCode(problemsOf([]api.WorkspaceStatus{{Remotes: test.remotes}}, now)); got != test.want {
			t.Errorf("%s: exit code %d, want %d", test.name, got, test.want)
		}
	}
}
