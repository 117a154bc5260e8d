package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
)

// TestMain lets the test binary be wsync: the command line starts the daemon
// by running itself again.
func TestMain(m *testing.M) {
	if os.Args[0] == "wsync" {
		os.Exit(Main(Deps{
			Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
			Env: os.Getenv, Version: "test",
			RunDaemon: runFakeDaemon,
		}))
	}
	os.Exit(m.Run())
}

// runFakeDaemon answers requests for the status until it is stopped. FAKE says
// how it fails instead.
func runFakeDaemon(ctx context.Context, settings config.Settings, version string, _ ...io.Writer) error {
	switch os.Getenv("FAKE") {
	case "fail":
		io.WriteString(os.Stderr, `{"level":"info","msg":"a line of the log"}`+"\n")
		return withHint(errors.New("cannot parse the workspace file"), "mend it")
	case "panic":
		panic("the reason of the panic")
	}
	io.WriteString(os.Stdout, "stdout of the daemon\n")
	lock, err := os.Create(settings.LockPath())
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	os.Remove(settings.DaemonCommandSocketPath)
	listener, err := net.Listen("unix", settings.DaemonCommandSocketPath)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	daemon := &fakeDaemon{status: api.Status{Daemon: api.DaemonStatus{PID: os.Getpid(), Version: version}}}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		daemon.ServeHTTP(w, r)
		if r.URL.Path == api.StopPath {
			cancel()
		}
	})}
	go server.Serve(listener)
	<-ctx.Done()
	return server.Shutdown(context.Background())
}

// fakeDaemon answers with what it is told to, and keeps the requests.
type fakeDaemon struct {
	status  api.Status
	answers map[string]any // by method and path; an *api.Error refuses
	later   map[string]any // the same, after the first request

	mu       sync.Mutex
	requests []string
}

func (d *fakeDaemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request := r.Method + " " + r.URL.Path
	d.mu.Lock()
	d.requests = append(d.requests, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
	answers := d.answers
	if d.later != nil && len(d.requests) > 1 {
		answers = d.later
	}
	d.mu.Unlock()
	answer, found := answers[request]
	if !found && r.URL.Path == api.StatusPath {
		answer = d.status
	}
	if refused, ok := answer.(*api.Error); ok {
		w.WriteHeader(http.StatusBadRequest)
		answer = refused
	}
	if answer == nil {
		answer = struct{}{}
	}
	json.NewEncoder(w).Encode(answer)
}

// home makes a home directory with a path that is short enough for a socket.
func home(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "wsync")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	if err := os.Mkdir(filepath.Join(directory, ".wsync"), 0o700); err != nil {
		t.Fatal(err)
	}
	return directory
}

// serve lets daemon answer in home.
func serve(t *testing.T, home string, daemon http.Handler) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(home, ".wsync", "daemon.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: daemon}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
}

// wsync runs a command line in home.
func wsync(t *testing.T, home string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return wsyncReading(t, home, "", args...)
}

// wsyncReading runs a command line in home with a standard input.
func wsyncReading(t *testing.T, home, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), Deps{
		Args:  append([]string{"wsync"}, args...),
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &err,
		Env: func(name string) string {
			if name == "HOME" {
				return home
			}
			return ""
		},
		Version: "test",
	})
	return code, out.String(), err.String()
}

var now = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// before returns a time before now.
func before(d time.Duration) *time.Time {
	at := now.Add(-d)
	return &at
}
