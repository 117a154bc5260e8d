package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

func TestMain(m *testing.M) {
	remotetest.Prepare()
	os.Exit(m.Run())
}

var check, poll = remotetest.Check, remotetest.Poll

// patience bounds every wait of a test that goes wrong.
const patience = 30 * time.Second

// far is a server at the other end of a relay, whose connections the test gets
// in the order in which they come.
type far struct {
	t        *testing.T
	listener net.Listener
	conns    chan *net.TCPConn
}

func newFar(t *testing.T) *far {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	f := &far{t: t, listener: l, conns: make(chan *net.TCPConn, 100)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.conns <- c.(*net.TCPConn)
		}
	}()
	return f
}

func (f *far) address() string { return f.listener.Addr().String() }

// next is the next connection that comes.
func (f *far) next() *net.TCPConn {
	f.t.Helper()
	select {
	case c := <-f.conns:
		return bounded(f.t, c)
	case <-time.After(patience):
		f.t.Fatal("no connection comes")
		return nil
	}
}

// bounded gives a connection a deadline, and closes it with the test.
func bounded(t *testing.T, c *net.TCPConn) *net.TCPConn {
	t.Helper()
	check(t, c.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { c.Close() })
	return c
}

func newRelay(t *testing.T, address string) *Relay {
	t.Helper()
	return newPatientRelay(t, address, farewellTime)
}

// newPatientRelay makes a relay in which a run waits so long for the end of the last.
func newPatientRelay(t *testing.T, address string, farewell time.Duration) *Relay {
	t.Helper()
	r, err := open(address, farewell)
	check(t, err)
	t.Cleanup(r.Close)
	return r
}

// dial is what rsync does.
func dial(t *testing.T, r *Relay) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp", nil, r.Address())
	check(t, err)
	return bounded(t, c)
}

func say(t *testing.T, c net.Conn, words string) {
	t.Helper()
	_, err := io.WriteString(c, words)
	check(t, err)
}

// hear reads exactly words.
func hear(t *testing.T, c net.Conn, words string) {
	t.Helper()
	got := make([]byte, len(words))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != words {
		t.Fatalf("heard %q, %v; expected %q", got, err, words)
	}
}

// ended checks that nothing more comes, and that this is known.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	n, err := c.Read(make([]byte, 1))
	var late net.Error
	if n != 0 || err == nil || errors.As(err, &late) && late.Timeout() {
		t.Fatalf("it is not at its end: %d bytes, %v", n, err)
	}
}

// carrying is how many goroutines of this package are at work.
func carrying() int {
	all := make([]byte, 1<<20)
	n := 0
	for g := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if strings.Contains(g, "relay.(*Relay).accept(") || strings.Contains(g, "relay.(*Relay).serve(") || strings.Contains(g, "relay.carry(") {
			n++
		}
	}
	return n
}

func TestCarriesBothDirections(t *testing.T) {
	f := newFar(t)
	r := newRelay(t, f.address())
	here := dial(t, r)
	there := f.next()
	for i := range 100 {
		question, answer := fmt.Sprint("question ", i), fmt.Sprint("answer ", i)
		say(t, here, question)
		hear(t, there, question)
		say(t, there, answer)
		hear(t, here, answer)
	}
	here.Close()
	ended(t, there)
	there.Close()
	poll(t, "the end of the carrying", func() bool { return carrying() == 1 })
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.open); n != 0 {
		t.Errorf("%d connections are remembered", n)
	}
}

// It listens for this machine only.
func TestListensOnLoopback(t *testing.T) {
	if a := newRelay(t, "127.0.0.1:1").Address(); !a.IP.IsLoopback() || a.Port == 0 {
		t.Errorf("it listens at %v", a)
	}
}

// An end that has nothing more to say still hears the other.
func TestHalfClose(t *testing.T) {
	f := newFar(t)
	r := newRelay(t, f.address())
	for name, swap := range map[string]bool{"client first": false, "daemon first": true} {
		t.Run(name, func(t *testing.T) {
			first := dial(t, r)
			second := f.next()
			if swap {
				first, second = second, first
			}
			say(t, first, "all")
			check(t, first.CloseWrite())
			if got, err := io.ReadAll(second); err != nil || string(got) != "all" {
				t.Fatalf("%q, %v", got, err)
			}
			for range 10 {
				say(t, second, "and the answer")
				hear(t, first, "and the answer")
			}
			check(t, second.CloseWrite())
			ended(t, first)
		})
	}
}

// More than all buffers together hold goes both ways at the same time.
func TestLargeTransfers(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	r := newRelay(t, f.address())
	here := dial(t, r)
	there := f.next()
	const size = 32 << 20
	var all sync.WaitGroup
	for seed, way := range [][2]*net.TCPConn{{here, there}, {there, here}} {
		content := make([]byte, size)
		random := rand.NewChaCha8([32]byte{byte(seed)})
		_, _ = random.Read(content) // it never fails
		all.Go(func() {
			if _, err := way[0].Write(content); err != nil {
				t.Error(err)
			}
			_ = way[0].CloseWrite()
		})
		all.Go(func() {
			got, err := io.ReadAll(way[1])
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes arrived, %v; expected %d", len(got), err, len(content))
			}
		})
	}
	all.Wait()
}

// A sender is held up by a receiver that does not read, and goes on with it.
func TestSlowReader(t *testing.T) {
	f := newFar(t)
	here := dial(t, newRelay(t, f.address()))
	there := f.next()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	written := make(chan error, 1)
	go func() {
		_, err := here.Write(content)
		here.Close()
		written <- err
	}()
	half := make([]byte, len(content)/2)
	_, err := io.ReadFull(there, half)
	check(t, err)
	rest, err := io.ReadAll(there)
	check(t, err)
	check(t, <-written)
	if !bytes.Equal(append(half, rest...), content) {
		t.Error("something else arrived")
	}
}

func TestRunsAfterAnother(t *testing.T) {
	f := newFar(t)
	r := newRelay(t, f.address())
	for i := range 20 {
		here := dial(t, r)
		there := f.next()
		word := fmt.Sprint("run ", i)
		say(t, here, word)
		hear(t, there, word)
		here.Close()
		ended(t, there)
		there.Close()
	}
	if n := len(f.conns); n != 0 {
		t.Errorf("%d connections too many", n)
	}
}

// A run does not come before the daemon is done with the one before it, which may
// be a while after that run has ended.
func TestRunWaitsForTheEndOfTheLast(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	r := newPatientRelay(t, f.address(), time.Hour)
	for range 20 {
		first := dial(t, r)
		there := f.next()
		first.Close()
		second := dial(t, r)
		ended(t, there)
		if n := len(f.conns); n != 0 {
			t.Fatal("it did not wait")
		}
		there.Close()
		next := f.next()
		second.Close()
		ended(t, next)
		next.Close()
	}
	// But not for ever.
	r = newRelay(t, f.address())
	first := dial(t, r)
	there := f.next()
	first.Close()
	ended(t, there)
	second := dial(t, r)
	next := f.next()
	say(t, second, "on it goes")
	hear(t, next, "on it goes")
}

// The connection that Connect makes is the one of the next run, and of no other.
func TestConnectIsForTheNextRun(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	r := newRelay(t, f.address())
	check(t, r.Connect(t.Context()))
	ready := f.next()
	say(t, ready, "I was here before you") // as daemons greet
	here := dial(t, r)
	hear(t, here, "I was here before you")
	if n := len(f.conns); n != 0 {
		t.Errorf("the run made %d connections of its own", n)
	}
	second := dial(t, r)
	there := f.next()
	say(t, second, "another")
	hear(t, there, "another")
	here.Close()
	ended(t, ready)
}

// Only one waits at a time.
func TestConnectTwice(t *testing.T) {
	f := newFar(t)
	r := newRelay(t, f.address())
	check(t, r.Connect(t.Context()))
	first := f.next()
	check(t, r.Connect(t.Context()))
	second := f.next()
	ended(t, first)
	here := dial(t, r)
	say(t, second, "the second")
	hear(t, here, "the second")
}

func TestRelease(t *testing.T) {
	f := newFar(t)
	r := newRelay(t, f.address())
	r.Release() // nothing to release
	check(t, r.Connect(t.Context()))
	unused := f.next()
	r.Release()
	ended(t, unused)
	r.Release()
	// What is in use is no concern of it, and a run has its own connection then.
	here := dial(t, r)
	there := f.next()
	r.Release()
	say(t, here, "goes on")
	hear(t, there, "goes on")
}

// refusingAddress is an address of this machine at which nobody listens, and which
// nobody else gets: a socket has it that takes no connections.
func refusingAddress(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(t, err)
	t.Cleanup(func() { syscall.Close(socket) })
	check(t, syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(socket)
	check(t, err)
	return fmt.Sprint("127.0.0.1:", name.(*syscall.SockaddrInet4).Port)
}

func TestConnectFailsInPlainWords(t *testing.T) {
	refusing := refusingAddress(t)
	for _, test := range []struct{ address, begin, end string }{
		{refusing, "cannot connect to " + refusing + ": ", ": connection refused"},
		{"no-such-host.invalid:873", "cannot connect to no-such-host.invalid:873: lookup no-such-host.invalid", ""},
	} {
		r := newRelay(t, test.address)
		err := r.Connect(t.Context())
		if err == nil {
			t.Fatalf("%s: no error", test.address)
		}
		message := err.Error()
		if !strings.HasPrefix(message, test.begin) || !strings.HasSuffix(message, test.end) || strings.Contains(message, "dial tcp") || strings.Contains(message, "connect: ") {
			t.Errorf("%s: %s", test.address, message)
		}
	}
	r := newRelay(t, newFar(t).address())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Connect(ctx); err == nil {
		t.Error("it connects for somebody who has gone")
	}
}

// A run that the daemon does not take sees a connection that broke, not a daemon
// that hangs up on it: the one is tried again soon, the other needs somebody.
func TestRunThatIsRefused(t *testing.T) {
	d := remotetest.StartRsyncDaemon(t, map[string]string{"m": t.TempDir()}, remotetest.RsyncDaemonOptions{})
	d.Stop()
	r := newRelay(t, fmt.Sprintf("127.0.0.1:%d", d.Port))
	out, err := exec.CommandContext(t.Context(), "rsync", "--contimeout=10", "-r", t.TempDir()+"/", "rsync://"+r.Address().String()+"/m/").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 10 && exit.ExitCode() != 12 {
		t.Errorf("rsync ended with %v: %s", err, out)
	}
}

// rsync's own traffic, and a daemon that dies within it.
func TestRsync(t *testing.T) {
	t.Parallel()
	src, dst := t.TempDir(), t.TempDir()
	d := remotetest.StartRsyncDaemon(t, map[string]string{"m": dst}, remotetest.RsyncDaemonOptions{})
	r := newRelay(t, fmt.Sprintf("127.0.0.1:%d", d.Port))
	run := func(args ...string) *exec.Cmd {
		args = append(args, "--archive", "--modify-window=-1", "--timeout=60", src+"/", "rsync://"+r.Address().String()+"/m/")
		return exec.CommandContext(t.Context(), "rsync", args...)
	}
	content := make([]byte, 8<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(content) // it never fails
	check(t, os.WriteFile(filepath.Join(src, "large"), content, 0o644))
	for i := range 100 {
		check(t, os.WriteFile(filepath.Join(src, fmt.Sprint("small", i)), content[:i], 0o644))
	}
	for range 2 {
		check(t, r.Connect(t.Context()))
		if out, err := run().CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, difference := range remotetest.CompareTrees(src, dst) {
		t.Error(difference)
	}

	// So slow that it is certain to be in the middle.
	check(t, os.WriteFile(filepath.Join(src, "next"), content, 0o644))
	cmd := run("--bwlimit=100", "--whole-file")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	check(t, cmd.Start())
	poll(t, "the temporary file", func() bool {
		found, err := filepath.Glob(filepath.Join(dst, ".next.*"))
		return err == nil && len(found) > 0
	})
	noticed := make(chan error, 1)
	go func() { noticed <- cmd.Wait() }()
	d.Stop()
	var err error
	select {
	case err = <-noticed:
	case <-time.After(patience):
		t.Fatal("it does not notice")
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 10 && exit.ExitCode() != 12 {
		t.Errorf("rsync ended with %v: %s", err, complaints.String())
	}
	d.Restart()
	if out, err := run().CombinedOutput(); err != nil {
		t.Errorf("not even afterwards: %v: %s", err, out)
	}
}

// A daemon that is gone all at once.
func TestDaemonBreaksOff(t *testing.T) {
	f := newFar(t)
	r := newRelay(t, f.address())
	here := dial(t, r)
	there := f.next()
	say(t, here, "it does not read this")
	poll(t, "what it does not read", func() bool { return carrying() == 4 })
	check(t, there.SetLinger(0)) // without a farewell
	there.Close()
	ended(t, here)
	poll(t, "the end of the carrying", func() bool { return carrying() == 1 })
}

func TestClose(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	r := newRelay(t, f.address())
	var ends []net.Conn
	for range 3 {
		ends = append(ends, dial(t, r), f.next())
	}
	poll(t, "three connections", func() bool { return carrying() == 1+3*3 })
	check(t, r.Connect(t.Context()))
	ends = append(ends, f.next())
	r.Close()
	for _, c := range ends {
		ended(t, c)
	}
	if c, err := net.DialTCP("tcp", nil, r.Address()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
	poll(t, "the end of all goroutines", func() bool { return carrying() == 0 })
	r.Close()
	if err := r.Connect(t.Context()); err == nil {
		t.Error("it connects after its end")
	}
	select {
	case c := <-f.conns:
		ended(t, bounded(t, c)) // it came too late to be kept
	case <-time.After(patience):
		t.Error("the connection never came") // or the test looks at nothing
	}
}

// Close does not wait for a daemon that does not answer, and neither does what
// it ends.
func TestCloseWhileConnecting(t *testing.T) {
	r, dialing := newRelay(t, "127.0.0.1:1"), make(chan struct{})
	r.mu.Lock() // which a run takes before it dials
	r.dialer.Timeout = time.Hour
	r.dialer.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		close(dialing)
		<-ctx.Done()
		return ctx.Err()
	}
	r.mu.Unlock()
	here := dial(t, r)
	select {
	case <-dialing:
	case <-time.After(patience):
		t.Fatal("nobody dials")
	}
	r.Close()
	ended(t, here)
	poll(t, "the end of all goroutines", func() bool { return carrying() == 0 })
}

// All methods at once, from several goroutines. What arrives is what was sent.
func TestManyAtOnce(t *testing.T) {
	f := newFar(t)
	go func() {
		for c := range f.conns {
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // until the other end goes
			}()
		}
	}()
	r := newRelay(t, f.address())
	var runs, others sync.WaitGroup
	done := make(chan struct{})
	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				r.Release()
			}
		}
	})
	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := r.Connect(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for i := range 8 {
		runs.Go(func() {
			for j := range 20 {
				c, err := net.DialTCP("tcp", nil, r.Address())
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(patience))
				words := fmt.Sprint("run ", i, " ", j)
				_, err = io.WriteString(c, words)
				_ = c.CloseWrite()
				if got, readErr := io.ReadAll(c); err != nil || readErr != nil || string(got) != words {
					t.Errorf("%q, %v, %v; expected %q", got, err, readErr, words)
				}
				c.Close()
			}
		})
	}
	runs.Wait()
	close(done)
	others.Wait()
	r.Close()
	poll(t, "the end of all goroutines", func() bool { return carrying() == 0 })
}
