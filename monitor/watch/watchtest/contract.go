package watchtest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Scene is what a case of the contract works on: an empty tree that is watched,
// and an empty directory that is not, on the same file system.
type Scene struct {
	*Bench
	T       *testing.T
	Outside string
}

// In returns a path in the tree.
func (s *Scene) In(names ...string) string {
	return filepath.Join(append([]string{s.Root}, names...)...)
}

// Out returns a path outside of the tree.
func (s *Scene) Out(names ...string) string {
	return filepath.Join(append([]string{s.Outside}, names...)...)
}

// Must ends the test with an error.
func (s *Scene) Must(err error) {
	s.T.Helper()
	if err != nil {
		s.T.Fatal(err)
	}
}

// Mkdir makes a directory, and those above it.
func (s *Scene) Mkdir(path string) {
	s.T.Helper()
	s.Must(os.MkdirAll(path, 0o755))
}

// Write makes or overwrites a file.
func (s *Scene) Write(path, content string) {
	s.T.Helper()
	s.Must(os.WriteFile(path, []byte(content), 0o644))
}

// Rename renames what is at a path.
func (s *Scene) Rename(from, to string) {
	s.T.Helper()
	s.Must(os.Rename(from, to))
}

// Remove removes what is at a path, and all below it.
func (s *Scene) Remove(path string) {
	s.T.Helper()
	s.Must(os.RemoveAll(path))
}

// SeenBelow returns the paths below a path that were reported since the last
// call of Forget.
func (s *Scene) SeenBelow(path string) []string {
	var paths []string
	for p := range s.Seen() {
		if relpath.Below(p, path) {
			paths = append(paths, p)
		}
	}
	return paths
}

// Plant makes a tree of directories with files in each.
func (s *Scene) Plant(path string, width, depth, files int) {
	s.T.Helper()
	s.Mkdir(path)
	for i := range files {
		s.Write(filepath.Join(path, fmt.Sprintf("file%d", i)), fmt.Sprint(path, i))
	}
	if depth > 0 {
		for i := range width {
			s.Plant(filepath.Join(path, fmt.Sprintf("dir%d", i)), width, depth-1, files)
		}
	}
}

// contract is what every backend has to get right, case by case. After each,
// all is compared and every directory probed.
var contract = []struct {
	name string
	play func(s *Scene)
}{
	{"nothing happens", func(*Scene) {}},
	{"mkdir -p and write at once", func(s *Scene) {
		for i := range 30 {
			dir := s.In(fmt.Sprintf("d%d", i), "a", "b", "c", "d")
			s.Mkdir(dir)
			s.Write(filepath.Join(dir, "file"), "content")
		}
	}},
	{"a tree is copied in", func(s *Scene) {
		s.Plant(s.Out("source"), 4, 3, 12)
		s.Must(os.CopyFS(s.In("copy"), os.DirFS(s.Out("source"))))
	}},
	{"an archive is unpacked", func(s *Scene) {
		for i := range 600 {
			dir := s.In("archive", fmt.Sprintf("d%d", i%100))
			if i < 100 {
				s.Mkdir(dir)
			}
			path := filepath.Join(dir, fmt.Sprintf("f%d", i))
			s.Write(path+".tmp", fmt.Sprint(i))
			s.Must(os.Chmod(path+".tmp", 0o600))
			s.Rename(path+".tmp", path)
		}
	}},
	{"a tree is moved in", func(s *Scene) {
		s.Plant(s.Out("tree"), 3, 3, 3)
		s.Rename(s.Out("tree"), s.In("tree"))
		s.Write(s.In("tree", "dir1", "dir2", "dir0", "new"), "x")
	}},
	{"a tree is moved out and changed there", func(s *Scene) {
		s.Plant(s.In("tree"), 3, 2, 3)
		s.Sync()
		s.Rename(s.In("tree"), s.Out("tree"))
		s.Verify()
		s.Forget()
		s.Write(s.Out("tree", "new"), "x")
		s.Mkdir(s.Out("tree", "dir1", "more"))
		s.Write(s.Out("tree", "dir1", "more", "new"), "x")
		s.Sync()
		if paths := s.SeenBelow("tree"); len(paths) > 0 {
			s.T.Errorf("%q were reported, which are not in the tree", paths)
		}
	}},
	{"a tree is moved out and back in", func(s *Scene) {
		s.Plant(s.In("tree"), 3, 2, 3)
		s.Sync()
		for i := range 20 {
			s.Rename(s.In("tree"), s.Out("tree"))
			s.Mkdir(s.Out("tree", fmt.Sprintf("made%d", i), "below"))
			s.Write(s.Out("tree", "dir1", "outside"), fmt.Sprint(i))
			s.Rename(s.Out("tree"), s.In("tree"))
			s.Write(s.In("tree", "dir2", "inside"), fmt.Sprint(i))
		}
	}},
	{"a directory is renamed and written to", func(s *Scene) {
		s.Plant(s.In("a"), 3, 2, 2)
		s.Sync()
		s.Rename(s.In("a"), s.In("b"))
		s.Write(s.In("b", "dir1", "dir2", "new"), "x")
		s.Verify()
		s.Mkdir(s.In("c"))
		s.Rename(s.In("b"), s.In("c", "b"))
		s.Mkdir(s.In("c", "b", "dir0", "made"))
		s.Write(s.In("c", "b", "dir0", "made", "new"), "x")
	}},
	{"a directory is made and renamed at once", func(s *Scene) {
		for i := range 40 {
			tmp, name := s.In("tmp"), s.In(fmt.Sprintf("d%d", i))
			s.Mkdir(filepath.Join(tmp, "a", "b"))
			s.Write(filepath.Join(tmp, "a", "b", "early"), "x")
			s.Rename(tmp, name)
			s.Mkdir(filepath.Join(name, "a", "b", "c"))
			s.Write(filepath.Join(name, "a", "b", "c", "late"), "x")
		}
	}},
	{"renamed and made again under the same name", func(s *Scene) {
		for i := range 50 {
			s.Mkdir(s.In("a", "sub"))
			s.Write(s.In("a", "sub", "file"), fmt.Sprint(i))
			s.Rename(s.In("a"), s.In(fmt.Sprintf("old%d", i)))
			s.Mkdir(s.In("a", "sub"))
			s.Write(s.In("a", "file"), fmt.Sprint(i))
			s.Write(s.In(fmt.Sprintf("old%d", i), "sub", "late"), fmt.Sprint(i))
		}
	}},
	{"two directories are swapped by three renames", func(s *Scene) {
		s.Plant(s.In("a"), 2, 2, 2)
		s.Plant(s.In("b"), 3, 1, 1)
		s.Sync()
		for range 9 {
			s.Rename(s.In("a"), s.In("tmp"))
			s.Rename(s.In("b"), s.In("a"))
			s.Rename(s.In("tmp"), s.In("b"))
		}
		s.Write(s.In("a", "dir1", "new"), "a")
		s.Write(s.In("b", "dir1", "new"), "b")
	}},
	{"deleted and made again at once", func(s *Scene) {
		for i := range 100 {
			s.Mkdir(s.In("a", "b", "c"))
			s.Write(s.In("a", "b", "c", "file"), fmt.Sprint(i))
			s.Remove(s.In("a"))
		}
		s.Mkdir(s.In("a", "b", "c"))
		s.Write(s.In("a", "b", "c", "file"), "last")
	}},
	{"a file becomes a directory and back", func(s *Scene) {
		for i := range 50 {
			s.Write(s.In("x"), fmt.Sprint(i))
			s.Remove(s.In("x"))
			s.Mkdir(s.In("x", "y"))
			s.Write(s.In("x", "y", "z"), fmt.Sprint(i))
			if i%10 == 0 {
				s.Sync()
			}
			s.Remove(s.In("x"))
		}
		s.Write(s.In("x"), "file")
		s.Verify()
		s.Remove(s.In("x"))
		s.Mkdir(s.In("x", "y"))
	}},
	{"a symbolic link takes the place of a directory", func(s *Scene) {
		s.Plant(s.In("a"), 2, 1, 1)
		s.Plant(s.Out("target"), 2, 1, 1)
		s.Sync()
		s.Remove(s.In("a"))
		s.Must(os.Symlink(s.Out("target"), s.In("a")))
		s.Verify()
		s.Forget()
		s.Write(s.Out("target", "dir1", "new"), "x")
		s.Sync()
		if paths := s.SeenBelow("a"); len(paths) > 0 {
			s.T.Errorf("%q were reported, which are behind a symbolic link", paths)
		}
		s.Remove(s.In("a"))
		s.Plant(s.In("a"), 2, 1, 1)
	}},
	{"odd names", func(s *Scene) {
		for _, name := range []string{
			" ", "a b ", "new\nline", "\ttab", `"quoted'`, `back\slash`, "*", "...", "..a", "x...", "-rf", "#", ";",
			"caf\u00e9", "cafe\u0301", "not\xffutf8\xfe", "\x01", strings.Repeat("n", 255), strings.Repeat("\u00fc", 127),
		} {
			s.Mkdir(s.In(name, name))
			s.Write(s.In(name, name, "file "+name[:min(len(name), 200)]), "x")
		}
	}},
	{"links, modes and times", func(s *Scene) {
		s.Plant(s.In("a"), 1, 1, 3)
		s.Sync()
		s.Must(os.Link(s.In("a", "file0"), s.In("a", "hard")))
		s.Must(os.Symlink("file0", s.In("a", "soft")))
		s.Must(os.Chmod(s.In("a", "file1"), 0o600))
		s.Must(os.Chmod(s.In("a", "dir0"), 0o700))
		s.Must(os.Truncate(s.In("a", "file2"), 1))
	}},
	{"files replace each other", func(s *Scene) {
		for i := range 100 {
			s.Write(s.In("new"), fmt.Sprint(i))
			s.Rename(s.In("new"), s.In("file"))
		}
		s.Write(s.In("other"), "other")
		s.Rename(s.In("file"), s.In("tmp"))
		s.Rename(s.In("other"), s.In("file"))
		s.Rename(s.In("tmp"), s.In("other"))
	}},
	{"two names are exchanged", func(s *Scene) {
		s.Plant(s.In("a"), 2, 2, 2)
		s.Plant(s.In("b"), 3, 1, 1)
		s.Write(s.In("f"), "f")
		s.Write(s.In("g"), "g")
		s.Sync()
		for i := range 21 {
			for _, pair := range [][2]string{{"a", "b"}, {"f", "g"}, {"a", "f"}} {
				if err := exchange(s.In(pair[0]), s.In(pair[1])); err != nil {
					return // This system cannot do it.
				}
				// It fails while b is the file.
				_ = os.Mkdir(s.In("b", fmt.Sprint("made", i)), 0o755)
			}
			if i%5 == 0 {
				s.Verify()
			}
		}
	}},
}

// Main runs the tests of a package, many at a time: they wait more than they work.
func Main(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "16")
	}
	os.Exit(m.Run())
}

// Contract plays each case of the contract, with options as they are.
func Contract(t *testing.T, create New, opts watch.Options) {
	t.Parallel()
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := NewScene(t, create, opts, nil)
			c.play(s)
			s.Verify()
		})
	}
}

// NewScene starts a watcher of an empty directory.
func NewScene(t *testing.T, create New, opts watch.Options, prepare func(*Engine)) *Scene {
	t.Helper()
	dir := t.TempDir()
	s := &Scene{T: t, Outside: filepath.Join(dir, "outside")}
	Mkdirs(t, filepath.Join(dir, "root"), s.Outside)
	s.Bench = Start(t, create, filepath.Join(dir, "root"), opts, prepare)
	return s
}

// BarrierBeforeRun has a barrier asked for before the watcher runs.
func BarrierBeforeRun(t *testing.T, create New) {
	t.Parallel()
	root := t.TempDir()
	e := NewEngine(t, root)
	w, err := create(root, watch.Options{CookieDir: t.TempDir()}, e)
	if err != nil {
		t.Fatal(err)
	}
	w.Barrier(1)
	b := Launch(t, w, e)
	b.AwaitArmed()
	b.Await("barrier 1", func() bool { return b.Answered() == 1 })
}
