package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/remotetest"
)

// descriptors counts what a process has open. The server hides it from all but
// root; for others it is 0.
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if errors.Is(err, fs.ErrPermission) && pid != os.Getpid() {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A session that lasts as long as a mirror must not collect handles. The server
// can open few, so that it would soon refuse if some were left.
func TestNoHandleIsLeft(t *testing.T) {
	c, server := start(t, "sh", "-c", `ulimit -n 24 && exec "$0"`, remotetest.SFTPServer(t))
	dir := t.TempDir()
	temporary, path := filepath.Join(dir, ".new"), filepath.Join(dir, "file")
	mustWait(t, c.Mkdir(filepath.Join(dir, "sub"), Attrs{})) // the shell has become the server
	before := descriptors(t, server.Process.Pid)
	for i := range 300 {
		h := mustCreate(t, c, temporary)
		again := c.Create(temporary)
		elsewhere := c.Create(filepath.Join(dir, "no", "file"))
		tooLong := c.Write(h, 0, make([]byte, maxPacket))
		mustWait(t, c.Write(h, 0, []byte(fmt.Sprint(i))), c.Fsetstat(h, Attrs{}), c.CloseHandle(h), c.PosixRename(temporary, path))
		for _, r := range []*Reply{
			again.Reply, elsewhere.Reply, tooLong,
			c.Write(h, 0, nil), c.CloseHandle(h), c.PosixRename(temporary, path), c.Rmdir(dir),
		} {
			if r.Wait() == nil {
				t.Fatal("a request succeeded that cannot")
			}
		}
		if _, err := c.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadDir(path); err == nil {
			t.Fatal("a file was read as a directory")
		}
	}
	// The reply tells that all requests before it were carried out.
	if _, err := c.Realpath(".").Wait(); err != nil {
		t.Fatal(err)
	}
	if after := descriptors(t, server.Process.Pid); after != before {
		t.Errorf("the server has %d descriptors open, and had %d", after, before)
	}
	if len(c.pending) > 0 {
		t.Errorf("%d replies are still awaited", len(c.pending))
	}
}

// A client leaves nothing open in its own process either.
func TestNoDescriptorIsLeft(t *testing.T) {
	session := func() {
		c, server := start(t, remotetest.SFTPServer(t))
		mustWait(t, c.Mkdir(filepath.Join(t.TempDir(), "x"), Attrs{}))
		c.Close()
		server.Wait()
	}
	session() // what Go opens once
	before := descriptors(t, os.Getpid())
	for range 20 {
		session()
	}
	if after := descriptors(t, os.Getpid()); after > before {
		t.Errorf("%d descriptors are open, and %d were", after, before)
	}
}
