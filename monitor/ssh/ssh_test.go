package ssh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remotetest"
)

func TestMain(m *testing.M) {
	if missing := remotetest.Missing(); missing != "" {
		println(missing)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var check, poll = remotetest.Check, remotetest.Poll

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		host Host
		want []string // the last arguments
	}{
		{Host{Name: "h"}, []string{"-o", "RequestTTY=no"}},
		{Host{Name: "h", Port: 22}, []string{"-p", "22"}},
		{Host{Name: "h", Port: 22, User: "u", IdentityFile: "/a b"}, []string{"-p", "22", "-l", "u", "-i", "/a b"}},
	} {
		got := Options(test.host)
		if !slices.Equal(got[len(got)-len(test.want):], test.want) {
			t.Errorf("%+v: %q", test.host, got)
		}
		for _, option := range []string{"BatchMode=yes", "ServerAliveInterval=5", "ServerAliveCountMax=2", "ForwardAgent=no"} {
			if i := slices.Index(got, option); i < 1 || got[i-1] != "-o" {
				t.Errorf("%+v: no %s", test.host, option)
			}
		}
		// ssh takes them all.
		if out, err := exec.Command("ssh", append(slices.Clone(got), "-F", "/dev/null", "-G", "--", "localhost")...).CombinedOutput(); err != nil {
			t.Errorf("ssh: %v\n%s", err, out)
		}
	}
}

func TestHostOf(t *testing.T) {
	for _, test := range []struct {
		connection config.Connection
		options    []string
		want       Host
	}{
		{config.Connection{HostAlias: &config.HostAlias{HostAlias: "a"}}, nil, Host{Name: "a"}},
		{config.Connection{HostAlias: &config.HostAlias{HostAlias: "a"}}, []string{"Compression=yes", "ConnectTimeout=3"}, Host{Name: "a", Options: "Compression=yes ConnectTimeout=3"}},
		{config.Connection{SSH: &config.SSH{Host: "h", Port: 1, Username: "u", IdentityFile: "~/k"}}, nil, Host{"h", 1, "u", "~/k", ""}},
	} {
		if got := HostOf(config.Remote{Connection: test.connection, SSHOptions: test.options}); got != test.want {
			t.Errorf("%+v", got)
		}
	}
}

func TestPoolDirectory(t *testing.T) {
	d := t.TempDir()
	own := filepath.Join(d, "ssh")
	check(t, os.Mkdir(own, 0o777))
	check(t, os.WriteFile(filepath.Join(own, "left"), nil, 0o600))
	pool, err := NewPool(d)
	check(t, err)
	info, err := os.Stat(own)
	check(t, err)
	if info.Mode().Perm() != 0o700 || exists(filepath.Join(own, "left")) {
		t.Errorf("the directory is %v, or not cleared", info.Mode())
	}
	a, b := pool.Connection(Host{Name: "a"}), pool.Connection(Host{Name: "b"})
	if a == b || a.socket == b.socket || pool.Connection(Host{Name: "a"}) != a || a.Host() != "a" {
		t.Error("connections are mixed up")
	}
	if filepath.Dir(a.socket) != own {
		t.Errorf("the socket is %s", a.socket)
	}
	pool.Close()
	if exists(own) {
		t.Error("the directory stays")
	}
}

// Where the path of a socket would be too long, it is elsewhere, and its own.
func TestPoolDirectoryOfLongPaths(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	check(t, os.Mkdir(long, 0o700))
	pool, err := NewPool(long)
	check(t, err)
	defer pool.Close()
	if socket := pool.Connection(Host{Name: "h"}).socket; len(socket) > maxSocketPath || strings.HasPrefix(socket, long) {
		t.Errorf("the socket is %s, of %d bytes", socket, len(socket))
	}
	other, err := NewPool(long + "/..")
	check(t, err)
	defer other.Close()
	if other.dir == pool.dir {
		t.Error("two pools share a directory")
	}
}

func TestPoolDirectoryFails(t *testing.T) {
	if pool, err := NewPool(filepath.Join(t.TempDir(), "no", "dir")); err == nil {
		t.Errorf("made %s", pool.dir)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// server is an sshd that ssh knows, and a pool.
func server(t *testing.T, lines ...string) (*remotetest.SSHD, *Pool) {
	t.Helper()
	s := remotetest.StartSSHD(t, remotetest.SSHDOptions{Config: lines})
	s.Wrapper(useWrapper(t), "backup")
	return s, newPool(t)
}

// useWrapper makes a directory that is first in PATH.
func useWrapper(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return bin
}

func newPool(t *testing.T) *Pool {
	t.Helper()
	pool, err := NewPool(t.TempDir())
	check(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// remote runs a command on the other end of c and returns what it says.
func remote(c *Connection, command string) (string, error) {
	args := append(c.Command(), "--", c.Host(), command)
	out, err := exec.Command(args[0], args[1:]...).Output()
	return strings.TrimSpace(string(out)), err
}

// line is the address and port of both ends of the connection that a command
// comes over.
func line(t *testing.T, c *Connection) string {
	t.Helper()
	out, err := remote(c, "echo $SSH_CONNECTION")
	check(t, err)
	return out
}

func TestConnectionIsShared(t *testing.T) {
	_, pool := server(t)
	c := pool.Connection(Host{Name: "backup"})
	var all sync.WaitGroup
	lines := make([]string, 6)
	for i := range lines {
		all.Go(func() {
			if err := c.Ensure(t.Context(), os.Environ()); err != nil {
				t.Error(err)
				return
			}
			lines[i], _ = remote(c, "echo $SSH_CONNECTION")
		})
	}
	all.Wait()
	for _, l := range lines {
		if l == "" || l != lines[0] {
			t.Fatalf("several connections: %q", lines)
		}
	}
	// A second host by another name has its own.
	other := pool.Connection(Host{Name: "backup", User: "root"})
	if other == c {
		t.Error("different hosts share a connection")
	}
}

func TestMasterIsMadeAgain(t *testing.T) {
	s, pool := server(t)
	c := pool.Connection(Host{Name: "backup"})
	check(t, c.Ensure(t.Context(), os.Environ()))
	for name, accident := range map[string]func(){
		"the connection is killed": s.KillConnections,
		"the master is killed":     func() { syscall.Kill(masterOf(t, c), syscall.SIGKILL) },
		"reset":                    c.Reset,
	} {
		t.Run(name, func(t *testing.T) {
			before := line(t, c)
			exited := c.exited
			accident()
			poll(t, "the end of the master", func() bool {
				select {
				case <-exited:
					return true
				default:
					return false
				}
			})
			check(t, c.Ensure(t.Context(), os.Environ()))
			if after := line(t, c); after == before || after != line(t, c) {
				t.Errorf("%q, and before %q", after, before)
			}
		})
	}
}

// masterOf is the process of the shared connection.
func masterOf(t *testing.T, c *Connection) int {
	t.Helper()
	args := append(c.Command(), "-O", "check", "--", c.Host())
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	check(t, err)
	pid := 0
	if _, err := fmt.Sscanf(string(out), "Master running (pid=%d)", &pid); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return pid
}

func TestCloseEndsTheMaster(t *testing.T) {
	_, pool := server(t)
	c := pool.Connection(Host{Name: "backup"})
	check(t, c.Ensure(t.Context(), os.Environ()))
	pid := masterOf(t, c)
	pool.Close()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the master is there: %v", err)
	}
	if exists(pool.dir) {
		t.Error("the directory stays")
	}
}

// A host that refuses sessions on a shared connection is used all the same.
// A connection lasts as long as somebody has it, and no longer.
func TestRelease(t *testing.T) {
	_, pool := server(t)
	host := Host{Name: "backup"}
	c := pool.Connection(host)
	if pool.Connection(host) != c {
		t.Fatal("it is not shared")
	}
	check(t, c.Ensure(t.Context(), nil))
	master := masterOf(t, c)
	pool.Release(c)
	if masterOf(t, c) != master {
		t.Error("it has ended under somebody")
	}
	pool.Release(c)
	if err := syscall.Kill(master, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the master lives: %v", err)
	}
	next := pool.Connection(host)
	check(t, next.Ensure(t.Context(), nil))
	if next == c || masterOf(t, next) == master {
		t.Error("what has ended is used again")
	}
}

func TestHostThatDoesNotShare(t *testing.T) {
	remotetest.Long(t, testing.Short())
	_, pool := server(t, "MaxSessions 1")
	c := pool.Connection(Host{Name: "backup"})
	check(t, c.Ensure(t.Context(), os.Environ()))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if out, err := remote(c, "echo hello"); err != nil || out != "hello" {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
	all.Wait()
}

// How many sessions a host allows on one connection is found out, as far as it matters.
func TestSessions(t *testing.T) {
	for line, want := range map[string]int{"MaxSessions 1": 1, "MaxSessions 3": 3, "MaxSessions 10": maxSessions + 1} {
		_, pool := server(t, line)
		c := pool.Connection(Host{Name: "backup"})
		check(t, c.Ensure(t.Context(), os.Environ()))
		if shared, wanted, err := c.Sessions(t.Context(), os.Environ()); err != nil || shared != want || wanted != maxSessions+1 {
			t.Errorf("%s: %d of %d, %v", line, shared, wanted, err)
		}
	}
}

// Where the socket cannot be made, each command connects by itself.
func TestSocketThatCannotBeMade(t *testing.T) {
	remotetest.Long(t, testing.Short())
	_, pool := server(t)
	c := pool.Connection(Host{Name: "backup"})
	check(t, os.RemoveAll(pool.dir))
	check(t, c.Ensure(t.Context(), os.Environ()))
	if out, err := remote(c, "echo hello"); err != nil || out != "hello" {
		t.Errorf("%q, %v", out, err)
	}
	check(t, c.Ensure(t.Context(), os.Environ()))
}

func TestConnectErrors(t *testing.T) {
	s := remotetest.StartSSHD(t, remotetest.SSHDOptions{})
	stopped := remotetest.StartSSHD(t, remotetest.SSHDOptions{})
	bin := useWrapper(t)
	remotetest.WriteWrapper(t, bin, map[string]*remotetest.SSHD{"backup": s, "stopped": stopped})
	stopped.Stop()
	pool := newPool(t)
	for name, test := range map[string]struct {
		host Host
		want string
	}{
		"bad key":      {Host{Name: "127.0.0.1", Port: s.Port, User: s.User, IdentityFile: remotetest.NewKey(t)}, "Permission denied"},
		"refused":      {Host{Name: "stopped"}, "Connection refused"},
		"unresolvable": {Host{Name: "no-such-host.invalid"}, "Could not resolve hostname"},
	} {
		t.Run(name, func(t *testing.T) {
			connectError(t, pool.Connection(test.host), test.want)
		})
	}
	t.Run("unknown host key", func(t *testing.T) {
		check(t, os.WriteFile(filepath.Join(bin, "known_hosts"), nil, 0o600))
		connectError(t, pool.Connection(Host{Name: "backup"}), "Host key verification failed")
	})
}

// connectError expects ssh's words.
func connectError(t *testing.T, c *Connection, want string) {
	t.Helper()
	err := c.Ensure(t.Context(), append(os.Environ(), "LC_ALL=C"))
	var failure *ConnectError
	if !errors.As(err, &failure) || !strings.Contains(failure.Stderr, want) {
		t.Errorf("%v, expected %s", err, want)
	}
	if c.up() {
		t.Error("a master is left")
	}
}

func TestEnsureWithoutSSH(t *testing.T) {
	pool := newPool(t)
	t.Setenv("PATH", t.TempDir())
	if err := pool.Connection(Host{Name: "h"}).Ensure(t.Context(), nil); !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
}

func TestEnsureEndsEarly(t *testing.T) {
	s, pool := server(t)
	proxy := remotetest.StartProxy(t, fmt.Sprintf("127.0.0.1:%d", s.Port))
	proxy.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	c := pool.Connection(Host{Name: "127.0.0.1", Port: proxy.Port})
	if err := c.Ensure(ctx, os.Environ()); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if c.up() {
		t.Error("a master is left")
	}
}

func TestAcquire(t *testing.T) {
	c := newPool(t).Connection(Host{Name: "h"})
	var releases []func()
	for range maxSessions {
		release, err := c.Acquire(t.Context())
		check(t, err)
		releases = append(releases, release)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("one too many: %v", err)
	}
	releases[0]()
	if _, err := c.Acquire(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSFTP(t *testing.T) {
	for subsystem, want := range map[string]bool{"internal-sftp": true, "/does/not/exist": false} {
		_, pool := server(t, "Subsystem sftp "+subsystem)
		c := pool.Connection(Host{Name: "backup"})
		check(t, c.Ensure(t.Context(), os.Environ()))
		session, err := c.SFTP(t.Context(), os.Environ())
		if got := err == nil; got != want {
			t.Errorf("subsystem %s: offered %v, expected %v (%v)", subsystem, got, want, err)
		}
		if again, err := c.SFTP(t.Context(), os.Environ()); err == nil && again != session {
			t.Error("a second session for the same host")
		}
		// The connection is as good as before.
		if out, err := remote(c, "echo still there"); err != nil || out != "still there" {
			t.Errorf("%q, %v", out, err)
		}
	}
}
