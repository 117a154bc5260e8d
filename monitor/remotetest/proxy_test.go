package remotetest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// startEcho starts a server that says back what it is told, and returns its
// address.
func startEcho(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address(p.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echo sends a word and waits for it to come back.
func echo(conn net.Conn, word string, patience time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, word); err != nil {
		return err
	}
	got := make([]byte, len(word))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if string(got) != word {
		return fmt.Errorf("%q came back as %q", word, got)
	}
	return nil
}

func TestProxyDelays(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	conn := dial(t, p)
	if err := echo(conn, "at once", patience); err != nil {
		t.Fatal(err)
	}
	p.SetDelay(50 * time.Millisecond)
	start := time.Now()
	if err := echo(conn, "delayed", patience); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("a round trip took %v", took)
	}
}

func TestProxyRate(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	p.SetRate(1 << 20)
	conn := dial(t, p)
	start := time.Now()
	if err := echo(conn, strings.Repeat("x", 100<<10), patience); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 90*time.Millisecond {
		t.Errorf("100 KiB took %v at 1 MiB/s", took)
	}
}

func TestProxyCutAndHeal(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	talking, silent := dial(t, p), dial(t, p)
	for _, conn := range []net.Conn{talking, silent} {
		if err := echo(conn, "before", patience); err != nil {
			t.Fatal(err)
		}
	}
	p.Cut()
	for _, conn := range []net.Conn{talking, dial(t, p)} {
		if err := echo(conn, "lost", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("over a dead line: %v", err)
		}
	}
	p.Heal()
	if err := echo(silent, "nothing lost", patience); err != nil {
		t.Errorf("a connection that lost nothing: %v", err)
	}
	if err := echo(talking, "a hole", patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that lost bytes: %v", err)
	}
	if err := echo(dial(t, p), "new", patience); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

func TestProxyCloseAll(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	conn := dial(t, p)
	if err := echo(conn, "before", patience); err != nil {
		t.Fatal(err)
	}
	p.CloseAll()
	if err := echo(conn, "after", patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a closed connection: %v", err)
	}
	if err := echo(dial(t, p), "new", patience); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

// A side that is done writing can still read, as rsync expects.
func TestProxyClosesEachDirectionAlone(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	conn := dial(t, p)
	if _, err := io.WriteString(conn, "last words"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "last words" {
		t.Errorf("%q came back, %v", got, err)
	}
}

func TestProxyWithoutTarget(t *testing.T) {
	p := StartProxy(t, address(freePort(t)))
	if err := echo(dial(t, p), "anybody?", patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("without a target: %v", err)
	}
}
