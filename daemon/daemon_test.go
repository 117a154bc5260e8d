package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/remotetest"
)

// startRun runs the whole daemon, without fakes, until the end of the test.
func startRun(t *testing.T, settings config.Settings) (stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	result := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		result <- Run(ctx, settings, "test")
		close(done)
	}()
	t.Cleanup(func() { stop(); <-done })
	remotetest.Poll(t, "the daemon to listen, or to end", func() bool {
		conn, err := net.Dial("unix", settings.DaemonCommandSocketPath)
		if err == nil {
			conn.Close()
		}
		return err == nil || len(result) > 0
	})
	return stop, result
}

func TestRun(t *testing.T) {
	home := newHome(t)
	settings := loadSettings(t, home)
	stop, ended := startRun(t, settings)
	info, err := os.Lstat(settings.DaemonCommandSocketPath)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket is %v (%v)", info.Mode(), err)
	}
	// What is not the socket has the usual modes.
	write(t, filepath.Join(home, "other"), "")
	if err := os.Mkdir(filepath.Join(home, "directory"), 0o755); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(home, "directory")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("a directory is %v (%v)", info, err)
	}

	// There is one per user; the socket of the first stays.
	err = Run(t.Context(), settings, "test")
	if want := fmt.Sprintf("another daemon is already running (pid %d)", os.Getpid()); err == nil || err.Error() != want {
		t.Errorf("the second daemon: %v, expected %s", err, want)
	}

	// Any program that speaks HTTP will do.
	conn, err := net.Dial("unix", settings.DaemonCommandSocketPath)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /v1/status HTTP/1.0\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(answer); !strings.HasPrefix(text, "HTTP/1.0 200 OK\r\n") || !strings.Contains(text, `"version":"test"`) || !strings.Contains(text, `"workspaces":[]`) {
		t.Errorf("the answer is %s", text)
	}
	stop()
	if err := next(t, "end", ended); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(settings.DaemonCommandSocketPath); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}

	// A socket that a dead daemon left is no obstacle, and a client can end it.
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: settings.DaemonCommandSocketPath})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	_, ended = startRun(t, settings)
	d := &testDaemon{Daemon: &Daemon{settings: settings}, t: t}
	if code, _, data := d.ask("POST", "/v1/stop", ""); code != http.StatusOK || string(data) != "{}\n" {
		t.Errorf("stop: %d %s", code, data)
	}
	if err := next(t, "end", ended); err != nil {
		t.Error(err)
	}
	var messages []string
	for _, line := range d.logged() {
		messages = append(messages, fmt.Sprint(line["msg"]))
	}
	if text := strings.Join(messages, ", "); !strings.HasPrefix(text, "Daemon started") || !strings.HasSuffix(text, "Daemon stopped") {
		t.Errorf("the log says %s", text)
	}
}

func TestRunRefuses(t *testing.T) {
	home := newHome(t)
	settings := loadSettings(t, home)
	for what, make := range map[string]func() error{
		"file":      func() error { return os.WriteFile(settings.DaemonCommandSocketPath, []byte("mine"), 0o600) },
		"directory": func() error { return os.Mkdir(settings.DaemonCommandSocketPath, 0o700) },
		"link":      func() error { return os.Symlink("/nowhere", settings.DaemonCommandSocketPath) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(settings.DaemonCommandSocketPath)
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(t.Context(), settings, "test"); err == nil || !strings.Contains(err.Error(), "something else with that name") {
			t.Errorf("a %s instead of the socket: %v", what, err)
		}
		if after, err := os.Lstat(settings.DaemonCommandSocketPath); err != nil || !os.SameFile(before, after) {
			t.Errorf("the %s was touched: %v", what, err)
		}
		if err := os.Remove(settings.DaemonCommandSocketPath); err != nil {
			t.Fatal(err)
		}
	}

	// A workspace file that is wrong stays as it is.
	const broken = `[{"name": "docs",]`
	write(t, settings.WorkspaceConfigFilePath, broken)
	if err := Run(t.Context(), settings, "test"); err == nil || !strings.Contains(err.Error(), ":1:18:") {
		t.Errorf("a broken workspace file: %v", err)
	}
	if data, err := os.ReadFile(settings.WorkspaceConfigFilePath); err != nil || string(data) != broken {
		t.Errorf("the workspace file has become %q (%v)", data, err)
	}

	// Nothing of all this left the lock held.
	write(t, settings.WorkspaceConfigFilePath, "[]")
	stop, ended := startRun(t, settings)
	stop()
	if err := next(t, "end", ended); err != nil {
		t.Error(err)
	}
}
