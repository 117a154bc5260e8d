package inotify

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

// newDepthSteps is newSteps with "out" for the name of directories that are not
// watched, and "alone" of those that are by themselves.
func newDepthSteps(t *testing.T, opts watch.Options, prepare func(s *watchtest.Scene)) *steps {
	t.Helper()
	depths := watchtest.NewDepths(map[string]watch.Depth{"out": watch.Nothing, "alone": watch.Alone})
	opts.Enter = depths.Enter
	return newStepsWith(t, opts, func(s *watchtest.Scene) {
		s.Depths = depths
		prepare(s)
	})
}

// watches counts the kernel's watches of an inotify instance.
func watches(t testing.TB, fd int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprint("/proc/self/fdinfo/", fd))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "inotify wd:") {
			n++
		}
	}
	return n
}

// queued returns how many bytes of events the kernel holds.
func (s *steps) queued() int {
	s.T.Helper()
	n, err := unix.IoctlGetInt(s.w.fd, unix.TIOCINQ)
	s.Must(err)
	return n
}

// changeBelow changes all kinds of things in a directory.
func changeBelow(s *watchtest.Scene, dir string) {
	s.T.Helper()
	s.Plant(s.In(dir, "made"), 2, 2, 2)
	s.Write(s.In(dir, "file"), "x")
	s.Must(os.Chmod(s.In(dir, "file"), 0o600))
	s.Rename(s.In(dir, "file"), s.In(dir, "file2"))
	s.Rename(s.In(dir, "made", "dir1"), s.In(dir, "other"))
	s.Remove(s.In(dir, "made"))
}

// awaitStats waits for what a watcher says of itself.
func awaitStats(s *watchtest.Scene, ok func(watch.Stats) bool) {
	s.T.Helper()
	for deadline := time.Now().Add(watchtest.Patience); !ok(s.W.Stats()); {
		if time.Now().After(deadline) {
			s.T.Fatalf("the state is %+v", s.W.Stats())
		}
		s.Sync()
	}
}

// Nothing is queued of what happens in a directory that is not watched, whichever way
// it came to be that.
func TestStepsNothingIsQueued(t *testing.T) {
	for name, play := range map[string]func(s *steps){
		"found":   func(*steps) {},
		"made":    func(s *steps) { s.Remove(s.In("d", "out")); s.Mkdir(s.In("d", "out")) },
		"renamed": func(s *steps) { s.Remove(s.In("d", "out")); s.Rename(s.In("a"), s.In("d", "out")) },
		"said": func(s *steps) {
			s.Rename(s.In("d", "out"), s.In("o"))
			s.rest()
			s.Depths.Say("/o", watch.Nothing)
			s.w.Look([]string{""})
		},
		"said of one above": func(s *steps) {
			s.Rename(s.In("a"), s.In("d", "a"))
			s.rest()
			s.Depths.Say("d", watch.Nothing)
			s.w.Look([]string{"d"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDepthSteps(t, watch.Options{}, func(s *watchtest.Scene) {
				s.Plant(s.In("d", "out"), 3, 2, 1)
				s.Plant(s.In("a"), 3, 2, 1)
			})
			s.rest()
			play(s)
			s.rest()
			s.w.tend(time.Now())
			s.read() // that watches have ended
			out := "d/out"
			if name == "said" {
				out = "o"
			}
			if got, want := watches(t, s.w.fd), len(s.w.tree.byWatch); got != want {
				t.Errorf("the kernel has %d watches, not %d", got, want)
			}
			s.Forget()
			changeBelow(s.Scene, out)
			if n := s.queued(); n > 0 {
				t.Errorf("%d bytes are queued", n)
			}
			if s.rest(); len(s.Seen) > 0 {
				t.Errorf("reported: %v", s.Seen)
			}
		})
	}
}

// What is said changes when the halves of a rename are read, or before the tree is
// armed.
func TestStepsLookInBetween(t *testing.T) {
	for name, c := range map[string]struct {
		play func(s *steps)
		want []string
	}{
		"between the halves of a rename": {func(s *steps) {
			s.rest()
			a := s.w.tree.root.children["a"]
			s.Rename(s.In("a"), s.In("b"))
			// As if the first half were at the end of a buffer.
			s.w.tree.detach(a)
			s.Depths.Say("dir1", watch.Nothing)
			s.w.Look([]string{""})
			s.w.lookAnew()
			for len(s.w.visits) > 0 {
				s.visitOne()
			}
			s.w.tree.attach(a, s.w.tree.root, "a")
			s.rest()
		}, []string{"", "b", "b/dir0", "b/dir0/dir0"}},
		"before the second half is read, and it is not watched any more": {func(s *steps) {
			s.rest()
			s.Rename(s.In("a"), s.In("b"))
			s.Depths.Say("/a", watch.Nothing)
			s.w.Look([]string{"a"})
			s.rest()
		}, []string{"", "b", "b/dir0", "b/dir0/dir0", "b/dir0/dir1", "b/dir1", "b/dir1/dir0", "b/dir1/dir1"}},
		"before the root is visited": {func(s *steps) {
			s.Depths.Say("dir1", watch.Nothing)
			s.w.Look([]string{"", "a/dir1"})
			s.rest()
		}, []string{"", "a", "a/dir0", "a/dir0/dir0"}},
		"while directories are visited": {func(s *steps) {
			s.visitOne()
			s.visitOne()
			s.Depths.Say("dir1", watch.Nothing)
			s.w.Look([]string{""})
			s.w.lookAnew()
			s.visitOne()
			s.rest()
		}, []string{"", "a", "a/dir0", "a/dir0/dir0"}},
		"twice": {func(s *steps) {
			s.rest()
			s.Depths.Say("dir1", watch.Nothing)
			s.w.Look([]string{"a/dir1", ""})
			s.w.lookAnew()
			s.visitOne()
			s.Depths.Say("dir1", watch.Whole)
			s.Depths.Say("dir0", watch.Nothing)
			s.w.Look([]string{"a/dir1", "a/dir0", "a"})
			s.rest()
		}, []string{"", "a", "a/dir1", "a/dir1/dir1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDepthSteps(t, watch.Options{}, func(s *watchtest.Scene) { s.Plant(s.In("a"), 2, 2, 1) })
			c.play(s)
			heard := make(map[string]bool)
			for _, n := range s.w.tree.byWatch {
				path, ok := s.w.tree.path(n)
				heard[path] = ok
			}
			for _, path := range c.want {
				if !heard[path] {
					t.Errorf("%q is deaf", path)
				}
				delete(heard, path)
			}
			if len(heard) > 0 {
				t.Errorf("%v are watched; the last calls:\n%s", heard, s.Tail())
			}
		})
	}
}

// A directory that was watched by itself is found to be watched as a whole by a visit
// that has another reason.
func TestStepsAloneIsWidened(t *testing.T) {
	s := newDepthSteps(t, watch.Options{}, func(s *watchtest.Scene) {
		s.Plant(s.In("d", "alone"), 2, 1, 1)
		s.Plant(s.In("e", "alone"), 0, 0, 1)
	})
	s.rest()
	s.Forget()
	s.Depths.Say("alone", watch.Whole)
	for _, dir := range []string{"d", "e"} {
		s.w.startJob(place{s.w.tree.root.children[dir], "alone"}, false, false)
		s.rest()
		if s.Seen[dir+"/alone"]&watch.Tree == 0 {
			t.Errorf("reported: %v", s.Seen)
		}
	}
	if deaf := s.deaf(); len(deaf) > 0 {
		t.Errorf("deaf: %q", deaf)
	}
}

// A change in a directory that is not watched changes the time of that directory,
// which is all that is seen where the one that it is in is polled.
func TestStepsPolledAbove(t *testing.T) {
	s := newDepthSteps(t, watch.Options{MaxWatches: 1}, func(s *watchtest.Scene) { s.Plant(s.In("d", "out"), 1, 1, 1) })
	s.rest()
	s.Forget()
	changeBelow(s.Scene, "d/out")
	s.w.polls.Start(true)
	for s.w.polls.Busy() {
		s.w.polls.Some(s.w.pollOne)
	}
	s.rest()
	if s.Seen["d/out"]&^watch.Meta != 0 || len(s.SeenBelow("d/out")) > 0 {
		t.Errorf("reported: %v", s.Seen)
	}
}

// Look asks about the directories named and those below them, and lists only where
// something may not be watched.
func TestStepsLookAsks(t *testing.T) {
	s := newDepthSteps(t, watch.Options{}, func(s *watchtest.Scene) {
		s.Plant(s.In("a"), 3, 2, 1)
		s.Mkdir(s.In("a", "dir1", "out", "x"))
		s.Plant(s.In("b"), 3, 2, 1)
	})
	s.rest()
	s.Walk("", func(path string, _ watchtest.Facts) { s.Depths.Asked(path) })
	s.w.Look([]string{"a"})
	s.w.lookAnew()
	for len(s.w.visits) > 0 {
		s.visitOne()
	}
	s.Walk("", func(path string, f watchtest.Facts) {
		if !f.Mode.IsDir() {
			return
		}
		want := 0
		if path == "a" || strings.HasPrefix(path, "a/") {
			want = 1
		}
		if got := s.Depths.Asked(path); got != want {
			t.Errorf("asked %d times about %q, not %d times", got, path, want)
		}
	})
	if partial := s.w.tree.root.children["a"].children["dir1"].partial; !partial {
		t.Error("it is forgotten that not all is watched")
	}
	if len(s.w.recent) > 0 {
		t.Errorf("%d directories were listed", len(s.w.recent))
	}
}

// Events are lost while there are directories that are not watched, and others become
// that: when all has been looked at, the right ones are watched.
func TestOverflowOfTheRest(t *testing.T) {
	t.Parallel()
	var hold atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	s := watchtest.NewScene(t, create, watch.Options{}, func(e *watchtest.Engine) {
		e.Depths = watchtest.NewDepths(map[string]watch.Depth{"out": watch.Nothing, "/kept/dir1": watch.Nothing})
		e.Before = func(path string, _ watch.Change) {
			if path == "hold" && hold.CompareAndSwap(true, false) {
				held <- struct{}{}
				<-release
			}
		}
	})
	s.Plant(s.In("kept"), 3, 2, 2)
	s.Plant(s.In("moving"), 3, 2, 2)
	s.Plant(s.In("out"), 3, 2, 2)
	s.Write(s.In("x"), "x")
	s.Verify()
	hold.Store(true)
	s.Must(os.Symlink("x", s.In("hold")))
	<-held
	for range readLimit("/proc/sys/fs/inotify/max_queued_events")/4 + 100 {
		s.Rename(s.In("x"), s.In("y"))
		s.Rename(s.In("y"), s.In("x"))
	}
	s.Rename(s.In("out"), s.In("free"))
	s.Rename(s.In("moving"), s.In("out"))
	s.Plant(s.In("new", "out"), 2, 1, 1)
	s.Write(s.In("kept", "dir1", "new"), "x")
	s.Depths.Say("/kept/dir1", watch.Whole)
	s.Depths.Say("/kept/dir2", watch.Nothing)
	s.W.Look([]string{"kept"})
	release <- struct{}{}
	s.Await("the loss", func() bool { return len(s.Losses) > 0 })
	s.Verify()
}

// The end of a watch is an event. Those of a large tree that is not watched any more
// do not fill the queue, whatever its size.
func TestManyWatchesEnd(t *testing.T) {
	t.Parallel()
	root, outside := t.TempDir(), t.TempDir()
	for i := range 2*endTurn + 100 {
		watchtest.Mkdirs(t, fmt.Sprintf("%s/large/%d/%d", root, i/100, i))
	}
	depths := watchtest.NewDepths(nil)
	w := New(root, watch.Options{Enter: depths.Enter}, &silent{})
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.visitRoot("")
	turn := func() {
		t.Helper()
		if err := w.readSome(); err != nil {
			t.Fatal(err)
		}
		w.lookAnew()
		w.visitSome()
		w.tend(time.Now())
		if n, err := unix.IoctlGetInt(w.fd, unix.TIOCINQ); err != nil || n > endTurn*unix.SizeofInotifyEvent {
			t.Fatalf("%d bytes of events are queued, %v", n, err)
		}
		if len(w.tree.ending) > 0 && w.timeout(time.Now()) != 0 {
			t.Error("that watches are to be ended is forgotten")
		}
	}
	settle := func() int {
		for turn(); len(w.visits) > 0 || len(w.unpaired) > 0 || len(w.tree.ending) > 0; {
			turn()
		}
		turn() // the last ends
		if n := watches(t, w.fd); n != len(w.tree.byWatch) {
			t.Errorf("there are %d watches, not %d", n, len(w.tree.byWatch))
		}
		return len(w.tree.byWatch)
	}
	all := settle()
	for name, c := range map[string]struct{ leave, comeBack func() }{
		"not to be watched": {
			func() { depths.Say("large", watch.Nothing); w.Look([]string{""}) },
			func() { depths.Say("large", watch.Whole); w.Look([]string{"large"}) },
		},
		"moved out": {
			func() { os.Rename(root+"/large", outside+"/large") },
			func() { os.Rename(outside+"/large", root+"/large") },
		},
	} {
		c.leave()
		if n := settle(); n != 1 {
			t.Errorf("%s: %d directories are watched", name, n)
		}
		c.comeBack()
		if n := settle(); n != all {
			t.Errorf("%s, and not any more: %d directories are watched, not %d", name, n, all)
		}
	}
}

// Watches that are not needed any more serve what is polled for the lack of one.
func TestWatchesBecomeFree(t *testing.T) {
	t.Parallel()
	s := watchtest.NewScene(t, create, watch.Options{MaxWatches: 20}, func(e *watchtest.Engine) {
		e.Depths = watchtest.NewDepths(nil)
	})
	s.Plant(s.In("a"), 4, 2, 1)
	s.Sync()
	s.Plant(s.In("b"), 3, 1, 1)
	s.Verify()
	if stats := s.W.Stats(); stats.Polled != 6 || !strings.Contains(stats.Problem, "and 26 are needed") {
		t.Errorf("the state is %+v", stats)
	}
	s.Say("/a", watch.Nothing, "a")
	s.Verify()
	awaitStats(s, func(stats watch.Stats) bool {
		return stats.Directories == 5 && stats.Polled == 0 && stats.Problem == ""
	})
}

// What is mounted in a directory that is not watched is nothing to look at.
func TestMountsOutOfSight(t *testing.T) {
	t.Parallel()
	if !watchtest.InChild() {
		watchtest.RunChild(t, watchtest.Child{Mounts: true})
		return
	}
	s := watchtest.NewScene(t, create, watch.Options{}, func(e *watchtest.Engine) {
		e.Depths = watchtest.NewDepths(map[string]watch.Depth{"out": watch.Nothing, "alone": watch.Alone})
	})
	for _, dir := range []string{"out/a/b", "alone/a/b", "seen/a"} {
		s.Mkdir(s.In(dir))
	}
	s.Verify()
	s.Forget()
	s.Depths.Asked("seen")
	for _, dir := range []string{"out/a", "alone/a/b"} {
		s.Tmpfs(s.In(dir))
		s.Plant(s.In(dir, "tree"), 2, 1, 1)
		s.Sync()
	}
	if len(s.Seen) > 0 || s.Depths.Asked("seen") > 0 {
		t.Errorf("reported, or looked at again: %v", s.Seen)
	}
	s.Verify()
	s.Say("out", watch.Whole, "")
	s.Say("alone", watch.Whole, "")
	s.Verify()
	s.Tmpfs(s.In("out", "a", "tree"))
	s.Write(s.In("out", "a", "tree", "file"), "x")
	s.Verify()
}

// A directory that cannot be read is asked about when it can be.
func TestUnreadableOutOfSight(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 && !watchtest.InChild() {
		watchtest.RunChild(t, watchtest.Child{Nobody: true})
		return
	}
	s := watchtest.NewScene(t, create, watch.Options{}, func(e *watchtest.Engine) {
		e.Depths = watchtest.NewDepths(map[string]watch.Depth{"out": watch.Nothing})
	})
	s.Plant(s.Out("d", "out"), 2, 1, 1)
	s.Plant(s.Out("d", "e"), 2, 1, 1)
	s.Plant(s.Out("d", "f"), 2, 1, 1)
	s.Must(errors.Join(os.Chmod(s.Out("d", "out"), 0), os.Chmod(s.Out("d", "e"), 0), os.Chmod(s.Out("d", "f"), 0)))
	s.Rename(s.Out("d"), s.In("d"))
	s.Sync()
	if stats := s.W.Stats(); stats.Polled != 2 || strings.Contains(stats.Problem, "out") || !strings.Contains(stats.Problem, "d/e") {
		t.Errorf("the state is %+v", stats)
	}
	s.Say("e", watch.Nothing, "")
	s.Sync()
	if stats := s.W.Stats(); stats.Polled != 1 || strings.Contains(stats.Problem, "d/e") || !strings.Contains(stats.Problem, "d/f") {
		t.Errorf("the state is %+v", stats)
	}
	s.Say("f", watch.Nothing, "")
	s.Sync()
	if stats := s.W.Stats(); stats.Polled != 0 || stats.Problem != "" {
		t.Errorf("the state is %+v", stats)
	}
	s.Say("out", watch.Whole, "d")
	s.Sync()
	if stats := s.W.Stats(); stats.Polled != 1 || !strings.Contains(stats.Problem, "d/out") {
		t.Errorf("the state is %+v", stats)
	}
	s.Must(errors.Join(os.Chmod(s.In("d", "out"), 0o700), os.Chmod(s.In("d", "e"), 0o700), os.Chmod(s.In("d", "f"), 0o700)))
	s.Verify()
}
