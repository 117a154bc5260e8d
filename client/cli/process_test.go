package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// daemonHome is a home directory whose daemon, the fake one, is stopped at the
// end. It becomes $HOME, which the daemon inherits.
func daemonHome(t *testing.T) string {
	home := home(t)
	t.Setenv("HOME", home)
	t.Setenv("WSYNC_CONFIG_PATH", "")
	t.Cleanup(func() {
		// Not t.Context, which is done by now.
		run(context.Background(), Deps{Args: []string{"wsync", "daemon", "stop"}, Stdout: t.Output(), Stderr: t.Output(), Env: os.Getenv})
	})
	return home
}

func TestDaemonStartAndStop(t *testing.T) {
	home := daemonHome(t)
	code, stdout, stderr := wsync(t, home, "daemon", "start")
	var pid int
	if _, err := fmt.Sscanf(stdout, "the daemon is running (pid %d)\n", &pid); code != 0 || err != nil {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil && cwd != "/" {
		t.Errorf("it runs in %s", cwd)
	}
	log, err := os.ReadFile(filepath.Join(home, ".wsync/log/daemon.log"))
	if err != nil || string(log) != "stdout of the daemon\n" {
		t.Errorf("log %q, %v", log, err)
	}
	if code, stdout, _ := wsync(t, home, "daemon", "start"); code != 0 || stdout != fmt.Sprintf("the daemon is already running (pid %d)\n", pid) {
		t.Errorf("start again: exit code %d, stdout %q", code, stdout)
	}
	if code, stdout, _ := wsync(t, home, "daemon", "restart"); code != 0 || strings.Contains(stdout, fmt.Sprint(pid)) {
		t.Errorf("restart: exit code %d, stdout %q", code, stdout)
	}
	if !gone(pid) {
		t.Errorf("%d still runs after the restart", pid)
	}
	if code, stdout, _ := wsync(t, home, "daemon", "stop"); code != 0 || !strings.HasPrefix(stdout, "the daemon is stopped (pid ") {
		t.Errorf("stop: exit code %d, stdout %q", code, stdout)
	}
	if code, _, _ := wsync(t, home, "daemon", "status"); code != 3 {
		t.Errorf("status: exit code %d", code)
	}
}

func TestDaemonStartFails(t *testing.T) {
	for _, unwritable := range []bool{false, true} {
		t.Run(fmt.Sprintf("unwritable log %v", unwritable), func(t *testing.T) {
			home := daemonHome(t)
			if unwritable {
				if err := os.WriteFile(filepath.Join(home, ".wsync/log"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("FAKE", "fail")
			code, stdout, stderr := wsync(t, home, "daemon", "start")
			if want := "wsync: cannot start the daemon: cannot parse the workspace file\nlog:  info  a line of the log\nhint: mend it\n"; code != 1 || stdout != "" || stderr != want {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			t.Setenv("FAKE", "panic")
			code, _, stderr = wsync(t, home, "daemon", "start")
			if want := "wsync: cannot start the daemon: it ended at once: exit status 2\npanic: the reason of the panic\n"; code != 1 || !strings.HasPrefix(stderr, want) {
				t.Errorf("exit code %d, stderr %q, want it to begin with %q", code, stderr, want)
			}
		})
	}
}

func TestDaemonStartsAtOnce(t *testing.T) {
	home := daemonHome(t)
	outputs := make([]string, 4)
	var starts sync.WaitGroup
	for i := range outputs {
		starts.Go(func() {
			code, stdout, stderr := wsync(t, home, "daemon", "start")
			if code != 0 {
				t.Errorf("exit code %d, %s", code, stderr)
			}
			outputs[i] = stdout[strings.Index(stdout, "("):]
		})
	}
	starts.Wait()
	for _, output := range outputs {
		if output != outputs[0] {
			t.Errorf("not one daemon: %q", outputs)
		}
	}
}

func TestStartFailure(t *testing.T) {
	tests := []struct{ text, want, hint string }{
		{"", "it ended at once: exit status 1", ""},
		{"{\"msg\":\"x\"}\nwsync: cannot run the daemon: the disk is full\nhint: make room\n", "the disk is full\nlog:        x", "make room"},
		{"panic: x\n\ngoroutine 1\n", "it ended at once: exit status 1\npanic: x\ngoroutine 1", ""},
	}
	for _, test := range tests {
		err := startFailure([]byte(test.text), errors.New("exit status 1"))
		if err.Error() != test.want || hintOf(err) != test.hint {
			t.Errorf("%q: %q, hint %q", test.text, err, hintOf(err))
		}
	}
}
