package transfer

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// expectCounts checks what is done and to do.
func expectCounts(t *testing.T, c *counter, files, totalFiles int, bytes, totalBytes int64) {
	t.Helper()
	if c.Files != files || c.TotalFiles != totalFiles || c.Bytes != bytes || c.TotalBytes != totalBytes {
		t.Errorf("%d of %d files, %d of %d bytes; expected %d of %d, %d of %d", c.Files, c.TotalFiles, c.Bytes, c.TotalBytes, files, totalFiles, bytes, totalBytes)
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	var c counter
	c.expect("a", 10)
	c.expect("b", 100)
	c.expect("a", 10) // by another way to it
	expectCounts(t, &c, 0, 2, 0, 110)
	c.begin("a", 10)
	c.reach(4)
	c.reach(3) // never back
	expectCounts(t, &c, 0, 2, 4, 110)
	c.begin("b", 120) // which has grown
	expectCounts(t, &c, 1, 2, 10, 130)
	c.reach(50)
	c.stop() // the connection broke
	expectCounts(t, &c, 1, 2, 10, 130)
	c.put("b", 130)
	expectCounts(t, &c, 2, 2, 140, 140)
	c.put("a", 10) // once more
	c.begin("a", 11)
	c.reach(11)
	c.end()
	expectCounts(t, &c, 2, 2, 140, 140)
	c.put("unexpected", 1)
	expectCounts(t, &c, 3, 3, 141, 141)
	c.expect("equal", 1000)
	c.drop([]string{"equal", "a", "nowhere"})
	expectCounts(t, &c, 3, 3, 141, 141)
	c.fail("b")
	c.fail("b")
	c.fail("nowhere")
	expectCounts(t, &c, 2, 2, 11, 11)
}

func TestCounterLooks(t *testing.T) {
	t.Parallel()
	var c counter
	if !c.isFound("a") {
		t.Error("nobody looked, and it is not to be sent")
	}
	c.look()
	c.differs("a")
	c.differs("a")
	if !c.Looking || c.Found != 1 || !c.isFound("a") || c.isFound("b") {
		t.Errorf("%+v", c.Progress)
	}
	if c.put("a", 1); c.Looking {
		t.Error("it still looks while it sends")
	}
}

// progressTrace sees to what progress says: it goes on, and never beyond what is to do.
type progressTrace struct {
	t      *testing.T
	last   remote.Progress
	looked bool
}

func (p *progressTrace) take(now remote.Progress) {
	p.t.Helper()
	if now.Files > now.TotalFiles || now.Bytes > now.TotalBytes || now.Files < 0 || now.Bytes < 0 {
		p.t.Errorf("more is done than there is to do: %+v", now)
	}
	p.looked = p.looked || now.Looking
	p.last = now
}

// TestExactCounts: what a transfer counts are the files and bytes that it was about,
// whichever way they go; a file that is in a full pass and in the batch counts once.
func TestExactCounts(t *testing.T) {
	daemon := func(t testing.TB) (*Lane, config.Remote) {
		at := remotetest.StartRsyncDaemon(t, map[string]string{"mod": t.TempDir()}, remotetest.RsyncDaemonOptions{})
		r := config.Remote{Name: "r", RemotePath: "mod", Connection: config.Connection{RsyncDaemon: &config.RsyncDaemon{Host: "127.0.0.1", Port: at.Port}}}
		l := newLane(t, nil, t.TempDir())
		order := orderOf(r)
		order.Batch = dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree}}
		succeed(t, l.Transfer(t.Context(), order, new(asker)))
		return l, r
	}
	for name, lane := range map[string]func(testing.TB) (*Lane, config.Remote){"local": localLane, "ssh": sshLane, "daemon": daemon} {
		t.Run(name, func(t *testing.T) {
			l, r := lane(t)
			transfer := func(what string, pass bool, files int, bytes int64, entries ...*dirty.Entry) (out remote.Outcome, trace progressTrace) {
				t.Helper()
				order := orderOf(r, entries...)
				if pass {
					order.Batch.Everything = &dirty.Entry{Change: watch.Tree}
				}
				trace.t = t
				out = l.Transfer(t.Context(), order, &asker{progress: trace.take})
				succeed(t, out)
				if out.Files != files || out.Bytes != bytes {
					t.Errorf("%s: %d files, %d bytes; expected %d, %d", what, out.Files, out.Bytes, files, bytes)
				}
				if last := trace.last; last.Files != files || last.Bytes != bytes || last.TotalFiles != files || last.TotalBytes != bytes {
					t.Errorf("%s: the progress was %+v at last", what, last)
				}
				return out, trace
			}
			var all int64
			var names []*dirty.Entry
			for i := range 82 {
				name := fmt.Sprintf("d/f%d", i)
				put(t, l.root, name)
				all += int64(len("content of " + name))
				names = append(names, entryOf(name))
			}
			big := filepath.Join(l.root, "big")
			check(t, os.WriteFile(big, make([]byte, 3_000_000), 0o644))
			names = append(names, entryOf("big"))
			// As when a tree is made while a workspace begins.
			if _, trace := transfer("pass and changes", true, 83, all+3_000_000, names...); !trace.looked {
				t.Error("a pass did not say that it looks")
			}
			check(t, os.WriteFile(big, make([]byte, 1_000_000), 0o644))
			transfer("a change", false, 1, 1_000_000, &dirty.Entry{Path: "big", Change: watch.Content, Seq: 1})
			check(t, os.WriteFile(big, make([]byte, 2_000_000), 0o644))
			transfer("a large change", false, 1, 2_000_000, &dirty.Entry{Path: "big", Change: watch.Content, Seq: 1})
			check(t, os.Rename(filepath.Join(l.root, "d"), filepath.Join(l.root, "e")))
			out, _ := transfer("a directory", false, 82, all, &dirty.Entry{Path: "e", Change: madeDir, Seq: 1})
			confirmation := orderOf(r, out.Unconfirmed...) // sftp carries no fractions of a second
			confirmation.Confirm = true
			if out := l.Transfer(t.Context(), confirmation, new(asker)); out.Files != 0 || out.Bytes != 0 {
				t.Errorf("a confirmation: %d files, %d bytes", out.Files, out.Bytes)
			}
			check(t, os.Chmod(filepath.Join(l.root, "e/f1"), 0o600))
			settling := orderOf(r) // of times, of which sftp has the seconds only
			settling.Batch.Everything = &dirty.Entry{Change: watch.Tree}
			succeed(t, l.Transfer(t.Context(), settling, new(asker)))
			transfer("a pass over what is equal", true, 0, 0)
			check(t, os.WriteFile(filepath.Join(l.root, "e/f2"), []byte("another length of it"), 0o644))
			transfer("a pass that finds one", true, 1, 20)
		})
	}
}
