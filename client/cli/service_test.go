package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/client/service"
	"wsync/daemon/api"
)

// fakeHost is a machine with a systemd that a test has in its hands.
type fakeHost struct {
	service.Host
	unit     map[string]string // what systemctl shows of the unit
	broken   error             // systemctl cannot do anything
	start    func() error      // what systemctl start and restart do
	words    string            // what the journal has
	commands []string          // that change something
	env      map[string]string
}

func newFakeHost(t *testing.T) *fakeHost {
	h := &fakeHost{Host: service.Host{OS: "linux", Root: t.TempDir(), User: "me", UID: 501, Home: home(t)}}
	h.unit = map[string]string{"ActiveState": "inactive", "UnitFileState": "enabled", "MainPID": "0", "Result": "success", "FragmentPath": "/f"}
	h.env = map[string]string{"HOME": h.Home}
	h.Run = func(_ context.Context, name string, args ...string) (string, error) {
		command := strings.Join(append([]string{name}, args...), " ")
		switch {
		case h.broken != nil:
			return "", h.broken
		case name == "getent":
			return map[string]string{"deploy": "deploy:x:502:502::" + h.Home + ":/bin/sh\n"}[args[1]], nil
		case name == "journalctl":
			return h.words, nil
		case strings.Contains(command, "InvocationID"):
			return "0123\n", nil
		case slices.Contains(args, "show"):
			var shown string
			for key, value := range h.unit {
				shown += key + "=" + value + "\n"
			}
			return shown, nil
		}
		h.commands = append(h.commands, command)
		if h.start != nil && (slices.Contains(args, "start") || slices.Contains(args, "restart")) {
			return "", h.start()
		}
		return "", nil
	}
	return h
}

// file writes a file of the machine.
func (h *fakeHost) file(t *testing.T, path, content string) {
	t.Helper()
	path = filepath.Join(h.Root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// own is the file of the user's own unit.
func (h *fakeHost) own() string { return h.Home + "/.config/systemd/user/wsync.service" }

func (h *fakeHost) wsync(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), Deps{
		Args: append([]string{"wsync"}, args...), Stdout: &out, Stderr: &err, Version: "test", Host: &h.Host,
		Env: func(name string) string { return h.env[name] },
	})
	return code, out.String(), err.String()
}

// expect runs a command line, and wants its exit code and something that it prints.
func (h *fakeHost) expect(t *testing.T, wantCode int, want string, args ...string) {
	t.Helper()
	if code, stdout, stderr := h.wsync(t, args...); code != wantCode || !strings.Contains(stdout+stderr, want) {
		t.Errorf("wsync %s: exit code %d, stdout %q, stderr %q; want %d, %q", strings.Join(args, " "), code, stdout, stderr, wantCode, want)
	}
}

// TestNoDaemonOfAService: whoever finds no daemon is told how its service stands.
func TestNoDaemonOfAService(t *testing.T) {
	h := newFakeHost(t)
	h.expect(t, 3, "cannot get the status: the daemon is not running\nhint: wsync daemon start\n", "status")
	h.file(t, h.own(), "")
	h.expect(t, 3, "cannot get the status: the daemon is not running: its service wsync.service is inactive\n"+
		"hint: wsync daemon start, or systemctl --user start wsync.service; what it has said: journalctl --user -u wsync.service\n", "status")

	h.unit["ActiveState"], h.unit["Result"], h.unit["ExecMainCode"], h.unit["ExecMainStatus"] = "failed", "exit-code", "1", "6"
	h.words = "wsync: cannot run the daemon: another daemon is already running (pid 7)\n"
	h.expect(t, 3, "its service wsync.service has failed (exit status 6): cannot run the daemon: another daemon is already running (pid 7)\nhint: ", "wait")
	h.expect(t, 3, `"hint":"wsync daemon start, or systemctl --user start wsync.service`, "list", "--json")

	h.broken = errors.New("no bus")
	h.expect(t, 3, "its service wsync.service cannot be asked: no bus\nhint: systemctl --user start wsync.service", "list")

	// That of another home directory is no service.
	h.env["HOME"] = home(t)
	h.expect(t, 3, "the daemon is not running\nhint: wsync daemon start\n", "status")

	h = newFakeHost(t)
	h.file(t, "/etc/systemd/system/wsync@me.service", "")
	h.expect(t, 3, "its service wsync@me.service is inactive\nhint: sudo systemctl start wsync@me.service; ", "status")
}

// TestServiceStartsDaemon: the daemon of an installed service is started by that.
func TestServiceStartsDaemon(t *testing.T) {
	h := newFakeHost(t)
	h.file(t, h.own(), "")
	h.start = func() error { h.unit["MainPID"], h.unit["ActiveState"] = "12", "active"; return nil }
	h.expect(t, 0, "the daemon is running (pid 12), as the service wsync.service\n", "daemon", "start")
	if want := []string{"systemctl --user --no-ask-password start wsync.service"}; !slices.Equal(h.commands, want) {
		t.Errorf("ran %q", h.commands)
	}
	h.commands = nil
	h.expect(t, 0, "the daemon is running (pid 12)", "daemon", "restart")
	if want := []string{"systemctl --user --no-ask-password restart wsync.service"}; !slices.Equal(h.commands, want) {
		t.Errorf("ran %q", h.commands)
	}

	h.unit["MainPID"] = "0"
	h.start = func() error {
		h.unit["ActiveState"], h.unit["Result"], h.unit["ExecMainCode"], h.unit["ExecMainStatus"] = "failed", "exit-code", "1", "1"
		return errors.New("the job failed")
	}
	h.words = "wsync: cannot run the daemon: the disk is full\n"
	h.expect(t, 1, "cannot start the daemon: its service wsync.service has failed (exit status 1): cannot run the daemon: the disk is full\n"+
		"hint: journalctl --user -u wsync.service\n", "daemon", "start")

	// Only root may start those of the system.
	h = newFakeHost(t)
	h.file(t, "/etc/systemd/system/wsync@me.service", "")
	h.start = func() error { return errors.New("access denied") }
	h.expect(t, 1, "it is a service of the system: access denied\nhint: sudo systemctl start wsync@me.service\n", "daemon", "start")
	h.unit["MainPID"] = "12"
	h.expect(t, 1, "hint: sudo systemctl restart wsync@me.service\n", "daemon", "restart")
}

func TestServiceInstall(t *testing.T) {
	h := newFakeHost(t)
	h.start = func() error { h.unit["MainPID"], h.unit["ActiveState"] = "12", "active"; return nil }
	h.expect(t, 1, "wsync.service is not installed\nhint: wsync service install\n", "service", "status")
	h.expect(t, 1, "wsync@me.service is not installed\nhint: wsync service install --system --user me\n", "service", "status", "--system", "--user", "me")
	if code, _, stderr := h.wsync(t, "service", "uninstall"); code != 1 || stderr != "wsync: wsync.service is not installed\n" {
		t.Errorf("uninstall: exit code %d, %q", code, stderr)
	}

	// What is printed is what is installed.
	code, unit, _ := h.wsync(t, "service", "install", "--print", "--executable", "/opt/wsync")
	if _, err := os.Stat(filepath.Join(h.Root, h.own())); code != 0 || err == nil || len(h.commands) > 0 {
		t.Errorf("exit code %d, and something was done: %v, %q", code, err, h.commands)
	}
	h.expect(t, 0, "wsync.service is installed: "+h.own()+"\nthe daemon is running (pid 12), as the service wsync.service\n"+
		"wsync: it ends with your last session, and does not begin before your next login\nhint: to have it always: wsync service install --linger\n",
		"service", "install", "--executable", "/opt/wsync")
	if got, err := os.ReadFile(filepath.Join(h.Root, h.own())); err != nil || string(got) != unit || !strings.Contains(unit, `ExecStart="/opt/wsync" daemon run`) {
		t.Errorf("installed %q (%v), printed %q", got, err, unit)
	}

	// Again: only another unit has it restarted.
	for _, executable := range []string{"/opt/wsync", "/opt/new/wsync"} {
		want := executable != "/opt/wsync"
		h.commands = nil
		h.expect(t, 0, "is running", "service", "install", "--executable", executable)
		if restarted := slices.Contains(h.commands, "systemctl --user --no-ask-password restart wsync.service"); restarted != want {
			t.Errorf("%s: restarted %v, ran %q", executable, restarted, h.commands)
		}
	}

	h.expect(t, 0, "state          active (pid 12)\n", "service", "status")
	_, stdout, _ := h.wsync(t, "service", "status", "--json")
	var status serviceStatus
	if err := json.Unmarshal([]byte(stdout), &status); err != nil || status.PID != 12 || status.Kind != "systemd" || !status.Enabled || status.Lingers {
		t.Errorf("%s: %+v (%v)", stdout, status, err)
	}
	// Another daemon than the service's.
	serve(t, h.Home, &fakeDaemon{status: api.Status{Daemon: api.DaemonStatus{PID: 13}}})
	h.unit["MainPID"], h.unit["ActiveState"] = "0", "inactive"
	h.expect(t, 3, "a daemon runs that is not the service's (pid 13)\n", "service", "status")

	h.expect(t, 0, "wsync.service is uninstalled", "service", "uninstall")
	if _, err := os.Stat(filepath.Join(h.Root, h.own())); err == nil {
		t.Error("the unit is still there")
	}
}

func TestServiceRefusals(t *testing.T) {
	h := newFakeHost(t)
	h.expect(t, 2, "--user goes with --system only", "service", "install", "--user", "x")
	h.expect(t, 2, "expected the name of a user", "service", "install", "--system", "--user", "../x")
	h.expect(t, 2, "--user %i is for --print", "service", "install", "--system", "--user", "%i")
	h.expect(t, 0, "User=%i\n", "service", "install", "--system", "--user", "%i", "--print", "--executable", "/usr/bin/wsync")
	h.expect(t, 2, "expected an absolute path", "service", "install", "--executable", "wsync")
	h.expect(t, 1, "there is no user nobody.knows", "service", "install", "--system", "--user", "nobody.knows")
	h.file(t, h.own(), "")
	h.expect(t, 1, "deploy has "+h.own()+", and a user has one daemon\n", "service", "install", "--system", "--user", "deploy")
	if err := os.Remove(filepath.Join(h.Root, h.own())); err != nil {
		t.Fatal(err)
	}
	h.env["SUDO_USER"] = "me"
	h.expect(t, 2, "hint: --user me, or --user root\n", "service", "install", "--system")
	delete(h.env, "SUDO_USER")
	h.env["HOME"] = "/elsewhere"
	h.expect(t, 1, "HOME is /elsewhere, and the service would have the home directory of me", "service", "install")
	h.env["HOME"] = h.Home

	h.broken = errors.New("Failed to connect to bus")
	h.expect(t, 1, "systemd cannot be asked: Failed to connect to bus\nhint: without a login of your own, such as by su, it is there with: sudo loginctl enable-linger me\n", "service", "install", "--executable", "/opt/wsync")
	h.broken = nil

	h.file(t, h.own(), "")
	h.expect(t, 1, "a user has one daemon\nhint: wsync service uninstall, as me\n", "service", "install", "--system")
	if len(h.commands) > 0 {
		t.Errorf("ran %q", h.commands)
	}
}
