package monitor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/watch"
)

// BenchmarkLanes measures from where on a batch is faster by rsync than by the
// direct lane, over ssh on loopback: so many changed files of a size. The bounds
// in small.go come from it.
//
//	go test -run '^$' -bench Lanes -benchtime 10x ./monitor
func BenchmarkLanes(b *testing.B) {
	for _, c := range []struct {
		files int
		size  int
	}{{1, 1 << 10}, {30, 1 << 10}, {300, 1 << 10}, {1000, 1 << 10}, {3000, 1 << 10}, {1, 256 << 10}, {1, 1 << 20}, {1, 4 << 20}, {8, 1 << 20}} {
		for _, name := range []string{"direct", "rsync"} {
			b.Run(fmt.Sprintf("files=%d/KiB=%d/%s", c.files, c.size>>10, name), func(b *testing.B) {
				l, remote := benchLane(b)
				var entries []*dirty.Entry
				for i := range c.files {
					entries = append(entries, &dirty.Entry{Path: fmt.Sprintf("d%d/f%d", i%10, i), Change: watch.Content, Seq: 1})
				}
				if name == "rsync" {
					l.known.Load().direct = nil
				}
				var total time.Duration
				for round := range b.N {
					content := make([]byte, c.size)
					copy(content, fmt.Sprint(round)) // little of it changes, which is rsync's case
					for _, e := range entries {
						path := filepath.Join(l.root, e.Path)
						if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
							b.Fatal(err)
						}
						if err := os.WriteFile(path, content, 0o644); err != nil {
							b.Fatal(err)
						}
					}
					req := request{batch: dirty.Batch{Entries: entries}, remote: remote, limits: deletionLimits{share: 0.5, count: 100}, bounds: unbounded}
					if round == 0 {
						// The directories are there from the second time on.
						req.batch.Everything = &dirty.Entry{Change: watch.Tree}
					}
					began := time.Now()
					if out := l.transfer(context.Background(), req, func(rsync.Progress) {}); out.err != nil || len(out.failed) > 0 {
						b.Fatal(out.err, out.failed)
					}
					if round > 0 {
						total += time.Since(began)
					}
				}
				b.ReportMetric(float64(total.Microseconds())/1000/float64(max(b.N-1, 1)), "ms/batch")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// unbounded lets the direct lane take whatever there is.
var unbounded = direct.Limits{Paths: 1 << 20, Bytes: 1 << 30, FileSize: 1 << 30}

// benchLane is a lane to an empty directory behind a real sshd, that knows its
// remote.
func benchLane(b *testing.B) (*lane, config.Remote) {
	b.Helper()
	if missing := remotetest.Missing(); missing != "" {
		b.Fatal(missing)
	}
	sshd := remotetest.StartSSHD(b, remotetest.SSHDOptions{})
	bin := b.TempDir()
	sshd.Wrapper(bin, "bench-host")
	b.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	run, err := os.MkdirTemp("", "wb") // the path of a socket is short
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(run) })
	pool, err := ssh.NewPool(run)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	version, err := rsync.LocalVersion(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	remote := config.Remote{Name: "r", RemotePath: b.TempDir(), Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "bench-host"}}}
	l := &lane{
		log: zap.NewNop(), root: b.TempDir(), local: version, scratch: run,
		environment: func() []string { return rsync.Environment("") },
		connection:  pool.Connection(ssh.HostOf(remote.Connection)),
		files:       direct.NewFiles(func() uint64 { return 1 }),
	}
	b.Cleanup(l.close)
	req := request{batch: dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree}}, remote: remote, limits: deletionLimits{share: 0.5, count: 100}}
	if out := l.transfer(context.Background(), req, func(rsync.Progress) {}); out.err != nil {
		b.Fatal(out.err)
	}
	if l.directly() == nil {
		b.Fatal("no direct lane: ", l.known.Load().notes)
	}
	return l, remote
}
