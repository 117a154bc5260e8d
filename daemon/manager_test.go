package daemon

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// manager is a service manager: it hears what it is told on a socket of its own.
type manager struct {
	t      *testing.T
	socket *net.UnixConn
}

// newManager makes a service manager that the daemon of this process is told of, with a
// watchdog that waits for so long.
func newManager(t *testing.T, watchdog time.Duration) *manager {
	t.Helper()
	path := filepath.Join(newHome(t), "manager.sock")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdog.Microseconds(), 10))
	return &manager{t, socket}
}

// hear returns the next of what it is told, "" if there is nothing for so long.
func (m *manager) hear(patience time.Duration) string {
	m.t.Helper()
	if err := m.socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	text := make([]byte, 1<<10)
	n, err := m.socket.Read(text)
	if err != nil {
		return ""
	}
	return string(text[:n])
}

func (m *manager) expect(want string) {
	m.t.Helper()
	if got := m.hear(patience); got != want {
		m.t.Fatalf("told %q, expected %q", got, want)
	}
}

// TestManager: it is told when the daemon answers, then again and again that it is well,
// and when it ends.
func TestManager(t *testing.T) {
	m := newManager(t, 40*time.Millisecond)
	d := startDaemon(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go d.tellManager(ctx)
	m.expect("READY=1")
	m.expect("WATCHDOG=1")
	m.expect("WATCHDOG=1")

	// Nobody finds it any more, though it serves.
	if err := os.Remove(d.settings.DaemonCommandSocketPath); err != nil {
		t.Fatal(err)
	}
	m.skipPings("") // they end
	cancel()
	m.skipPings("STOPPING=1")
}

// skipPings expects want behind any number of pings; "" is a while without one.
func (m *manager) skipPings(want string) {
	m.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if got := m.hear(400 * time.Millisecond); got != "WATCHDOG=1" && (got != "" || want == "") {
			if got != want {
				m.t.Errorf("told %q, expected %q", got, want)
			}
			return
		}
	}
	m.t.Errorf("not told %q", want)
}

// TestManagerOfALockedDaemon: while the state is locked there is no ping, and none that
// says that it is ready.
func TestManagerOfALockedDaemon(t *testing.T) {
	m := newManager(t, 40*time.Millisecond)
	d := startDaemon(t)
	locked, release := make(chan struct{}), make(chan struct{})
	go d.lock.Do(func() { close(locked); <-release })
	<-locked
	go d.tellManager(t.Context())
	if got := m.hear(200 * time.Millisecond); got != "" {
		t.Errorf("told %q", got)
	}
	close(release)
	m.expect("READY=1")
	m.expect("WATCHDOG=1")
}

// TestNoManager: without one nothing is told, and nothing waits.
func TestNoManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	startDaemon(t).tellManager(context.Background())
}
