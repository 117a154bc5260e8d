package inotify

import (
	"context"
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

// reported returns all that was reported of a path, in order, since the last
// call of Forget. Only the log keeps the order.
func reported(b *watchtest.Bench, path string) []watch.Change {
	var changes []watch.Change
	for _, line := range b.Log() {
		var p string
		var c watch.Change
		if n, _ := fmt.Sscanf(line, "changed %q %b", &p, &c); n == 2 && p == path {
			changes = append(changes, c)
		}
	}
	return changes
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// before is done and reported before the operation.
		before, play func(s *watchtest.Scene)
		path         string
		// all is what has to be said about the path altogether, last what with
		// the last call.
		all, last watch.Change
	}{
		{"a file is written", nil, func(s *watchtest.Scene) { s.Write(s.In("f"), "x") }, "f", watch.Entry | watch.Content | watch.Open, watch.Content},
		{"a file is made for reading", nil, func(s *watchtest.Scene) {
			f, err := os.OpenFile(s.In("f"), os.O_CREATE|os.O_RDONLY, 0o600)
			s.Must(err)
			s.Must(f.Close())
		}, "f", watch.Entry | watch.Content | watch.Open, watch.Entry | watch.Content | watch.Open},
		{"a file is truncated", func(s *watchtest.Scene) { s.Write(s.In("f"), "xyz") },
			func(s *watchtest.Scene) { s.Must(os.Truncate(s.In("f"), 1)) }, "f", watch.Content | watch.Open, watch.Content | watch.Open},
		{"a hard link is made", func(s *watchtest.Scene) { s.Write(s.In("f"), "x") },
			func(s *watchtest.Scene) { s.Must(os.Link(s.In("f"), s.In("g"))) }, "g", watch.Entry | watch.Content, watch.Entry | watch.Content},
		{"a symbolic link is made", nil,
			func(s *watchtest.Scene) { s.Must(os.Symlink("f", s.In("g"))) }, "g", watch.Entry | watch.Content, watch.Entry | watch.Content},
		{"a fifo is made", nil,
			func(s *watchtest.Scene) { s.Must(unix.Mkfifo(s.In("g"), 0o600)) }, "g", watch.Entry | watch.Content, watch.Entry | watch.Content},
		{"a directory is made", nil, func(s *watchtest.Scene) { s.Mkdir(s.In("d")) }, "d", watch.Entry | watch.Tree, watch.Entry | watch.Tree},
		{"a directory is removed", func(s *watchtest.Scene) { s.Mkdir(s.In("d")) },
			func(s *watchtest.Scene) { s.Remove(s.In("d")) }, "d", watch.Entry | watch.Tree, watch.Entry | watch.Tree},
		{"a file is removed", func(s *watchtest.Scene) { s.Write(s.In("f"), "x") },
			func(s *watchtest.Scene) { s.Remove(s.In("f")) }, "f", watch.Entry, watch.Entry},
		{"a file is written by a name that is gone", func(s *watchtest.Scene) {
			s.Write(s.In("f"), "x")
			s.Must(os.Link(s.In("f"), s.In("g")))
		}, func(s *watchtest.Scene) {
			f, err := os.OpenFile(s.In("f"), os.O_WRONLY|os.O_APPEND, 0)
			s.Must(err)
			s.Remove(s.In("f"))
			_, err = f.WriteString("more")
			s.Must(err)
			s.Must(f.Close())
		}, "f", watch.Entry | watch.Content | watch.Open, watch.Content},
		{"a mode is changed", func(s *watchtest.Scene) { s.Write(s.In("f"), "x") },
			func(s *watchtest.Scene) { s.Must(os.Chmod(s.In("f"), 0o600)) }, "f", watch.Meta, watch.Meta},
		{"the root's mode is changed", nil,
			func(s *watchtest.Scene) { s.Must(os.Chmod(s.In(), 0o711)) }, "", watch.Meta, watch.Meta},
		{"a file is moved in", func(s *watchtest.Scene) { s.Write(s.Out("f"), "x") },
			func(s *watchtest.Scene) { s.Rename(s.Out("f"), s.In("f")) }, "f", watch.Entry | watch.Content, watch.Entry | watch.Content},
		{"a file is moved out, and then its directory is renamed", func(s *watchtest.Scene) { s.Mkdir(s.In("d")); s.Write(s.In("d", "f"), "x") },
			func(s *watchtest.Scene) { s.Rename(s.In("d", "f"), s.Out("f")); s.Rename(s.In("d"), s.In("e")) }, "e/f d/f", watch.Entry | watch.Content, watch.Entry | watch.Content},
		{"a directory is moved out, and then the one above is renamed", func(s *watchtest.Scene) { s.Mkdir(s.In("d")); s.Mkdir(s.In("d", "e")); s.Mkdir(s.In("d", "e", "f")) },
			func(s *watchtest.Scene) { s.Rename(s.In("d", "e", "f"), s.Out("f")); s.Rename(s.In("d"), s.In("g")) }, "g/e/f d/e/f", watch.Entry | watch.Content | watch.Tree, watch.Entry | watch.Content | watch.Tree},
		{"a directory is moved in", func(s *watchtest.Scene) { s.Mkdir(s.Out("d")) },
			func(s *watchtest.Scene) { s.Rename(s.Out("d"), s.In("d")) }, "d", watch.Entry | watch.Tree, watch.Entry | watch.Tree},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := watchtest.NewScene(t, create, watch.Options{}, nil)
			if c.before != nil {
				c.before(s)
			}
			s.Sync()
			s.Forget()
			c.play(s)
			s.Sync()
			// What was moved out is told of by the name that it had, or has by the rename of
			// what is above it: whichever comes first, since the watcher waits for the rest
			// of a rename for a moment only.
			var changes []watch.Change
			for name := range strings.SplitSeq(c.path, " ") {
				changes = append(changes, reported(s.Bench, name)...)
			}
			var all watch.Change
			for _, change := range changes {
				all |= change
			}
			if all != c.all || len(changes) == 0 || changes[len(changes)-1] != c.last {
				t.Errorf("%q is reported as %05b, want %05b altogether and %05b at last; all of it: %v", c.path, changes, c.all, c.last, s.Log())
			}
		})
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	s := watchtest.NewScene(t, create, watch.Options{}, nil)
	s.Plant(s.In("a"), 2, 2, 1)
	s.Write(s.In("f"), "f")
	s.Write(s.In("g"), "g")
	s.Sync()
	s.Forget()
	s.Rename(s.In("a"), s.In("b"))
	s.Rename(s.In("f"), s.In("b", "f"))
	s.Rename(s.In("g"), s.In("b", "f"))
	s.Sync()
	if got, want := fmt.Sprint(s.Moves()), "[[a b] [f b/f] [g b/f]]"; got != want {
		t.Errorf("the moves reported are %s, want %s", got, want)
	}
	if len(s.Seen()) != 5 {
		t.Errorf("more was reported than what moved: %v", s.Seen())
	}
	s.Verify()
}

// TestOverflow has the kernel drop events while the reader is held up,
// and the tree change in all ways at that time.
func TestOverflow(t *testing.T) {
	t.Parallel()
	var hold atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	s := watchtest.NewScene(t, create, watch.Options{}, func(e *watchtest.Engine) {
		e.Before = func(path string, _ watch.Change) {
			if path == "hold" && hold.CompareAndSwap(true, false) {
				held <- struct{}{}
				<-release
			}
		}
	})
	room := readLimit("/proc/sys/fs/inotify/max_queued_events")
	if room == 0 {
		t.Fatal("cannot read fs.inotify.max_queued_events")
	}
	flood := func() {
		for range room/4 + 100 { // four events each
			s.Rename(s.In("x"), s.In("y"))
			s.Rename(s.In("y"), s.In("x"))
		}
	}
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		s.Plant(s.In("kept"), 3, 2, 2)
		s.Plant(s.In("doomed"), 3, 2, 2)
		s.Plant(s.In("moving"), 3, 2, 2)
		s.Write(s.In("x"), "x")
		s.Sync()
		hold.Store(true)
		s.Must(os.Symlink("x", s.In("hold")))
		<-held
		s.Plant(s.In("before"), 2, 2, 1)
		flood()
		s.Remove(s.In("doomed"))
		s.Rename(s.In("moving"), s.In("moved"))
		s.Plant(s.In("moving"), 2, 2, 1)
		s.Plant(s.In("new"), 3, 2, 2)
		s.Rename(s.In("kept", "dir0"), s.In("new", "dir0", "dir0", "inner"))
		s.Write(s.In("kept", "dir1", "file1"), fmt.Sprint("changed", round))
		release <- struct{}{}
		s.Await("the loss", func() bool { return len(s.Losses()) > round })
		s.Verify()
		for _, name := range []string{"kept", "moving", "moved", "new", "before", "hold"} {
			s.Remove(s.In(name))
		}
		s.Verify()
	}
	for _, reason := range s.Losses() {
		if !strings.Contains(reason, "overflow") {
			t.Errorf("lost: %s", reason)
		}
	}
}

// TestManyWriters has several goroutines change the tree at once, so that
// the watcher is behind at all times.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	long(t)
	s := watchtest.NewScene(t, create, watch.Options{}, nil)
	for range 2 {
		watchtest.ChurnTogether(t, s, 3)
		s.Verify()
	}
}

func TestPollsBeyondMaxWatches(t *testing.T) {
	t.Parallel()
	opts := watch.Options{}
	opts.MaxWatches = 5
	s := watchtest.NewScene(t, create, opts, nil)
	s.Plant(s.In("a"), 3, 2, 2)
	s.Verify()
	stats := s.W.Stats()
	if stats.Directories > 5 || stats.Polled < 9 || !strings.Contains(stats.Problem, "MaxWatches allows 5, and 14 are needed") {
		t.Errorf("the state is %+v", stats)
	}
	changeEverything(s)
	s.Remove(s.In("b"))
	s.Remove(s.In("a"))
	s.Verify()
	if stats := s.W.Stats(); stats.Polled != 0 || stats.Problem != "" {
		t.Errorf("the state is %+v", stats)
	}
}

// changeEverything changes a planted tree "a" in many ways, and verifies each.
func changeEverything(s *watchtest.Scene) {
	s.T.Helper()
	s.Write(s.In("a", "dir1", "dir2", "file0"), "changed")
	s.Write(s.In("a", "dir1", "file1"), "changed, too")
	s.Verify()
	s.Rename(s.In("a", "dir2"), s.In("a", "other"))
	s.Write(s.In("a", "other", "dir1", "new"), "x")
	s.Verify()
	s.Remove(s.In("a", "dir0", "dir0"))
	s.Write(s.In("a", "dir0", "dir0"), "a file")
	s.Mkdir(s.In("a", "other", "made", "in", "depth"))
	s.Verify()
	s.Rename(s.In("a", "other"), s.In("b"))
	s.Plant(s.In("a", "other"), 2, 1, 1)
	s.Must(os.Chmod(s.In("b", "dir1"), 0o700))
	s.Verify()
}

// TestReportsByPolling does without a barrier, which polls at once.
func TestReportsByPolling(t *testing.T) {
	t.Parallel()
	opts := watch.Options{}
	opts.MaxWatches = 1
	s := watchtest.NewScene(t, create, opts, nil)
	s.Mkdir(s.In("a", "b"))
	s.Sync()
	s.Forget()
	s.Write(s.In("a", "b", "f"), "x")
	s.Await("the change", func() bool { return s.Said("a/b/f") != 0 })
}

func TestSymlinkedRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	watchtest.Mkdirs(t, dir+"/real/a")
	if err := os.Symlink("real", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	b := watchtest.Start(t, create, dir+"/link", watch.Options{}, nil)
	if err := os.WriteFile(dir+"/real/a/f", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.Verify()
}

// TestWithoutInstance uses all file descriptors up, which the kernel
// answers in the same way as a lack of instances.
func TestWithoutInstance(t *testing.T) {
	t.Parallel()
	if !watchtest.InChild() {
		watchtest.RunChild(t, watchtest.Child{})
		return
	}
	root := t.TempDir()
	w := New(root, watch.Options{}, watchtest.NewEngine(t, root))
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	err := w.Run(context.Background(), func() {})
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "sysctl fs.inotify.max_user_instances=") {
		t.Errorf("Run: %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 && !watchtest.InChild() {
		watchtest.RunChild(t, watchtest.Child{Nobody: true})
		return
	}
	s := watchtest.NewScene(t, create, watch.Options{}, nil)
	s.Plant(s.In("a"), 2, 1, 1)
	s.Plant(s.In("b"), 2, 1, 1)
	s.Must(os.Chmod(s.In("b"), 0o300))
	s.Sync()
	// It arrives unreadable.
	s.Mkdir(s.Out("c", "d"))
	s.Must(os.Chmod(s.Out("c"), 0o300))
	s.Rename(s.Out("c"), s.In("c"))
	s.Sync()
	stats := s.W.Stats()
	if stats.Polled == 0 || !strings.Contains(stats.Problem, s.Root) || !strings.Contains(stats.Problem, "permission denied") {
		t.Errorf("the state is %+v", stats)
	}
	s.Write(s.In("c", "d", "hidden"), "x")
	s.Sync()
	s.Must(os.Chmod(s.In("b"), 0o700))
	s.Must(os.Chmod(s.In("c"), 0o700))
	s.Verify()
	if stats := s.W.Stats(); stats.Polled != 0 || stats.Problem != "" {
		t.Errorf("the state is %+v", stats)
	}
}

// TestLimit runs into the kernel's limit of watches, that of a user
// namespace of its own.
func TestLimit(t *testing.T) {
	t.Parallel()
	const limit = "/proc/sys/user/max_inotify_watches"
	if !watchtest.InChild() {
		before := readLimit(limit)
		watchtest.RunChild(t, watchtest.Child{Namespace: true})
		if after := readLimit(limit); after != before {
			t.Fatalf("the test changed this machine's %s from %d to %d", limit, before, after)
		}
		return
	}
	// This is a file of the namespace. fs.inotify.max_user_watches is not: it
	// is the machine's.
	set := func(n string) {
		if err := os.WriteFile(limit, []byte(n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set("20")
	s := watchtest.NewScene(t, create, watch.Options{}, nil)
	s.Plant(s.In("a"), 3, 3, 2)
	s.Verify()
	stats := s.W.Stats()
	if stats.Directories != 20 || stats.Polled != 21 || !strings.Contains(stats.Problem, "sysctl user.max_inotify_watches=") {
		t.Errorf("the state is %+v", stats)
	}
	changeEverything(s)
	set("1000")
	s.Verify()
}

func TestStatsOfUnstarted(t *testing.T) {
	t.Parallel()
	w := New(t.TempDir(), watch.Options{}, nil)
	if s := w.Stats(); s.Backend != "inotify" || !s.Lossless {
		t.Errorf("the state is %+v", s)
	}
}

func TestRunEndsAtOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	w := New(root, watch.Options{}, watchtest.NewEngine(t, root))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := w.Run(ctx, func() {}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}
