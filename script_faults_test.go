package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"wsync/daemon/api"
)

// monitorPID is the process of a workspace's monitor, as the daemon knows it.
func monitorPID(ts *testscript.TestScript, workspace string) int {
	ts.Check(ts.Exec("wsync", "status", "--json"))
	var status api.Status
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &status))
	for _, w := range status.Workspaces {
		if w.Workspace.Name == workspace {
			if w.Monitor.PID <= 1 {
				ts.Fatalf("the monitor of %s has the process id %d", workspace, w.Monitor.PID)
			}
			return w.Monitor.PID
		}
	}
	ts.Fatalf("there is no workspace %s", workspace)
	return 0
}

// cmdStopMonitor returns when the monitor really stands still.
func cmdStopMonitor(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "stopmonitor WORKSPACE")
	pid := monitorPID(ts, args[0])
	ts.Check(syscall.Kill(pid, syscall.SIGSTOP))
	if !pollUntil(patience, func() bool { return allStopped(pid) }) {
		ts.Fatalf("process %d does not stop", pid)
	}
}

// allStopped reports whether all threads of a process are stopped.
func allStopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, thread := range threads {
		if stat, err := os.ReadFile(thread); err == nil && !strings.Contains(string(stat), ") T ") {
			return false
		}
	}
	return true
}

func cmdContinueMonitor(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "continuemonitor WORKSPACE")
	ts.Check(syscall.Kill(monitorPID(ts, args[0]), syscall.SIGCONT))
}

// cmdFlood makes more events than a queue holds, by renames: those the kernel
// does not merge. The file is there afterwards.
func cmdFlood(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "flood FILE")
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	ts.Check(err)
	room, err := strconv.Atoi(strings.TrimSpace(string(text)))
	ts.Check(err)
	here := ts.MkAbs(args[0])
	there := here + ".there"
	ts.Check(os.WriteFile(here, nil, 0o644))
	for range room/4 + 100 { // each round is four events
		ts.Check(os.Rename(here, there))
		ts.Check(os.Rename(there, here))
	}
}
