package watch

import (
	"os"
	"syscall"
	"testing"
)

// mountContract is what every backend has to get right about what is mounted
// below the root, none of which is an event of a directory.
var mountContract = []struct {
	name string
	play func(s *scene)
}{
	{"a tree of elsewhere is mounted", func(s *scene) {
		s.plant(s.out("tree"), 2, 2, 2)
		s.mkdir(s.in("m"))
		s.barrier()
		s.bind(s.out("tree"), s.in("m"))
		s.verify()
		s.write(s.in("m", "dir1", "new"), "x")
		s.write(s.out("tree", "dir0", "other way"), "x")
	}},
	{"over what is there", func(s *scene) {
		s.plant(s.in("d", "m"), 2, 2, 2)
		s.barrier()
		s.tmpfs(s.in("d", "m"))
		s.verify()
		s.plant(s.in("d", "m", "tree"), 2, 1, 1)
	}},
	{"and is there again", func(s *scene) {
		s.plant(s.in("m"), 2, 2, 2)
		s.tmpfs(s.in("m"))
		s.plant(s.in("m", "tree"), 2, 1, 1)
		s.verify()
		s.unmount(s.in("m"))
		s.verify()
		s.write(s.in("m", "dir1", "new"), "x")
	}},
	{"one over another", func(s *scene) {
		s.mkdir(s.in("m"))
		for i := range 3 {
			s.tmpfs(s.in("m"))
			s.plant(s.in("m", "tree"), 2, 1, i)
			s.verify()
		}
		for range 3 {
			s.unmount(s.in("m"))
			s.verify()
		}
	}},
	{"one on another, and both away", func(s *scene) {
		s.mkdir(s.in("m"))
		s.tmpfs(s.in("m"))
		s.mkdir(s.in("m", "n"))
		s.tmpfs(s.in("m", "n"))
		s.write(s.in("m", "n", "file"), "x")
		s.verify()
		s.unmount(s.in("m"))
	}},
	{"unmounted while a file is open", func(s *scene) {
		s.mkdir(s.in("m"))
		s.tmpfs(s.in("m"))
		s.mkdir(s.in("m", "d"))
		s.verify()
		f, err := os.Create(s.in("m", "d", "open"))
		s.must(err)
		defer f.Close()
		s.unmount(s.in("m"))
		s.verify()
		if _, err := f.WriteString("unseen"); err != nil {
			s.t.Error(err)
		}
	}},
	{"moved", func(s *scene) {
		s.mkdir(s.in("a"))
		s.mkdir(s.in("b"))
		s.tmpfs(s.in("a"))
		s.plant(s.in("a", "tree"), 2, 1, 1)
		s.verify()
		s.must(syscall.Mount(s.in("a"), s.in("b"), "", syscall.MS_MOVE, ""))
		s.t.Cleanup(func() { s.unmount(s.in("b")) })
	}},
	{"in a directory that is renamed", func(s *scene) {
		s.mkdir(s.in("a", "m"))
		s.tmpfs(s.in("a", "m"))
		s.plant(s.in("a", "m", "tree"), 2, 1, 1)
		s.verify()
		s.rename(s.in("a"), s.in("b"))
		s.verify()
		s.unmount(s.in("b", "m"))
	}},
	{"in a directory that is renamed, and still in use", func(s *scene) {
		s.plant(s.out("tree"), 2, 1, 1)
		s.mkdir(s.in("a", "m"))
		s.bind(s.out("tree"), s.in("a", "m"))
		s.verify()
		s.rename(s.in("a"), s.in("b"))
		s.barrier()
		s.rename(s.in("b"), s.in("c"))
		s.verify()
		s.unmount(s.in("c", "m"))
	}},
	{"in a directory that leaves the tree, and comes back", func(s *scene) {
		s.plant(s.out("tree"), 2, 1, 1)
		s.mkdir(s.in("a", "m"))
		s.bind(s.out("tree"), s.in("a", "m"))
		s.verify()
		s.rename(s.in("a"), s.out("a"))
		s.verify()
		s.rename(s.out("a"), s.in("c"))
		s.verify()
		s.unmount(s.in("c", "m"))
	}},
	{"names that the table escapes", func(s *scene) {
		for _, name := range []string{"a b", "tab\t", "line\n", `back\slash`, "#x"} {
			s.mkdir(s.in(name))
			s.tmpfs(s.in(name))
			s.write(s.in(name, "file"), name)
		}
		s.verify()
		s.unmount(s.in("a b"))
	}},
	{"a part of the tree under another name", func(s *scene) {
		s.plant(s.in("a"), 2, 1, 1)
		s.mkdir(s.in("b"))
		s.bind(s.in("a"), s.in("b"))
		s.verify()
		s.unmount(s.in("b"))
	}},
}

func (s *scene) bind(from, to string) {
	s.t.Helper()
	s.must(syscall.Mount(from, to, "", syscall.MS_BIND, ""))
	s.t.Cleanup(func() { syscall.Unmount(to, syscall.MNT_DETACH) }) // unless it is
}

func (s *scene) tmpfs(path string) {
	s.t.Helper()
	s.must(syscall.Mount("none", path, "tmpfs", 0, "size=4m"))
	s.t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) }) // unless it is
}

func (s *scene) unmount(path string) {
	s.t.Helper()
	s.must(syscall.Unmount(path, syscall.MNT_DETACH))
}

func TestMounts(t *testing.T) {
	if !inChild() {
		runChild(t, childOptions{mounts: true})
		return
	}
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			for _, c := range mountContract {
				t.Run(c.name, func(t *testing.T) {
					called := false
					s := newScene(t, Options{Backend: backend, MountsChanged: func() { called = true }}, nil)
					c.play(s)
					s.verify()
					s.end() // called is Run's until then
					if !called {
						t.Error("MountsChanged was not called")
					}
				})
			}
		})
	}
}

// What is mounted elsewhere, be it beside the root, is nothing to the watcher.
func TestMountsElsewhere(t *testing.T) {
	if !inChild() {
		runChild(t, childOptions{mounts: true})
		return
	}
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			called := false
			s := newScene(t, Options{Backend: backend, MountsChanged: func() { called = true }}, nil)
			s.barrier()
			s.forget()
			s.tmpfs(s.outside)
			s.mkdir(s.root + "2")
			s.tmpfs(s.root + "2")
			s.barrier()
			s.end()
			if called || len(s.seen) > 0 {
				t.Errorf("%v, reported: %v", called, s.seen)
			}
		})
	}
}
