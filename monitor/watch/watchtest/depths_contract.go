package watchtest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"wsync/monitor/watch"
)

// depthContract is what every backend has to get right about directories that are not
// to be watched. "out" is the name of such, and "alone" of those that are watched by
// themselves. After each case all is compared and every directory probed.
var depthContract = []struct {
	name string
	play func(s *Scene)
}{
	{"a directory is made", func(s *Scene) {
		s.Mkdir(s.In("d"))
		s.Verify()
		s.Forget()
		s.Plant(s.In("d", "out"), 2, 2, 2)
		s.Sync()
		s.expect("d/out", watch.Tree)
		s.quiet("d/out")
	}},
	{"it is removed and made again", func(s *Scene) {
		for range 10 {
			s.Plant(s.In("out"), 2, 1, 1)
			s.Remove(s.In("out"))
		}
		s.Write(s.In("out"), "a file")
		s.Verify()
		s.Remove(s.In("out"))
		s.Plant(s.In("out"), 2, 1, 1)
		s.quiet("out")
	}},
	{"a tree is moved in", func(s *Scene) {
		s.Plant(s.Out("tree", "out"), 2, 2, 2)
		s.Plant(s.Out("tree", "kept"), 2, 1, 1)
		s.Rename(s.Out("tree"), s.In("tree"))
		s.Verify()
		s.quiet("tree/out")
	}},
	{"it is moved in and out", func(s *Scene) {
		s.Plant(s.Out("tree"), 2, 2, 2)
		for i := range 10 {
			s.Rename(s.Out("tree"), s.In("out"))
			s.Write(s.In("out", "dir0", "new"), fmt.Sprint(i))
			s.Rename(s.In("out"), s.Out("tree"))
			s.Write(s.Out("tree", "dir1", "new"), fmt.Sprint(i))
		}
		s.Rename(s.Out("tree"), s.In("out"))
	}},
	{"renamed to such a name", func(s *Scene) {
		s.Plant(s.In("a"), 2, 2, 2)
		s.Verify()
		s.Rename(s.In("a"), s.In("out"))
		s.Write(s.In("out", "dir1", "dir0", "new"), "x")
		s.Sync()
		s.expect("a", watch.Entry)
		s.expect("out", watch.Entry)
		s.quiet("out")
	}},
	{"renamed from such a name", func(s *Scene) {
		s.Plant(s.In("out"), 2, 2, 2)
		s.Verify()
		s.Forget()
		s.Rename(s.In("out"), s.In("a"))
		s.Write(s.In("a", "dir1", "dir0", "new"), "x")
		s.Sync()
		s.expect("out", watch.Entry)
		s.expect("a", watch.Tree)
	}},
	{"renamed from one such name to another", func(s *Scene) {
		s.Plant(s.In("out"), 2, 2, 2)
		s.Mkdir(s.In("d"))
		s.Verify()
		s.Forget()
		s.Rename(s.In("out"), s.In("d", "out"))
		s.Sync()
		s.expect("out", watch.Entry)
		s.expect("d/out", watch.Entry)
		s.quiet("d/out")
	}},
	{"renamed to such a name and on at once", func(s *Scene) {
		s.Plant(s.In("a"), 2, 2, 2)
		s.Mkdir(s.In("d"))
		s.Sync()
		for i := range 30 {
			s.Rename(s.In("a"), s.In("out"))
			s.Write(s.In("out", "dir0", "inside"), fmt.Sprint(i))
			s.Rename(s.In("out"), s.In("b"))
			s.Write(s.In("b", "dir0", "dir1", "between"), fmt.Sprint(i))
			s.Rename(s.In("b"), s.In("d", "out"))
			s.Mkdir(s.In("d", "out", fmt.Sprint("made", i), "below"))
			s.Rename(s.In("d", "out"), s.In("a"))
			s.Write(s.In("a", fmt.Sprint("made", i), "below", "new"), "x")
			if i%10 == 0 {
				s.Verify()
			}
		}
	}},
	{"one takes the place of another", func(s *Scene) {
		s.Plant(s.In("out"), 2, 1, 1)
		s.Plant(s.In("a"), 3, 1, 1)
		s.Sync()
		for i := range 10 {
			if err := exchange(s.In("out"), s.In("a")); err != nil {
				return // This system cannot do it.
			}
			s.Write(s.In("a", "dir1", "new"), fmt.Sprint(i))
			s.Write(s.In("out", "dir1", "new"), fmt.Sprint(i))
		}
	}},
	{"the directory above is renamed", func(s *Scene) {
		s.Depths.Say("/a/x", watch.Nothing)
		s.Depths.Say("/b/y/y", watch.Nothing)
		for _, name := range []string{"x", "y", "y/x", "y/y"} {
			s.Plant(s.In("a", name), 1, 1, 1)
		}
		s.Verify()
		for i := range 5 {
			s.Forget()
			s.Rename(s.In("a"), s.In("b"))
			s.Write(s.In("b", "x", "dir0", "new"), fmt.Sprint(i))
			s.Verify()
			s.quiet("b/y/y")
			s.Rename(s.In("b"), s.In("a"))
			s.Write(s.In("a", "y", "y", "dir0", "new"), fmt.Sprint(i))
			s.Verify()
			s.quiet("a/x")
		}
		s.Rename(s.In("a"), s.In("b"))
		s.Rename(s.In("b"), s.In("c"))
		s.Rename(s.In("c"), s.In("a"))
	}},
	{"files are moved across the border", func(s *Scene) {
		s.Plant(s.In("out"), 1, 1, 3)
		s.Plant(s.In("a"), 1, 1, 3)
		s.Sync()
		for i := range 10 {
			s.Rename(s.In("a", "file0"), s.In("out", "file0"))
			s.Rename(s.In("out", "file1"), s.In("a", "file1"))
			s.Rename(s.In("out", "dir0"), s.In("tmp"))
			s.Rename(s.In("a", "dir0"), s.In("out", "dir0"))
			s.Rename(s.In("tmp"), s.In("a", "dir0"))
			s.Write(s.In("a", "dir0", "new"), fmt.Sprint(i))
			s.Rename(s.In("out", "file0"), s.In("a", "file0"))
			s.Rename(s.In("a", "file1"), s.In("out", "file1"))
		}
	}},
	{"what is said changes", func(s *Scene) {
		s.Plant(s.In("a"), 3, 2, 2)
		s.Plant(s.In("b"), 2, 1, 1)
		s.Verify()
		for _, dirs := range [][]string{{""}, {"a"}, {"a/dir1"}, {"", "a/dir1"}, {"none/at/all", "a/dir1", "a/dir1/dir0"}} {
			s.Sync()
			s.Forget()
			s.Say("/a/dir1", watch.Nothing, dirs...)
			s.Settle()
			s.only()
			s.Verify()
			s.quiet("a/dir1")
			s.Sync()
			s.Forget()
			s.Say("/a/dir1", watch.Whole, dirs...)
			s.Settle()
			s.only("a/dir1")
			s.Verify()
		}
	}},
	{"several are to be watched", func(s *Scene) {
		for _, path := range []string{"a/out", "a/b/out", "out", "c/d/e/out"} {
			s.Plant(s.In(path), 2, 1, 1)
		}
		s.Plant(s.In("out", "out"), 1, 1, 1)
		s.Plant(s.In("out", "dir0", "out"), 1, 1, 1)
		s.Verify()
		s.Forget()
		s.Say("out", watch.Whole, "")
		s.Settle()
		s.only("a/out", "a/b/out", "out", "c/d/e/out")
		s.Verify()
		s.Sync()
		s.Forget()
		s.Say("out", watch.Nothing, "")
		s.Settle()
		s.only()
	}},
	{"asked about what is not watched", func(s *Scene) {
		s.Plant(s.In("out", "deep", "down"), 1, 1, 1)
		s.Plant(s.In("a"), 1, 1, 1)
		s.Verify()
		s.Forget()
		s.W.Look([]string{"out", "out/deep", "out/deep/down/dir0", "a/file0", "gone/x", "a"})
		s.Sync()
		s.only()
		s.Say("out", watch.Whole, "out/deep/down")
		s.Sync()
		s.only("out")
	}},
	{"it changes while it is written to", func(s *Scene) {
		s.Plant(s.In("a"), 3, 2, 2)
		s.Sync()
		for i := range 30 {
			depth := []watch.Depth{watch.Nothing, watch.Alone, watch.Whole}[i%3]
			s.Write(s.In("a", "dir1", "file"), fmt.Sprint(i))
			s.Say("/a/dir1", depth, "a")
			s.Write(s.In("a", "dir1", "dir0", "file"), fmt.Sprint(i))
			s.Rename(s.In("a", "dir1", "dir2"), s.In("a", fmt.Sprint("moved", i)))
			s.Mkdir(s.In("a", "dir1", "dir2", "dir0"))
			s.Say("dir0", []watch.Depth{watch.Whole, watch.Nothing}[i/3%2], "")
			s.Write(s.In("a", "dir1", "dir2", "file"), fmt.Sprint(i))
		}
		s.Settle()
	}},
	{"watched by itself", func(s *Scene) {
		s.Plant(s.In("d", "alone"), 2, 1, 2)
		s.Verify()
		s.Forget()
		s.Write(s.In("d", "alone", "file1"), "x")
		s.Remove(s.In("d", "alone", "file0"))
		s.Write(s.In("d", "alone", "dir0", "file0"), "x")
		s.Mkdir(s.In("d", "alone", "dir2", "below"))
		s.Sync()
		s.expect("d/alone/file0", watch.Entry)
		s.expect("d/alone/file1", watch.Content)
		s.quiet("d/alone/dir0")
		s.quiet("d/alone/dir2")
		s.Rename(s.In("d", "alone", "dir0"), s.In("d", "dir0"))
		s.Verify()
		s.Rename(s.In("d", "dir0"), s.In("d", "alone", "dir3"))
		s.Verify()
		s.quiet("d/alone/dir3")
	}},
	{"not only by itself any more", func(s *Scene) {
		s.Plant(s.In("d", "alone"), 2, 2, 2)
		s.Verify()
		s.Forget()
		s.Say("/d/alone", watch.Whole, "d")
		s.Settle()
		s.only("d/alone")
		s.Verify()
		s.Sync()
		s.Forget()
		s.Say("/d/alone", watch.Alone, "d/alone")
		s.Settle()
		s.only()
		s.Verify()
		s.Rename(s.In("d", "alone"), s.In("a"))
		s.Write(s.In("a", "dir1", "dir1", "new"), "x")
		s.Verify()
		s.Rename(s.In("a"), s.In("alone"))
		s.Write(s.In("alone", "dir1", "dir1", "new"), "x")
		s.Write(s.In("alone", "new"), "x")
	}},
}

// expect requires that change is among what was said of a path. A watcher that is not
// lossless may say so late, and by other words.
func (s *Scene) expect(path string, change watch.Change) {
	s.T.Helper()
	stats := s.W.Stats()
	if !stats.Lossless {
		s.Await(fmt.Sprintf("a word about %q", path), func() bool { return s.Said(path) != 0 })
		return
	}
	if seen := s.Said(path); seen == 0 || stats.Polled == 0 && seen&change != change {
		s.T.Errorf("of %q was said %05b, not %05b", path, seen, change)
	}
}

// quiet requires that nothing below a path was reported since the last call of Forget.
func (s *Scene) quiet(path string) {
	s.T.Helper()
	if paths := s.SeenBelow(path); len(paths) > 0 {
		s.T.Errorf("%q were reported", paths)
	}
}

// only requires that these paths were reported, with all below them, and that no
// other path was, but by polling or late.
func (s *Scene) only(paths ...string) {
	s.T.Helper()
	for _, path := range paths {
		if s.Said(path)&(watch.Entry|watch.Tree) != watch.Entry|watch.Tree {
			s.T.Errorf("of %q was said %05b", path, s.Said(path))
		}
	}
	if stats := s.W.Stats(); !stats.Lossless || stats.Polled > 0 || stats.Silent > 0 {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(s.Seen())) {
		if !slices.Contains(paths, path) {
			s.T.Errorf("of %q was said %05b", path, s.Said(path))
		}
	}
}

// depthScene starts a watcher of an empty directory to which depthContract applies.
func depthScene(t *testing.T, create New, opts watch.Options, prepare func(*Engine)) *Scene {
	return NewScene(t, create, opts, func(e *Engine) {
		e.Depths = NewDepths(map[string]watch.Depth{"out": watch.Nothing, "alone": watch.Alone})
		if prepare != nil {
			prepare(e)
		}
	})
}

// DepthContract plays each case of directories that are not to be watched, with
// options as they are.
func DepthContract(t *testing.T, create New, opts watch.Options) {
	t.Parallel()
	for _, c := range depthContract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := depthScene(t, create, opts, nil)
			c.play(s)
			s.Verify()
		})
	}
}
