package inotify

import (
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

// Events are lost while there are directories that are not watched, and others become
// that: when all has been looked at, the right ones are watched.
func TestOverflowOfTheRest(t *testing.T) {
	t.Parallel()
	long(t)
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
	s.Await("the loss", func() bool { return len(s.Losses()) > 0 })
	s.Verify()
}

// The end of a watch is an event. Those of a large tree that is not watched any more
// do not fill the queue, whatever its size.
func TestManyWatchesEnd(t *testing.T) {
	t.Parallel()
	long(t)
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
	if len(s.Seen()) > 0 || s.Depths.Asked("seen") > 0 {
		t.Errorf("reported, or looked at again: %v", s.Seen())
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
