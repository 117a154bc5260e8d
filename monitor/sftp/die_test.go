package sftp

import (
	"errors"
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// A real server is killed while requests are under way.
func TestServerIsKilled(t *testing.T) {
	c, server := start(t, remotetest.SFTPServer(t))
	h := mustCreate(t, c, filepath.Join(t.TempDir(), "file"))
	// Stopped, it leaves the requests in the pipe.
	if err := server.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	first := c.Remove("nothing") // before the queue is full
	replies := make(chan []*Reply, 1)
	go func() {
		data := make([]byte, MaxWrite)
		var all []*Reply
		for i := range 100 { // more than the pipe and the queue hold
			all = append(all, c.Write(h, uint64(i)*MaxWrite, data))
		}
		replies <- all
	}()
	c.Flush()
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(20 * time.Second)
	select {
	case all := <-replies:
		for i, r := range append(all, first) {
			select {
			case <-r.done:
			case <-deadline:
				t.Fatalf("reply %d is still awaited", i)
			}
			if err := r.Wait(); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("reply %d: %v", i, err)
			}
		}
	case <-deadline:
		t.Fatal("requests still wait for the server")
	}
}

// Close does not wait for a server that does not move.
func TestCloseOfStoppedServer(t *testing.T) {
	c, server := start(t, remotetest.SFTPServer(t))
	if err := server.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r := c.Remove("nothing")
	c.Flush()
	c.Close()
	wantClosed(t, r)
	if err := server.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}
