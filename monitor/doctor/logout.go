package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"wsync/monitor/report"
)

// lingering has a file for each user whose systemd instance does not end with the last
// session.
const lingering = "/var/lib/systemd/linger"

// logout examines whether the daemon outlives the session of whoever has started it.
func (a about) logout() {
	if a.x.Daemon == 0 {
		return
	}
	cgroup, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", a.x.Daemon))
	who, userErr := user.Current()
	if err != nil || userErr != nil {
		return
	}
	_, err = os.Stat(filepath.Join(lingering, who.Username))
	kills := who.Uid != "0" && killsSessions(a.x.ctx) // root is spared (KillExcludeUsers)
	if status, found, remedy := judgeLogout(string(cgroup), err == nil, kills); found != "" {
		a.say(status, "logout", found, remedy)
	}
}

// killsSessions reports whether systemd ends what a user has started with the session.
func killsSessions(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Without a user these are the properties of logind itself.
	output, err := exec.CommandContext(ctx, "loginctl", "show-user", "--property=KillUserProcesses").Output()
	return err == nil && strings.TrimSpace(string(output)) == "KillUserProcesses=yes"
}

// Where systemd has put a process, as in /proc/PID/cgroup.
var (
	inUserUnit = regexp.MustCompile(`(?m)/user@\d+\.service(/|$)`)
	inSession  = regexp.MustCompile(`(?m)/session-[^/]+\.scope(/|$)`)
)

// judgeLogout says whether a process in a cgroup outlives the session of its user. lingers:
// the user's systemd instance does; kills: systemd ends sessions with all that is in them.
func judgeLogout(cgroup string, lingers, kills bool) (status report.CheckStatus, found, remedy string) {
	unit, session := inUserUnit.MatchString(cgroup), inSession.MatchString(cgroup)
	switch {
	case unit && !lingers:
		return report.CheckWarn, "the daemon is a unit of yours, which ends when you log out, and begins when you log in", "wsync service install --linger"
	case session && kills:
		return report.CheckWarn, "the daemon ends when you log out (KillUserProcesses=yes in logind.conf)",
			"wsync service install --linger"
	case unit, session:
		return report.CheckOK, "the daemon goes on when you log out", ""
	}
	return report.CheckOK, "", "" // it is of no session
}
