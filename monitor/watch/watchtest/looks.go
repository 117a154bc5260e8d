package watchtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wsync/monitor/watch"
)

// DepthsFromTheStart has a tree watched that holds directories which are not to be,
// lost and found again.
func DepthsFromTheStart(t *testing.T, create New) {
	t.Parallel()
	s := depthScene(t, create, watch.Options{}, func(e *Engine) {
		for _, dir := range []string{"a/out/b/c", "out/out", "a/b/alone/c", "alone/out"} {
			Mkdirs(t, e.Abs(dir))
		}
	})
	if got := s.W.Stats().Directories; got != 5 {
		t.Errorf("%d directories are watched, not 5", got)
	}
	for path, times := range map[string]int{"a": 1, "a/out": 1, "a/b": 1, "a/b/alone": 1, "alone": 1, "out": 1, "": 0, "a/out/b": 0, "out/out": 0, "alone/out": 0, "a/b/alone/c": 0} {
		// One that is not lossless looks again on its own.
		if got := s.Depths.Asked(path); got < times || got > times && (times == 0 || s.W.Stats().Lossless) {
			t.Errorf("asked %d times about %q, not %d times", got, path, times)
		}
	}
	s.Verify()
	s.Rename(s.Root, s.Out("away"))
	s.Await("the loss of the root", func() bool { return len(s.GoneFor()) > 0 })
	s.Say("/a/b", watch.Nothing, "a") // nothing to look at
	s.Sync()
	s.Rename(s.Out("away"), s.Root)
	s.Await("the root's return", func() bool { return len(s.Losses()) > 0 })
	s.Verify()
	s.quiet("a/b")
}

// LookBeforeRun has a watcher look before it runs, and while it arms.
func LookBeforeRun(t *testing.T, create New) {
	t.Parallel()
	root := t.TempDir()
	for i := range 100 {
		Mkdirs(t, filepath.Join(root, fmt.Sprint("d", i), "out", "a"), filepath.Join(root, fmt.Sprint("d", i), "b"))
	}
	e := NewEngine(t, root)
	e.Depths = NewDepths(map[string]watch.Depth{"out": watch.Nothing})
	w, err := create(root, watch.Options{CookieDir: t.TempDir(), Enter: e.Depths.Enter}, e)
	if err != nil {
		t.Fatal(err)
	}
	w.Look([]string{"", "d1/out", "none"})
	b := Launch(t, w, e)
	b.Say("/d7/out", watch.Whole, "d7")
	b.Say("b", watch.Nothing, "")
	b.AwaitArmed()
	b.Verify()
}

// LookTogether has several goroutines call Look while the tree changes.
func LookTogether(t *testing.T, create New) {
	t.Parallel()
	s := depthScene(t, create, watch.Options{}, nil)
	s.Plant(s.In("a"), 3, 2, 1)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for j := range 40 {
				path := fmt.Sprint("a/dir", i, "/made", j)
				s.Depths.Say("/"+path, watch.Depth(j%3))
				s.W.Look([]string{path, fmt.Sprint("a/dir", j%3)})
				if err := os.MkdirAll(filepath.Join(s.In(path), "below"), 0o755); err != nil {
					t.Error(err)
				}
				_ = os.Rename(s.In("a", fmt.Sprint("dir", i), "dir2"), s.In("a", fmt.Sprint("dir", (i+j)%3), "dir2"))
			}
		})
	}
	wg.Wait()
	s.Verify()
	for i := range 3 {
		wg.Go(func() {
			for j := range 40 {
				path := fmt.Sprint("a/dir", i, "/made", j)
				s.Depths.Say("/"+path, watch.Whole)
				s.W.Look([]string{path})
			}
		})
	}
	wg.Wait()
	s.Verify()
}

// LookByTheSink has the sink call Look for what it is told, as for a file of rules: a
// barrier asked for before that waits for what comes of it.
func LookByTheSink(t *testing.T, create New) {
	t.Parallel()
	for name, opts := range map[string]watch.Options{"watched": {}, "polled": {MaxWatches: 1}} {
		t.Run(name, func(t *testing.T) { lookByTheSink(t, create, opts) })
	}
}

func lookByTheSink(t *testing.T, create New, opts watch.Options) {
	t.Parallel()
	var b *Bench
	s := depthScene(t, create, opts, func(e *Engine) {
		e.Before = func(path string, _ watch.Change) {
			if strings.HasSuffix(path, "/rules") {
				e.Depths.Say("out", watch.Whole)
				b.W.Look([]string{filepath.Dir(path)})
			}
		}
	})
	b = s.Bench
	s.Plant(s.In("d", "out"), 2, 1, 1)
	s.Verify()
	s.Forget()
	s.Write(s.In("d", "rules"), "x")
	s.Sync()
	seen := s.Said("d/out")
	if s.W.Stats().Lossless || opts.MaxWatches > 0 { // else it may be told late
		if seen&watch.Tree == 0 {
			t.Errorf("of the directory was said %05b", seen)
		}
	}
	s.Verify()
}
