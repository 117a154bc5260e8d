package daemon

import (
	"testing"

	"wsync/config"
	"wsync/monitor/report"
)

func TestHint(t *testing.T) {
	const root = "bring the directory back, readable, and mirroring goes on by itself; if another one is there now and is meant: wsync approve docs"
	held := &report.Held{ID: "h1", Count: 7}
	for _, test := range []struct {
		name   string
		halted bool
		status report.RemoteStatus
		want   string
	}{
		{"nothing", false, report.RemoteStatus{State: report.InSync}, ""},
		{"the monitor's", false, report.RemoteStatus{State: report.Offline, Hint: "look"}, "look"},
		{"held", false, report.RemoteStatus{State: report.Halted, Held: held, Adopted: true, Hint: "of an earlier failure"},
			"if this is meant: wsync approve docs disk; if not: restore the files, then wsync resume docs disk"},
		{"unmounted", false, report.RemoteStatus{State: report.Halted, Held: &report.Held{Unmounted: []string{"m"}}, Adopted: true},
			"mount it again, and mirroring goes on by itself; if what was there may go: wsync approve docs disk"},
		{"a destination in use", false, report.RemoteStatus{State: report.Halted, Held: held},
			"if what is there may go: wsync approve docs disk; if not: wsync detach docs disk, or move it away, then wsync resume docs disk"},
		{"no directory", true, report.RemoteStatus{State: report.Halted, Adopted: true, Hint: "of an earlier failure"}, root},
		{"no directory, and held", true, report.RemoteStatus{State: report.Halted, Adopted: true, Held: held}, root},
	} {
		e := &entry{workspace: config.Workspace{Name: "docs"}, report: new(report.Report)}
		if test.halted {
			e.report.Halted = new(report.Halt)
		}
		test.status.Name = "disk"
		if got := e.hint(test.status); got != test.want {
			t.Errorf("%s: %q, expected %q", test.name, got, test.want)
		}
	}
}
