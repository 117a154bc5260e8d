package inotify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

// silent is a watch.Sink that only reports barriers.
type silent struct {
	calls    int
	barriers chan uint64
}

func (s *silent) Changed(string, watch.Change) { s.calls++ }
func (s *silent) Moved(string, string, bool)   { s.calls++ }
func (s *silent) Lost(string)                  {}
func (s *silent) RootGone(string)              {}
func (s *silent) Barrier(n uint64)             { s.barriers <- n }

// runSilent runs a watcher for a benchmark and waits until it is armed.
func runSilent(b *testing.B, root string) (w watch.Watcher, s *silent, end func()) {
	s = &silent{barriers: make(chan uint64, 1)}
	w = New(root, watch.Options{}, s)
	ctx, cancel := context.WithCancel(context.Background())
	armed, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() { close(armed) }) }()
	select {
	case <-armed:
	case err := <-ended:
		b.Fatal(err)
	}
	return w, s, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvents measures how fast events that are in the kernel's queue are
// handled. Each operation is a queue of them.
func BenchmarkEvents(b *testing.B) {
	root := b.TempDir()
	watchtest.Mkdirs(b, filepath.Join(root, "some", "directory"))
	path := filepath.Join(root, "some", "directory", "file")
	s := &silent{barriers: make(chan uint64, 1)}
	w := New(root, watch.Options{}, s)
	if err := w.open(); err != nil {
		b.Fatal(err)
	}
	defer w.close()
	w.visitRoot("")
	w.visitSome()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for range 3000 {
			// create, modify, close, delete
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				b.Fatal(err)
			}
			if err := os.Remove(path); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if err := w.readSome(); err != nil {
			b.Fatal(err)
		}
	}
	if !w.overflow.IsZero() {
		b.Fatal("the queue overflowed")
	}
	b.ReportMetric(float64(s.calls)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkArm measures how long it takes to watch 12,000 directories with
// 100,000 files, and what memory the watcher then needs.
func BenchmarkArm(b *testing.B) {
	root := b.TempDir()
	dirs := 0
	for i := range 120 {
		for j := range 100 {
			dir := filepath.Join(root, fmt.Sprintf("package%d", i), fmt.Sprintf("directory%d", j))
			watchtest.Mkdirs(b, dir)
			dirs++
			for k := range 8 {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%d.go", k)), nil, 0o600); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportAllocs()
	var before, after runtime.MemStats
	n := 0
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		w, _, end := runSilent(b, root)
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if got := w.Stats().Directories; got < dirs {
			b.Fatalf("%d directories are watched, not %d", got, dirs)
		}
		n += dirs
		end()
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "dirs/s")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(dirs), "B/dir")
}
