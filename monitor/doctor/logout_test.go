package doctor

import (
	"strings"
	"testing"

	"wsync/monitor/report"
)

func TestJudgeLogout(t *testing.T) {
	const (
		unit    = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/wsync.service\n"
		older   = "2:cpu:/\n1:name=systemd:/user.slice/user-1000.slice/user@1000.service/wsync.service\n0::/\n"
		session = "0::/user.slice/user-1000.slice/session-c3.scope\n"
		system  = "0::/system.slice/wsync.service\n"
	)
	for _, test := range []struct {
		cgroup         string
		lingers, kills bool
		status         report.CheckStatus
		remedy         string
	}{
		{unit, true, true, report.CheckOK, ""},
		{unit, false, false, report.CheckWarn, "wsync service install --linger"},
		{older, false, false, report.CheckWarn, "wsync service install --linger"},
		{session, false, false, report.CheckOK, ""},
		{session, true, true, report.CheckWarn, "wsync service install --linger"},
		{system, false, true, report.CheckOK, ""},
		{"0::/\n", false, true, report.CheckOK, ""},
	} {
		status, found, remedy := judgeLogout(test.cgroup, test.lingers, test.kills)
		if status != test.status || !strings.Contains(remedy, test.remedy) || test.remedy == "" && remedy != "" {
			t.Errorf("%+v: %s, %q, %q", test, status, found, remedy)
		}
	}
	if _, found, _ := judgeLogout(system, false, true); found != "" {
		t.Errorf("of a unit of the system: %q", found)
	}
}
