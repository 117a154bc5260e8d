package watch

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
)

func inotifyOptions() Options { return Options{Backend: "inotify"} }

// reported returns all that was reported of a path, in order, since the last
// call of forget. Only the log keeps the order.
func (b *bench) reported(path string) []Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	var changes []Change
	for _, line := range b.log {
		var p string
		var c Change
		if n, _ := fmt.Sscanf(line, "changed %q %b", &p, &c); n == 2 && p == path {
			changes = append(changes, c)
		}
	}
	return changes
}

func TestInotifyChanges(t *testing.T) {
	for _, c := range []struct {
		name string
		// before is done and reported before the operation.
		before, play func(s *scene)
		path         string
		// all is what has to be said about the path altogether, last what with
		// the last call.
		all, last Change
	}{
		{"a file is written", nil, func(s *scene) { s.write(s.in("f"), "x") }, "f", Entry | Content | Open, Content},
		{"a file is made for reading", nil, func(s *scene) {
			f, err := os.OpenFile(s.in("f"), os.O_CREATE|os.O_RDONLY, 0o600)
			s.must(err)
			s.must(f.Close())
		}, "f", Entry | Content | Open, Entry | Content | Open},
		{"a file is truncated", func(s *scene) { s.write(s.in("f"), "xyz") },
			func(s *scene) { s.must(os.Truncate(s.in("f"), 1)) }, "f", Content | Open, Content | Open},
		{"a hard link is made", func(s *scene) { s.write(s.in("f"), "x") },
			func(s *scene) { s.must(os.Link(s.in("f"), s.in("g"))) }, "g", Entry | Content, Entry | Content},
		{"a symbolic link is made", nil,
			func(s *scene) { s.must(os.Symlink("f", s.in("g"))) }, "g", Entry | Content, Entry | Content},
		{"a fifo is made", nil,
			func(s *scene) { s.must(unix.Mkfifo(s.in("g"), 0o600)) }, "g", Entry | Content, Entry | Content},
		{"a directory is made", nil, func(s *scene) { s.mkdir(s.in("d")) }, "d", Entry | Tree, Entry | Tree},
		{"a directory is removed", func(s *scene) { s.mkdir(s.in("d")) },
			func(s *scene) { s.remove(s.in("d")) }, "d", Entry | Tree, Entry | Tree},
		{"a file is removed", func(s *scene) { s.write(s.in("f"), "x") },
			func(s *scene) { s.remove(s.in("f")) }, "f", Entry, Entry},
		{"a file is written by a name that is gone", func(s *scene) {
			s.write(s.in("f"), "x")
			s.must(os.Link(s.in("f"), s.in("g")))
		}, func(s *scene) {
			f, err := os.OpenFile(s.in("f"), os.O_WRONLY|os.O_APPEND, 0)
			s.must(err)
			s.remove(s.in("f"))
			_, err = f.WriteString("more")
			s.must(err)
			s.must(f.Close())
		}, "f", Entry | Content | Open, Content},
		{"a mode is changed", func(s *scene) { s.write(s.in("f"), "x") },
			func(s *scene) { s.must(os.Chmod(s.in("f"), 0o600)) }, "f", Meta, Meta},
		{"the root's mode is changed", nil,
			func(s *scene) { s.must(os.Chmod(s.in(), 0o711)) }, "", Meta, Meta},
		{"a file is moved in", func(s *scene) { s.write(s.out("f"), "x") },
			func(s *scene) { s.rename(s.out("f"), s.in("f")) }, "f", Entry | Content, Entry | Content},
		{"a file is moved out, and then its directory is renamed", func(s *scene) { s.mkdir(s.in("d")); s.write(s.in("d", "f"), "x") },
			func(s *scene) { s.rename(s.in("d", "f"), s.out("f")); s.rename(s.in("d"), s.in("e")) }, "e/f", Entry | Content, Entry | Content},
		{"a directory is moved out, and then the one above is renamed", func(s *scene) { s.mkdir(s.in("d")); s.mkdir(s.in("d", "e")); s.mkdir(s.in("d", "e", "f")) },
			func(s *scene) { s.rename(s.in("d", "e", "f"), s.out("f")); s.rename(s.in("d"), s.in("g")) }, "g/e/f", Entry | Content | Tree, Entry | Content | Tree},
		{"a directory is moved in", func(s *scene) { s.mkdir(s.out("d")) },
			func(s *scene) { s.rename(s.out("d"), s.in("d")) }, "d", Entry | Tree, Entry | Tree},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, inotifyOptions(), nil)
			if c.before != nil {
				c.before(s)
			}
			s.barrier()
			s.mu.Lock()
			s.log = nil
			s.mu.Unlock()
			c.play(s)
			s.barrier()
			changes := s.reported(c.path)
			var all Change
			for _, change := range changes {
				all |= change
			}
			if all != c.all || len(changes) == 0 || changes[len(changes)-1] != c.last {
				t.Errorf("%q is reported as %05b, want %05b altogether and %05b at last", c.path, changes, c.all, c.last)
			}
		})
	}
}

func TestInotifyMoves(t *testing.T) {
	s := newScene(t, inotifyOptions(), nil)
	s.plant(s.in("a"), 2, 2, 1)
	s.write(s.in("f"), "f")
	s.write(s.in("g"), "g")
	s.barrier()
	s.forget()
	s.rename(s.in("a"), s.in("b"))
	s.rename(s.in("f"), s.in("b", "f"))
	s.rename(s.in("g"), s.in("b", "f"))
	s.barrier()
	if got, want := fmt.Sprint(s.moves), "[[a b] [f b/f] [g b/f]]"; got != want {
		t.Errorf("the moves reported are %s, want %s", got, want)
	}
	if len(s.seen) != 5 {
		t.Errorf("more was reported than what moved: %v", s.seen)
	}
	s.verify()
}

// TestInotifyOverflow has the kernel drop events while the reader is held up,
// and the tree change in all ways at that time.
func TestInotifyOverflow(t *testing.T) {
	var hold atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	s := newScene(t, inotifyOptions(), func(e *engine) {
		e.before = func(path string, _ Change) {
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
		for range room/2 + 100 {
			s.rename(s.in("x"), s.in("y"))
			s.rename(s.in("y"), s.in("x"))
		}
	}
	for round := range 2 {
		s.plant(s.in("kept"), 3, 2, 2)
		s.plant(s.in("doomed"), 3, 2, 2)
		s.plant(s.in("moving"), 3, 2, 2)
		s.write(s.in("x"), "x")
		s.barrier()
		hold.Store(true)
		s.must(os.Symlink("x", s.in("hold")))
		<-held
		s.plant(s.in("before"), 2, 2, 1)
		flood()
		s.remove(s.in("doomed"))
		s.rename(s.in("moving"), s.in("moved"))
		s.plant(s.in("moving"), 2, 2, 1)
		s.plant(s.in("new"), 3, 2, 2)
		s.rename(s.in("kept", "dir0"), s.in("new", "dir0", "dir0", "inner"))
		s.write(s.in("kept", "dir1", "file1"), fmt.Sprint("changed", round))
		release <- struct{}{}
		s.await("the loss", func() bool { return len(s.lost) > round })
		s.verify()
		for _, name := range []string{"kept", "moving", "moved", "new", "before", "hold"} {
			s.remove(s.in(name))
		}
		s.verify()
	}
	for _, reason := range s.lost {
		if !strings.Contains(reason, "overflow") {
			t.Errorf("lost: %s", reason)
		}
	}
}

// TestInotifyManyWriters has several goroutines change the tree at once, so that
// the watcher is behind at all times.
func TestInotifyManyWriters(t *testing.T) {
	s := newScene(t, inotifyOptions(), nil)
	for range 2 {
		churnTogether(t, s, 3, *opsFlag/3)
		s.verify()
	}
}

func TestInotifyPollsBeyondMaxWatches(t *testing.T) {
	opts := inotifyOptions()
	opts.MaxWatches = 5
	s := newScene(t, opts, nil)
	s.plant(s.in("a"), 3, 2, 2)
	s.verify()
	stats := s.w.Stats()
	if stats.Directories > 5 || stats.Polled < 9 || !strings.Contains(stats.Problem, "MaxWatches allows 5, and 14 are needed") {
		t.Errorf("the state is %+v", stats)
	}
	changeEverything(s)
	s.remove(s.in("b"))
	s.remove(s.in("a"))
	s.verify()
	if stats := s.w.Stats(); stats.Polled != 0 || stats.Problem != "" {
		t.Errorf("the state is %+v", stats)
	}
}

// changeEverything changes a planted tree "a" in many ways, and verifies each.
func changeEverything(s *scene) {
	s.t.Helper()
	s.write(s.in("a", "dir1", "dir2", "file0"), "changed")
	s.write(s.in("a", "dir1", "file1"), "changed, too")
	s.verify()
	s.rename(s.in("a", "dir2"), s.in("a", "other"))
	s.write(s.in("a", "other", "dir1", "new"), "x")
	s.verify()
	s.remove(s.in("a", "dir0", "dir0"))
	s.write(s.in("a", "dir0", "dir0"), "a file")
	s.mkdir(s.in("a", "other", "made", "in", "depth"))
	s.verify()
	s.rename(s.in("a", "other"), s.in("b"))
	s.plant(s.in("a", "other"), 2, 1, 1)
	s.must(os.Chmod(s.in("b", "dir1"), 0o700))
	s.verify()
}

// TestInotifyReportsByPolling does without a barrier, which polls at once.
func TestInotifyReportsByPolling(t *testing.T) {
	opts := inotifyOptions()
	opts.MaxWatches = 1
	s := newScene(t, opts, nil)
	s.mkdir(s.in("a", "b"))
	s.barrier()
	s.forget()
	s.write(s.in("a", "b", "f"), "x")
	s.await("the change", func() bool { return s.seen["a/b/f"] != 0 })
}

func TestInotifyRoot(t *testing.T) {
	for name, c := range map[string]struct{ leave, comeBack func(s *scene) }{
		"removed": {
			func(s *scene) { s.remove(s.in()) },
			func(s *scene) { s.plant(s.in(), 2, 2, 2) },
		},
		"renamed away": {
			func(s *scene) { s.rename(s.in(), s.out("elsewhere")) },
			func(s *scene) {
				s.write(s.out("elsewhere", "dir0", "new"), "x")
				s.rename(s.out("elsewhere"), s.in())
			},
		},
		"replaced": {
			func(s *scene) {
				s.rename(s.in(), s.out("elsewhere"))
				s.plant(s.in(), 3, 1, 1)
			},
			func(*scene) {},
		},
		"replaced by a file": {
			func(s *scene) {
				s.remove(s.in())
				s.write(s.in(), "x")
			},
			func(s *scene) {
				s.remove(s.in())
				s.plant(s.in(), 3, 1, 1)
			},
		},
		"below a directory that is renamed": {
			func(s *scene) { s.rename(s.in(".."), s.in("..")+"-away") },
			func(s *scene) { s.rename(s.in("..")+"-away", s.in("..")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, inotifyOptions(), nil)
			s.plant(s.in(), 2, 2, 2)
			s.verify()
			c.leave(s)
			s.await("the loss of the root", func() bool { return len(s.goneFor) == 1 })
			if !strings.Contains(s.goneFor[0], s.root) {
				t.Errorf("the root is gone: %s", s.goneFor[0])
			}
			s.barrier()
			c.comeBack(s)
			s.await("the root's return", func() bool { return len(s.lost) == 1 })
			s.verify()
		})
	}
}

func TestInotifySymlinkedRoot(t *testing.T) {
	dir := t.TempDir()
	mkdirs(t, dir+"/real/a")
	if err := os.Symlink("real", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	b := start(t, dir+"/link", inotifyOptions(), nil)
	if err := os.WriteFile(dir+"/real/a/f", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.verify()
}

// TestInotifyWithoutInstance uses all file descriptors up, which the kernel
// answers in the same way as a lack of instances.
func TestInotifyWithoutInstance(t *testing.T) {
	if !inChild() {
		runChild(t, childOptions{})
		return
	}
	root := t.TempDir()
	w, err := New(root, inotifyOptions(), newEngine(t, root))
	if err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	err = w.Run(context.Background(), func() {})
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "sysctl fs.inotify.max_user_instances=") {
		t.Errorf("Run: %v", err)
	}
}

func TestInotifyUnreadable(t *testing.T) {
	if os.Getuid() == 0 && !inChild() {
		runChild(t, childOptions{nobody: true})
		return
	}
	s := newScene(t, inotifyOptions(), nil)
	s.plant(s.in("a"), 2, 1, 1)
	s.plant(s.in("b"), 2, 1, 1)
	s.must(os.Chmod(s.in("b"), 0o300))
	s.barrier()
	// It arrives unreadable.
	s.mkdir(s.out("c", "d"))
	s.must(os.Chmod(s.out("c"), 0o300))
	s.rename(s.out("c"), s.in("c"))
	s.barrier()
	stats := s.w.Stats()
	if stats.Polled == 0 || !strings.Contains(stats.Problem, s.root) || !strings.Contains(stats.Problem, "permission denied") {
		t.Errorf("the state is %+v", stats)
	}
	s.write(s.in("c", "d", "hidden"), "x")
	s.barrier()
	s.must(os.Chmod(s.in("b"), 0o700))
	s.must(os.Chmod(s.in("c"), 0o700))
	s.verify()
	if stats := s.w.Stats(); stats.Polled != 0 || stats.Problem != "" {
		t.Errorf("the state is %+v", stats)
	}
}

// TestInotifyLimit runs into the kernel's limit of watches, that of a user
// namespace of its own.
func TestInotifyLimit(t *testing.T) {
	const limit = "/proc/sys/user/max_inotify_watches"
	if !inChild() {
		before := readLimit(limit)
		runChild(t, childOptions{namespace: true})
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
	s := newScene(t, inotifyOptions(), nil)
	s.plant(s.in("a"), 3, 3, 2)
	s.verify()
	stats := s.w.Stats()
	if stats.Directories != 20 || stats.Polled != 21 || !strings.Contains(stats.Problem, "sysctl user.max_inotify_watches=") {
		t.Errorf("the state is %+v", stats)
	}
	changeEverything(s)
	set("1000")
	s.verify()
}

func TestStatsOfUnstarted(t *testing.T) {
	w, err := New(t.TempDir(), inotifyOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := w.Stats(); s.Backend != "inotify" || !s.Lossless {
		t.Errorf("the state is %+v", s)
	}
}

func TestRunEndsAtOnce(t *testing.T) {
	root := t.TempDir()
	w, err := New(root, inotifyOptions(), newEngine(t, root))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := w.Run(ctx, func() {}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}
