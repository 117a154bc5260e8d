package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/remotetest"
)

// nobody is another user.
const nobody = 65534

// as runs a function as another user, on a thread that ends with it.
func as(t *testing.T, uid uintptr, f func() error) error {
	t.Helper()
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETREUID, uid, uid, 0); errno != 0 {
			result <- errno
			return
		}
		result <- f()
	}()
	return <-result
}

// get sends a request for the status to a socket, and returns the first line of the answer. It
// stays on the thread of its caller.
func get(path string) (string, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return "", err
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		return "", err
	}
	if _, err := io.WriteString(file, "GET /v1/status HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(file).ReadString('\n')
}

// TestOtherUsers: another user can neither ask the daemon anything nor read its files, and
// is not answered even where the socket lets him in.
func TestOtherUsers(t *testing.T) {
	remotetest.NeedRoot(t, "to become another user")
	home := newHome(t)
	for dir := home; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // as home directories may be
			t.Fatal(err)
		}
	}
	settings := loadSettings(t, home)
	startRun(t, settings)
	d := &testDaemon{Daemon: &Daemon{settings: settings}, t: t}
	d.ask("POST", "/v1/workspaces", fmt.Sprintf(`{"name":"docs","local_path":%q}`, t.TempDir()))
	socket := settings.DaemonCommandSocketPath
	if line, err := get(socket); err != nil || !strings.Contains(line, "200 OK") {
		t.Fatalf("its own user: %q, %v", line, err)
	}
	if err := as(t, nobody, func() error { _, err := get(socket); return err }); !errors.Is(err, syscall.EACCES) {
		t.Errorf("another user: %v", err)
	}
	looked := 0
	err := as(t, nobody, func() error {
		return filepath.WalkDir(settings.Directory, func(path string, e os.DirEntry, err error) error {
			switch looked++; {
			case err != nil:
				return nil // that is the point
			case e.IsDir():
				return nil
			}
			if f, err := os.Open(path); err == nil {
				f.Close()
				return fmt.Errorf("another user can read %s", path)
			}
			return nil
		})
	})
	if err != nil || looked == 0 {
		t.Errorf("%d entries were looked at, %v", looked, err)
	}
	for dir := filepath.Dir(socket); dir != home && strings.HasPrefix(dir, home); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	line := ""
	err = as(t, nobody, func() (err error) { line, err = get(socket); return err })
	if line != "" || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("another user, whom the socket lets in: %q, %v", line, err)
	}
	if line, err := get(socket); err != nil || !strings.Contains(line, "200 OK") {
		t.Errorf("its own user after that: %q, %v", line, err)
	}
}

// TestConnections: more clients than may be at once are served one after the other.
func TestConnections(t *testing.T) {
	dir, err := os.MkdirTemp("", "wsync") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	inner, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	const most, clients = 3, 50
	l := newListener(inner, zap.NewNop(), most)
	busy, tooMany := make(chan struct{}, most), make(chan struct{}, clients)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		default:
			tooMany <- struct{}{}
		}
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	answers := make(chan error, clients)
	for range clients {
		go func() { _, err := get(path); answers <- err }()
	}
	for range clients {
		if err := next(t, "an answer", answers); err != nil {
			t.Error(err)
		}
	}
	if len(tooMany) > 0 {
		t.Errorf("%d times there were more than %d clients at once", len(tooMany), most)
	}
	// With all places taken it still ends.
	var idle []net.Conn
	for range most + 1 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	defer func() {
		for _, conn := range idle {
			conn.Close()
		}
	}()
	server.Close()
	if err := next(t, "the end", ended); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// pipes is a listener for one connection, of which the client has the other end.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// TestSlowClient: a client that does not end its request is not waited for.
func TestSlowClient(t *testing.T) {
	for name, test := range map[string]struct{ sent, want string }{
		"header": {"GET /v1/status HTTP/1.1\r\nHost: ", ""},
		"body":   {"POST /v1/workspaces HTTP/1.1\r\nHost: wsync\r\nContent-Length: 100\r\n\r\n{", "400 Bad Request"},
		"idle":   {"GET /nowhere HTTP/1.1\r\nHost: wsync\r\n\r\n", "501 Not Implemented"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &Daemon{log: zap.NewNop()}
				ctx, end := context.WithCancel(t.Context())
				here, there := net.Pipe()
				p := make(pipes, 1)
				p <- there
				ended := make(chan error, 1)
				go func() { ended <- d.serve(ctx, p) }()
				go io.WriteString(here, test.sent)
				began := time.Now()
				answer, err := io.ReadAll(here)
				if err != nil || (test.want == "") != (len(answer) == 0) || !strings.Contains(string(answer), test.want) {
					t.Errorf("the answer is %q, %v", answer, err)
				}
				if took := time.Since(began); took > idleTime+requestTime {
					t.Errorf("it took %v", took)
				}
				end()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestMalformedRequests: what cannot be understood is the client's mistake, on every route, or
// another version's language.
func TestMalformedRequests(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	for route := range d.routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || path == "/v1/stop" || path == "/v1/reload" { // which need to be told nothing
			continue
		}
		path = strings.NewReplacer("{workspace}", "docs\x1b[31m", "{remote}", "%2e%2e%2f", "{action}", "a%00b").Replace(path)
		for _, body := range []string{"", "{", "[]", `"text"`, `{"name":"a"}}`, "\xff\xfe", strings.Repeat("[", 100000), `{"name":"` + strings.Repeat("x", maxBody) + `"}`} {
			if code, _, data := d.ask(method, strings.ReplaceAll(path, "\x1b", "%1b"), body); code != http.StatusNotImplemented && (code < 400 || code > 499) {
				t.Errorf("%s with %.20q: %d %.200s", route, body, code, data)
			}
		}
	}
}
