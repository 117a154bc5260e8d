package inotify

import (
	"bufio"
	"fmt"
	"os"
	"strings"
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
			if s.rest(); len(s.Seen()) > 0 {
				t.Errorf("reported: %v", s.Seen())
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
		if s.Said(dir+"/alone")&watch.Tree == 0 {
			t.Errorf("reported: %v", s.Seen())
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
	if s.Said("d/out")&^watch.Meta != 0 || len(s.SeenBelow("d/out")) > 0 {
		t.Errorf("reported: %v", s.Seen())
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
