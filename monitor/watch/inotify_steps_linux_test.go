package watch

import (
	"testing"

	"golang.org/x/sys/unix"
)

// steps is a scene whose watcher does not run: the test takes each step of the
// goroutine in Run by itself, and changes the tree in between.
type steps struct {
	*scene
	w *inotify
}

// newSteps makes a tree by prepare and has it watched, but for the visits.
func newSteps(t *testing.T, prepare func(s *scene)) *steps {
	t.Helper()
	return newStepsWith(t, inotifyOptions(), prepare)
}

func newStepsWith(t *testing.T, opts Options, prepare func(s *scene)) *steps {
	t.Helper()
	root := t.TempDir() + "/root"
	mkdirs(t, root)
	e := newEngine(t, root)
	w, err := New(root, opts, e)
	if err != nil {
		t.Fatal(err)
	}
	s := &steps{scene: &scene{bench: &bench{engine: e, w: w}, t: t, outside: t.TempDir()}, w: w.(*inotify)}
	prepare(s.scene)
	s.lookAll("")
	s.must(s.w.open())
	t.Cleanup(s.w.close)
	s.w.settleRoot("")
	return s
}

// read handles all events that there are.
func (s *steps) read() {
	s.t.Helper()
	for {
		_, drained, err := s.w.readEvents()
		s.must(err)
		if drained {
			s.w.drained()
			return
		}
	}
}

// rest does what is left to do.
func (s *steps) rest() {
	s.t.Helper()
	s.read()
	for len(s.w.visits) > 0 {
		s.w.visitSome()
		s.read()
	}
}

// visitOne takes the visit that is next.
func (s *steps) visitOne() {
	s.t.Helper()
	last := len(s.w.visits) - 1
	v := s.w.visits[last]
	s.w.visits = s.w.visits[:last]
	s.w.visitAll([]visit{v})
}

// deaf returns the directories that are not watched.
func (s *steps) deaf() []string {
	heard := make(map[string]bool)
	for _, n := range s.w.tree.byWatch {
		if path, ok := s.w.tree.path(n); ok {
			heard[path] = true
		}
	}
	var deaf []string
	s.walk("", func(path string, f facts) {
		if f.mode.IsDir() && !heard[path] {
			deaf = append(deaf, path)
		}
	})
	return deaf
}

// The root is found, and is gone when it is to be watched.
func TestStepsRootVanishesBeforeItsVisit(t *testing.T) {
	s := newSteps(t, func(s *scene) { s.plant(s.in(), 2, 1, 1) })
	s.rename(s.in(), s.out("away"))
	s.rest()
	if len(s.goneFor) != 1 {
		t.Fatalf("the root is gone, and that was reported %d times", len(s.goneFor))
	}
	s.rename(s.out("away"), s.in())
	s.w.checkRoot()
	s.rename(s.in(), s.out("away"))
	s.rest()
	s.rename(s.out("away"), s.in())
	s.w.checkRoot()
	s.rest()
	if d := s.deaf(); len(d) > 0 || len(s.lost) != 1 || len(s.goneFor) != 2 {
		t.Errorf("deaf: %q; the last calls:\n%s", d, s.tail())
	}
}

// While the tree is listed again, a directory is found where it was renamed to,
// and the event of that is handled before its old place is visited.
func TestStepsRenameDuringRelisting(t *testing.T) {
	s := newSteps(t, func(s *scene) {
		s.mkdir(s.in("d", "sub"))
		s.mkdir(s.in("z"))
	})
	s.rest()
	s.w.settle(place{s.w.tree.root, "z"}, true, false) // as after an overflow
	s.rename(s.in("d"), s.in("z", "e"))
	s.visitOne() // z
	s.visitOne() // z/e, which takes the watch of d
	s.rest()
	if d := s.deaf(); len(d) > 0 {
		t.Errorf("deaf: %q; the last calls:\n%s", d, s.tail())
	}
}

// Something is renamed while the tree that it came with is still being armed: what
// changed in it before it was watched is found at its new place.
func TestStepsRenameDuringArming(t *testing.T) {
	for name, c := range map[string]struct{ from, to string }{
		"the whole tree":            {"a", "b"},
		"a part of it":              {"a/dir0", "q/dir0"},
		"the directory above it":    {"p/a", "q/a"},
		"a part of it, within":      {"a/dir0", "a/other"},
		"a directory not found yet": {"a/dir0/dir0", "q/dir0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSteps(t, func(s *scene) {
				s.mkdir(s.in("q"))
				s.mkdir(s.in("p"))
				s.plant(s.out("tree"), 1, 3, 1)
			})
			s.rest()
			in := "a"
			if c.from == "p/a" {
				in = c.from
			}
			s.rename(s.out("tree"), s.in(in))
			s.read()
			s.visitOne() // the tree
			s.visitOne() // the directory in it
			s.rename(s.in(c.from), s.in(c.to))
			s.read()
			s.walk(c.to, func(path string, f facts) {
				if f.mode.IsRegular() {
					s.write(s.in(path), "changed before it was watched")
				}
			})
			s.rest()
			if d := s.difference(); d != "" {
				t.Errorf("the mirror differs from the disk:\n%s\nthe last calls:\n%s", d, s.tail())
			}
			if d := s.deaf(); len(d) > 0 {
				t.Errorf("deaf: %q; the last calls:\n%s", d, s.tail())
			}
		})
	}
}

// As before, with a file, which may have changed before the rename, too.
func TestStepsFileLeavesDuringArming(t *testing.T) {
	s := newSteps(t, func(s *scene) { s.plant(s.out("tree"), 1, 1, 1) })
	s.rest()
	s.rename(s.out("tree"), s.in("a"))
	s.read()
	s.visitOne()
	s.rename(s.in("a", "file0"), s.in("file"))
	s.rest()
	if s.seen["file"]&Content == 0 || len(s.moves) != 1 {
		t.Errorf("of the file was said %05b; moves: %q", s.seen["file"], s.moves)
	}
}

// A watch ends of which nothing else tells.
func TestStepsWatchEnds(t *testing.T) {
	s := newSteps(t, func(s *scene) { s.plant(s.in("d"), 2, 1, 1) })
	s.rest()
	s.forget()
	d := s.w.tree.root.children["d"]
	_, err := unix.InotifyRmWatch(s.w.fd, uint32(d.wd))
	s.must(err)
	s.rest()
	if s.seen["d"]&Tree == 0 {
		t.Errorf("of the directory was said %05b", s.seen["d"])
	}
	if d := s.deaf(); len(d) > 0 {
		t.Errorf("deaf: %q", d)
	}
}

// Directories are polled for barriers that need it, also for one that another took
// over that does not.
func TestStepsBarriersPoll(t *testing.T) {
	opts := inotifyOptions()
	opts.MaxWatches = 1
	s := newStepsWith(t, opts, func(s *scene) { s.plant(s.in("d"), 2, 1, 1) })
	s.rest()
	for _, c := range []struct {
		name string
		ask  func()
		poll bool
	}{
		{"events", func() { s.w.Events(1) }, false},
		{"barrier", func() { s.w.Barrier(2) }, true},
		{"events once more", func() { s.w.Events(3) }, false},
		{"a barrier, then events", func() { s.w.Barrier(4); s.w.Events(5) }, true},
		{"events, then a barrier", func() { s.w.Events(6); s.w.Barrier(7) }, true},
		{"events at last", func() { s.w.Events(8) }, false},
	} {
		c.ask()
		s.w.noticeBarrier()
		if got := len(s.w.round) > 0; got != c.poll {
			t.Errorf("%s: polled %v", c.name, got)
		}
		for len(s.w.round) > 0 {
			s.w.pollSome()
		}
		s.rest()
		s.w.answerBarrier()
	}
	if s.answered != 8 {
		t.Errorf("the last barrier answered is %d", s.answered)
	}
}
