package transfer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// BenchmarkLanes measures from where on a batch is faster by rsync than by the
// direct lane, over ssh on loopback: so many changed files of a size. The bounds
// of directLimits come from it.
//
//	go test -run '^$' -bench Lanes -benchtime 10x ./monitor/transfer
func BenchmarkLanes(b *testing.B) {
	defer func(limits direct.Limits) { directLimits = limits }(directLimits)
	directLimits = unbounded
	for _, c := range []struct {
		files int
		size  int
	}{{1, 1 << 10}, {30, 1 << 10}, {300, 1 << 10}, {1000, 1 << 10}, {3000, 1 << 10}, {1, 256 << 10}, {1, 1 << 20}, {1, 4 << 20}, {8, 1 << 20}} {
		for _, name := range []string{"direct", "rsync"} {
			b.Run(fmt.Sprintf("files=%d/KiB=%d/%s", c.files, c.size>>10, name), func(b *testing.B) {
				l, r := sshLane(b)
				var entries []*dirty.Entry
				for i := range c.files {
					entries = append(entries, &dirty.Entry{Path: fmt.Sprintf("d%d/f%d", i%10, i), Change: watch.Content, Seq: 1})
				}
				if name == "rsync" {
					k := *l.known.Load()
					k.direct = nil
					l.known.Store(&k)
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
					order := orderOf(r, entries...)
					if round == 0 {
						// The directories are there from the second time on.
						order.Batch.Everything = &dirty.Entry{Change: watch.Tree}
					}
					began := time.Now()
					if out := l.Transfer(context.Background(), order, new(asker)); out.Failure != nil || len(out.Failed) > 0 {
						b.Fatal(out.Failure, out.Failed)
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
