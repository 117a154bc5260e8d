package inotify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

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
func runSilent(b *testing.B, root string, opts watch.Options) (w *Watcher, s *silent, end func()) {
	s = &silent{barriers: make(chan uint64, 1)}
	w = New(root, opts, s)
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
		w, _, end := runSilent(b, root, watch.Options{})
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

// BenchmarkArmBesideOthers measures what a directory costs that is not to be watched,
// with 50,000 files in 5,000 directories, beside 1,000 directories that are: how much
// longer it takes to watch the tree with it than without, how much more memory the
// watcher then needs, and the same if it is watched, too. It makes many files: a
// TMPDIR in memory saves time.
func BenchmarkArmBesideOthers(b *testing.B) {
	root, out := b.TempDir(), filepath.Join(b.TempDir(), "out")
	plant := func(dir string, dirs, files int) {
		for i := range dirs {
			dir := filepath.Join(dir, fmt.Sprintf("package%d", i/50), fmt.Sprintf("directory%d", i))
			watchtest.Mkdirs(b, dir)
			for k := range files {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%d.js", k)), nil, 0o600); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	plant(root, 1000, 10)
	plant(out, 5000, 10)
	depths := watchtest.NewDepths(map[string]watch.Depth{"out": watch.Nothing})

	type cost struct {
		time    time.Duration
		memory  uint64
		watches int
	}
	measure := func(opts watch.Options) cost {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		w, _, end := runSilent(b, root, opts)
		c := cost{time: time.Since(start)}
		runtime.GC()
		runtime.ReadMemStats(&after)
		c.memory, c.watches = after.HeapAlloc-before.HeapAlloc, watches(b, w.fd)
		end()
		return c
	}
	measure(watch.Options{Enter: depths.Enter}) // the first is slow
	var without, with, watched cost
	add := func(sum *cost, c cost) {
		sum.time += c.time
		sum.memory += c.memory
		sum.watches = c.watches
	}
	for b.Loop() {
		add(&without, measure(watch.Options{Enter: depths.Enter}))
		here := filepath.Join(root, "out")
		if err := os.Rename(out, here); err != nil {
			b.Fatal(err)
		}
		add(&with, measure(watch.Options{Enter: depths.Enter}))
		add(&watched, measure(watch.Options{}))
		if err := os.Rename(here, out); err != nil {
			b.Fatal(err)
		}
	}
	if with.watches != without.watches {
		b.Errorf("there are %d watches with it, and %d without", with.watches, without.watches)
	}
	b.ReportMetric(float64(with.time)/float64(without.time), "time-ratio")
	b.ReportMetric(float64(with.memory)/float64(without.memory), "memory-ratio")
	b.ReportMetric(float64(watched.time)/float64(without.time), "watched-time-ratio")
	b.ReportMetric(float64(watched.memory)/float64(without.memory), "watched-memory-ratio")
}

// BenchmarkLook measures a look at a tree of 12,000 directories, some of which hold one
// that is not watched.
func BenchmarkLook(b *testing.B) {
	root := b.TempDir()
	for i := range 120 {
		for j := range 100 {
			dir := filepath.Join(root, fmt.Sprintf("package%d", i), fmt.Sprintf("directory%d", j))
			if j == 0 {
				dir = filepath.Join(dir, "out")
			}
			watchtest.Mkdirs(b, dir)
		}
	}
	asked := 0
	w, s, end := runSilent(b, root, watch.Options{Enter: func(dir string) watch.Depth {
		asked++
		if filepath.Base(dir) == "out" {
			return watch.Nothing
		}
		return watch.Whole
	}})
	b.ReportAllocs()
	armed := s.calls
	for n := uint64(1); b.Loop(); n++ {
		w.Look([]string{""})
		w.Events(n)
		<-s.barriers
	}
	b.StopTimer()
	end()
	if s.calls > armed {
		b.Errorf("%d changes were reported", s.calls-armed)
	}
	b.ReportMetric(float64(asked)/float64(b.N+1), "asked/op") // and once when it was armed
}
