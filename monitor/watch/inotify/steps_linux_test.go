package inotify

import (
	"testing"

	"golang.org/x/sys/unix"

	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

// steps is a scene whose watcher does not run: the test takes each step of the
// goroutine in Run by itself, and changes the tree in between.
type steps struct {
	*watchtest.Scene
	w *Watcher
}

// newSteps makes a tree by prepare and has it watched, but for the visits.
func newSteps(t *testing.T, prepare func(s *watchtest.Scene)) *steps {
	t.Helper()
	return newStepsWith(t, watch.Options{}, prepare)
}

func newStepsWith(t *testing.T, opts watch.Options, prepare func(s *watchtest.Scene)) *steps {
	t.Helper()
	root := t.TempDir() + "/root"
	watchtest.Mkdirs(t, root)
	e := watchtest.NewEngine(t, root)
	w := New(root, opts, e)
	s := &steps{Scene: &watchtest.Scene{Bench: &watchtest.Bench{Engine: e, W: w}, T: t, Outside: t.TempDir()}, w: w}
	prepare(s.Scene)
	s.LookAll("")
	s.Must(s.w.open())
	t.Cleanup(s.w.close)
	s.w.visitRoot("")
	return s
}

// read handles all events that there are.
func (s *steps) read() {
	s.T.Helper()
	for {
		_, drained, err := s.w.readEvents()
		s.Must(err)
		if drained {
			s.w.drained()
			return
		}
	}
}

// rest does what is left to do.
func (s *steps) rest() {
	s.T.Helper()
	s.read()
	for s.w.lookAnew(); len(s.w.visits) > 0; s.w.lookAnew() {
		s.w.visitSome()
		s.read()
	}
	s.w.tree.endSome()
}

// visitOne takes the visit that is next.
func (s *steps) visitOne() {
	s.T.Helper()
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
	s.Walk("", func(path string, f watchtest.Facts) {
		if f.Mode.IsDir() && !heard[path] {
			deaf = append(deaf, path)
		}
	})
	return deaf
}

// The root is found, and is gone when it is to be watched.
func TestStepsRootVanishesBeforeItsVisit(t *testing.T) {
	s := newSteps(t, func(s *watchtest.Scene) { s.Plant(s.In(), 2, 1, 1) })
	s.Rename(s.In(), s.Out("away"))
	s.rest()
	if len(s.GoneFor()) != 1 {
		t.Fatalf("the root is gone, and that was reported %d times", len(s.GoneFor()))
	}
	s.Rename(s.Out("away"), s.In())
	s.w.checkRoot()
	s.Rename(s.In(), s.Out("away"))
	s.rest()
	s.Rename(s.Out("away"), s.In())
	s.w.checkRoot()
	s.rest()
	if d := s.deaf(); len(d) > 0 || len(s.Losses()) != 1 || len(s.GoneFor()) != 2 {
		t.Errorf("deaf: %q; the last calls:\n%s", d, s.Tail())
	}
}

// While the tree is listed again, a directory is found where it was renamed to,
// and the event of that is handled before its old place is visited.
func TestStepsRenameDuringRelisting(t *testing.T) {
	s := newSteps(t, func(s *watchtest.Scene) {
		s.Mkdir(s.In("d", "sub"))
		s.Mkdir(s.In("z"))
	})
	s.rest()
	s.w.startJob(place{s.w.tree.root, "z"}, true, false) // as after an overflow
	s.Rename(s.In("d"), s.In("z", "e"))
	s.visitOne() // z
	s.visitOne() // z/e, which takes the watch of d
	s.rest()
	if d := s.deaf(); len(d) > 0 {
		t.Errorf("deaf: %q; the last calls:\n%s", d, s.Tail())
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
			s := newSteps(t, func(s *watchtest.Scene) {
				s.Mkdir(s.In("q"))
				s.Mkdir(s.In("p"))
				s.Plant(s.Out("tree"), 1, 3, 1)
			})
			s.rest()
			in := "a"
			if c.from == "p/a" {
				in = c.from
			}
			s.Rename(s.Out("tree"), s.In(in))
			s.read()
			s.visitOne() // the tree
			s.visitOne() // the directory in it
			s.Rename(s.In(c.from), s.In(c.to))
			s.read()
			s.Walk(c.to, func(path string, f watchtest.Facts) {
				if f.Mode.IsRegular() {
					s.Write(s.In(path), "changed before it was watched")
				}
			})
			s.rest()
			if d := s.Difference(); d != "" {
				t.Errorf("the mirror differs from the disk:\n%s\nthe last calls:\n%s", d, s.Tail())
			}
			if d := s.deaf(); len(d) > 0 {
				t.Errorf("deaf: %q; the last calls:\n%s", d, s.Tail())
			}
		})
	}
}

// As before, with a file, which may have changed before the rename, too.
func TestStepsFileLeavesDuringArming(t *testing.T) {
	s := newSteps(t, func(s *watchtest.Scene) { s.Plant(s.Out("tree"), 1, 1, 1) })
	s.rest()
	s.Rename(s.Out("tree"), s.In("a"))
	s.read()
	s.visitOne()
	s.Rename(s.In("a", "file0"), s.In("file"))
	s.rest()
	if s.Said("file")&watch.Content == 0 || len(s.Moves()) != 1 {
		t.Errorf("of the file was said %05b; moves: %q", s.Said("file"), s.Moves())
	}
}

// A watch ends of which nothing else tells.
func TestStepsWatchEnds(t *testing.T) {
	s := newSteps(t, func(s *watchtest.Scene) { s.Plant(s.In("d"), 2, 1, 1) })
	s.rest()
	s.Forget()
	d := s.w.tree.root.children["d"]
	_, err := unix.InotifyRmWatch(s.w.fd, uint32(d.wd))
	s.Must(err)
	s.rest()
	if s.Said("d")&watch.Tree == 0 {
		t.Errorf("of the directory was said %05b", s.Said("d"))
	}
	if d := s.deaf(); len(d) > 0 {
		t.Errorf("deaf: %q", d)
	}
}

// Directories are polled for barriers that need it, also for one that another took
// over that does not.
func TestStepsBarriersPoll(t *testing.T) {
	opts := watch.Options{}
	opts.MaxWatches = 1
	s := newStepsWith(t, opts, func(s *watchtest.Scene) { s.Plant(s.In("d"), 2, 1, 1) })
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
		if got := s.w.polls.Busy(); got != c.poll {
			t.Errorf("%s: polled %v", c.name, got)
		}
		for s.w.polls.Busy() {
			s.w.polls.Some(s.w.pollOne)
		}
		s.rest()
		s.w.answerBarrier()
	}
	if s.Answered() != 8 {
		t.Errorf("the last barrier answered is %d", s.Answered())
	}
}
