package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scene is what a case of the contract works on: an empty tree that is watched,
// and an empty directory that is not, on the same file system.
type scene struct {
	*bench
	t       *testing.T
	outside string
}

// in returns a path in the tree.
func (s *scene) in(names ...string) string {
	return filepath.Join(append([]string{s.root}, names...)...)
}

// out returns a path outside of the tree.
func (s *scene) out(names ...string) string {
	return filepath.Join(append([]string{s.outside}, names...)...)
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) mkdir(path string) {
	s.t.Helper()
	s.must(os.MkdirAll(path, 0o755))
}

func (s *scene) write(path, content string) {
	s.t.Helper()
	s.must(os.WriteFile(path, []byte(content), 0o644))
}

func (s *scene) rename(from, to string) {
	s.t.Helper()
	s.must(os.Rename(from, to))
}

func (s *scene) remove(path string) {
	s.t.Helper()
	s.must(os.RemoveAll(path))
}

// seenBelow returns the paths below a path that were reported since the last
// call of forget.
func (s *scene) seenBelow(path string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for p := range s.seen {
		if strings.HasPrefix(p, path+"/") {
			paths = append(paths, p)
		}
	}
	return paths
}

// plant makes a tree of directories with files in each.
func (s *scene) plant(path string, width, depth, files int) {
	s.t.Helper()
	s.mkdir(path)
	for i := range files {
		s.write(filepath.Join(path, fmt.Sprintf("file%d", i)), fmt.Sprint(path, i))
	}
	if depth > 0 {
		for i := range width {
			s.plant(filepath.Join(path, fmt.Sprintf("dir%d", i)), width, depth-1, files)
		}
	}
}

// contract is what every backend has to get right, case by case. After each,
// all is compared and every directory probed.
var contract = []struct {
	name string
	play func(s *scene)
}{
	{"nothing happens", func(*scene) {}},
	{"mkdir -p and write at once", func(s *scene) {
		for i := range 30 {
			dir := s.in(fmt.Sprintf("d%d", i), "a", "b", "c", "d")
			s.mkdir(dir)
			s.write(filepath.Join(dir, "file"), "content")
		}
	}},
	{"a tree is copied in", func(s *scene) {
		s.plant(s.out("source"), 4, 3, 12)
		s.must(os.CopyFS(s.in("copy"), os.DirFS(s.out("source"))))
	}},
	{"an archive is unpacked", func(s *scene) {
		for i := range 600 {
			dir := s.in("archive", fmt.Sprintf("d%d", i%100))
			if i < 100 {
				s.mkdir(dir)
			}
			path := filepath.Join(dir, fmt.Sprintf("f%d", i))
			s.write(path+".tmp", fmt.Sprint(i))
			s.must(os.Chmod(path+".tmp", 0o600))
			s.rename(path+".tmp", path)
		}
	}},
	{"a tree is moved in", func(s *scene) {
		s.plant(s.out("tree"), 3, 3, 3)
		s.rename(s.out("tree"), s.in("tree"))
		s.write(s.in("tree", "dir1", "dir2", "dir0", "new"), "x")
	}},
	{"a tree is moved out and changed there", func(s *scene) {
		s.plant(s.in("tree"), 3, 2, 3)
		s.barrier()
		s.rename(s.in("tree"), s.out("tree"))
		s.verify()
		s.forget()
		s.write(s.out("tree", "new"), "x")
		s.mkdir(s.out("tree", "dir1", "more"))
		s.write(s.out("tree", "dir1", "more", "new"), "x")
		s.barrier()
		if paths := s.seenBelow("tree"); len(paths) > 0 {
			s.t.Errorf("%q were reported, which are not in the tree", paths)
		}
	}},
	{"a tree is moved out and back in", func(s *scene) {
		s.plant(s.in("tree"), 3, 2, 3)
		s.barrier()
		for i := range 20 {
			s.rename(s.in("tree"), s.out("tree"))
			s.mkdir(s.out("tree", fmt.Sprintf("made%d", i), "below"))
			s.write(s.out("tree", "dir1", "outside"), fmt.Sprint(i))
			s.rename(s.out("tree"), s.in("tree"))
			s.write(s.in("tree", "dir2", "inside"), fmt.Sprint(i))
		}
	}},
	{"a directory is renamed and written to", func(s *scene) {
		s.plant(s.in("a"), 3, 2, 2)
		s.barrier()
		s.rename(s.in("a"), s.in("b"))
		s.write(s.in("b", "dir1", "dir2", "new"), "x")
		s.verify()
		s.mkdir(s.in("c"))
		s.rename(s.in("b"), s.in("c", "b"))
		s.mkdir(s.in("c", "b", "dir0", "made"))
		s.write(s.in("c", "b", "dir0", "made", "new"), "x")
	}},
	{"a directory is made and renamed at once", func(s *scene) {
		for i := range 40 {
			tmp, name := s.in("tmp"), s.in(fmt.Sprintf("d%d", i))
			s.mkdir(filepath.Join(tmp, "a", "b"))
			s.write(filepath.Join(tmp, "a", "b", "early"), "x")
			s.rename(tmp, name)
			s.mkdir(filepath.Join(name, "a", "b", "c"))
			s.write(filepath.Join(name, "a", "b", "c", "late"), "x")
		}
	}},
	{"renamed and made again under the same name", func(s *scene) {
		for i := range 50 {
			s.mkdir(s.in("a", "sub"))
			s.write(s.in("a", "sub", "file"), fmt.Sprint(i))
			s.rename(s.in("a"), s.in(fmt.Sprintf("old%d", i)))
			s.mkdir(s.in("a", "sub"))
			s.write(s.in("a", "file"), fmt.Sprint(i))
			s.write(s.in(fmt.Sprintf("old%d", i), "sub", "late"), fmt.Sprint(i))
		}
	}},
	{"two directories are swapped by three renames", func(s *scene) {
		s.plant(s.in("a"), 2, 2, 2)
		s.plant(s.in("b"), 3, 1, 1)
		s.barrier()
		for range 9 {
			s.rename(s.in("a"), s.in("tmp"))
			s.rename(s.in("b"), s.in("a"))
			s.rename(s.in("tmp"), s.in("b"))
		}
		s.write(s.in("a", "dir1", "new"), "a")
		s.write(s.in("b", "dir1", "new"), "b")
	}},
	{"deleted and made again at once", func(s *scene) {
		for i := range 100 {
			s.mkdir(s.in("a", "b", "c"))
			s.write(s.in("a", "b", "c", "file"), fmt.Sprint(i))
			s.remove(s.in("a"))
		}
		s.mkdir(s.in("a", "b", "c"))
		s.write(s.in("a", "b", "c", "file"), "last")
	}},
	{"a file becomes a directory and back", func(s *scene) {
		for i := range 50 {
			s.write(s.in("x"), fmt.Sprint(i))
			s.remove(s.in("x"))
			s.mkdir(s.in("x", "y"))
			s.write(s.in("x", "y", "z"), fmt.Sprint(i))
			if i%10 == 0 {
				s.barrier()
			}
			s.remove(s.in("x"))
		}
		s.write(s.in("x"), "file")
		s.verify()
		s.remove(s.in("x"))
		s.mkdir(s.in("x", "y"))
	}},
	{"a symbolic link takes the place of a directory", func(s *scene) {
		s.plant(s.in("a"), 2, 1, 1)
		s.plant(s.out("target"), 2, 1, 1)
		s.barrier()
		s.remove(s.in("a"))
		s.must(os.Symlink(s.out("target"), s.in("a")))
		s.verify()
		s.forget()
		s.write(s.out("target", "dir1", "new"), "x")
		s.barrier()
		if paths := s.seenBelow("a"); len(paths) > 0 {
			s.t.Errorf("%q were reported, which are behind a symbolic link", paths)
		}
		s.remove(s.in("a"))
		s.plant(s.in("a"), 2, 1, 1)
	}},
	{"odd names", func(s *scene) {
		for _, name := range []string{
			" ", "a b ", "new\nline", "\ttab", `"quoted'`, `back\slash`, "*", "...", "..a", "x...", "-rf", "#", ";",
			"caf\u00e9", "cafe\u0301", "not\xffutf8\xfe", "\x01", strings.Repeat("n", 255), strings.Repeat("\u00fc", 127),
		} {
			s.mkdir(s.in(name, name))
			s.write(s.in(name, name, "file "+name[:min(len(name), 200)]), "x")
		}
	}},
	{"links, modes and times", func(s *scene) {
		s.plant(s.in("a"), 1, 1, 3)
		s.barrier()
		s.must(os.Link(s.in("a", "file0"), s.in("a", "hard")))
		s.must(os.Symlink("file0", s.in("a", "soft")))
		s.must(os.Chmod(s.in("a", "file1"), 0o600))
		s.must(os.Chmod(s.in("a", "dir0"), 0o700))
		s.must(os.Truncate(s.in("a", "file2"), 1))
	}},
	{"files replace each other", func(s *scene) {
		for i := range 100 {
			s.write(s.in("new"), fmt.Sprint(i))
			s.rename(s.in("new"), s.in("file"))
		}
		s.write(s.in("other"), "other")
		s.rename(s.in("file"), s.in("tmp"))
		s.rename(s.in("other"), s.in("file"))
		s.rename(s.in("tmp"), s.in("other"))
	}},
	{"two names are exchanged", func(s *scene) {
		s.plant(s.in("a"), 2, 2, 2)
		s.plant(s.in("b"), 3, 1, 1)
		s.write(s.in("f"), "f")
		s.write(s.in("g"), "g")
		s.barrier()
		for i := range 21 {
			for _, pair := range [][2]string{{"a", "b"}, {"f", "g"}, {"a", "f"}} {
				if err := exchange(s.in(pair[0]), s.in(pair[1])); err != nil {
					return // This system cannot do it.
				}
				// It fails while b is the file.
				_ = os.Mkdir(s.in("b", fmt.Sprint("made", i)), 0o755)
			}
			if i%5 == 0 {
				s.verify()
			}
		}
	}},
}

func TestContract(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			for _, c := range contract {
				t.Run(c.name, func(t *testing.T) {
					s := newScene(t, Options{Backend: backend}, nil)
					c.play(s)
					s.verify()
				})
			}
		})
	}
}

// newScene starts a watcher of an empty directory.
func newScene(t *testing.T, opts Options, prepare func(*engine)) *scene {
	t.Helper()
	dir := t.TempDir()
	s := &scene{t: t, outside: filepath.Join(dir, "outside")}
	mkdirs(t, filepath.Join(dir, "root"), s.outside)
	s.bench = start(t, filepath.Join(dir, "root"), opts, prepare)
	return s
}

func TestChurn(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			testChurn(t, Options{Backend: backend})
		})
	}
}

func TestBarrierBeforeRun(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			root := t.TempDir()
			e := newEngine(t, root)
			w, err := New(root, Options{Backend: backend, CookieDir: t.TempDir()}, e)
			if err != nil {
				t.Fatal(err)
			}
			w.Barrier(1)
			b := run(t, w, e)
			b.await("barrier 1", func() bool { return b.answered == 1 })
		})
	}
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, opts := range map[string]Options{
		"an unknown backend":       {Backend: "magic", CookieDir: dir},
		"no directory for cookies": {Backend: "notify"},
	} {
		if _, err := New(dir, opts, nil); err == nil {
			t.Errorf("New accepts %s", name)
		} else if !strings.HasPrefix(err.Error(), "cannot watch ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
