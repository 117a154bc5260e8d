package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// machine examines what all workspaces need.
func (x *examiner) machine() {
	a := about{x: x}
	a.rsync(x.local)
	if x.needs(config.KindSSH) {
		a.ssh()
	}
	a.files()
	switch {
	case x.Known == nil:
		a.fail("daemon", "it does not run: nothing is mirrored", "wsync daemon start")
	default:
		a.ok("daemon", "it runs")
	}
	if runtime.GOOS == "linux" && x.Known != nil {
		a.watches(readNumber(watchLimit))
		a.logout()
	}
}

// rsync examines the one of this machine.
func (a about) rsync(v rsync.Version) {
	if v == (rsync.Version{}) {
		a.fail("rsync", "there is none in PATH, or it does not say its version", "install rsync: apt install rsync, dnf install rsync, or brew install rsync")
		return
	}
	status, found, remedy := judgeVersion(v)
	a.say(status, "rsync", found, remedy)
}

// judgeVersion says what is known against a version of rsync.
func judgeVersion(v rsync.Version) (status report.CheckStatus, found, remedy string) {
	found = v.String()
	switch {
	case v.Flavour == "openrsync":
		return report.CheckWarn, found + " knows only some of the options: what it cannot do is done in slower ways",
			"install rsync beside it (on macOS: brew install rsync)"
	case v.Flavour != "rsync":
		return report.CheckWarn, found + ": it cannot be told what it is able to do", ""
	case !v.AtLeast(3, 1, 3):
		return report.CheckWarn, found + " compares times to the second only, and changed files by their contents therefore", "update rsync"
	case !v.AtLeast(3, 5, 0):
		return report.CheckWarn, found + " may have security holes that 3.5.0 does not have",
			"update rsync, or see in your system's changelog that it has mended them"
	}
	return report.CheckOK, found, ""
}

// ssh examines the client of this machine.
func (a about) ssh() {
	ctx, cancel := context.WithTimeout(a.x.ctx, 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, "ssh", "-V").CombinedOutput()
	version, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		a.fail("ssh", "there is none in PATH", "install the OpenSSH client")
	case err != nil:
		a.fail("ssh", fmt.Sprintf("ssh -V: %v", err), "install the OpenSSH client")
	case !strings.HasPrefix(version, "OpenSSH"):
		a.warn("ssh", version+": wsync knows OpenSSH's only", "install the OpenSSH client")
	default:
		a.ok("ssh", version)
	}
}

// files examines wsync's own.
func (a about) files() {
	s := a.x.Settings
	var wrong []string
	for _, path := range []string{s.Directory, s.RunDirectory(), s.WorkspaceConfigFilePath, s.DaemonCommandSocketPath} {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			wrong = append(wrong, err.Error())
		case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSocket == 0:
			wrong = append(wrong, fmt.Sprintf("others may write to %s (mode %04o)", path, info.Mode().Perm()))
		}
	}
	if len(wrong) > 0 {
		a.fail("files", strings.Join(wrong, "; "), "chmod go-w "+s.Directory+", and what is in it")
		return
	}
	a.ok("files", s.Directory+" is yours alone to write")
}

const watchLimit = "/proc/sys/fs/inotify/max_user_watches"

// enough is how much of the limit of watches may be used before that is a warning, since
// others of the user need some, too.
const enough = 0.8

// watches compares what the workspaces need with the limit of this system, 0 for not
// known.
func (a about) watches(limit int) {
	watched, polled := 0, 0
	for _, known := range a.x.Known {
		watched += known.Watch.Directories
		polled += known.Watch.Polled
	}
	need := watched + polled
	raise := fmt.Sprintf("sysctl fs.inotify.max_user_watches=%d, and the same in /etc/sysctl.d", roundUp(2*need))
	found := fmt.Sprintf("%d directories are watched, and %d may be", watched, limit)
	switch {
	case limit == 0 || need == 0:
	case polled > 0:
		a.fail("inotify", fmt.Sprintf("%s: %d are looked at from time to time instead, so that changes come late", found, polled), raise)
	case float64(need) > enough*float64(limit):
		a.warn("inotify", found, raise)
	default:
		a.ok("inotify", found)
	}
}

// roundUp returns the next number that begins a new order, such as 200000 for 150001.
func roundUp(n int) int {
	step := 1
	for step*10 <= n {
		step *= 10
	}
	return (n + step - 1) / step * step
}

// readNumber reads a number from a file of the kernel's, 0 if there is none.
func readNumber(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0 for what is none
	return n
}
