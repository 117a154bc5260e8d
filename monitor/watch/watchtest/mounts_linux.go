package watchtest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// mountContract is what every backend has to get right about what is mounted
// below the root, none of which is an event of a directory.
var mountContract = []struct {
	name string
	play func(s *Scene)
}{
	{"a tree of elsewhere is mounted", func(s *Scene) {
		s.Plant(s.Out("tree"), 2, 2, 2)
		s.Mkdir(s.In("m"))
		s.Sync()
		s.Bind(s.Out("tree"), s.In("m"))
		s.Verify()
		s.Write(s.In("m", "dir1", "new"), "x")
		s.Write(s.Out("tree", "dir0", "other way"), "x")
	}},
	{"over what is there", func(s *Scene) {
		s.Plant(s.In("d", "m"), 2, 2, 2)
		s.Sync()
		s.Tmpfs(s.In("d", "m"))
		s.Verify()
		s.Plant(s.In("d", "m", "tree"), 2, 1, 1)
	}},
	{"another one in its place, at once", func(s *Scene) {
		s.Mkdir(s.In("m"))
		s.Tmpfs(s.In("m"))
		s.Verify()
		for i := range 5 {
			s.Unmount(s.In("m"))
			s.Tmpfs(s.In("m"))
			s.Plant(s.In("m", "tree"), 2, 1, i)
			s.Verify()
		}
	}},
	{"and is there again", func(s *Scene) {
		s.Plant(s.In("m"), 2, 2, 2)
		s.Tmpfs(s.In("m"))
		s.Plant(s.In("m", "tree"), 2, 1, 1)
		s.Verify()
		s.Unmount(s.In("m"))
		s.Verify()
		s.Write(s.In("m", "dir1", "new"), "x")
	}},
	{"one over another", func(s *Scene) {
		s.Mkdir(s.In("m"))
		for i := range 3 {
			s.Tmpfs(s.In("m"))
			s.Plant(s.In("m", "tree"), 2, 1, i)
			s.Verify()
		}
		for range 3 {
			s.Unmount(s.In("m"))
			s.Verify()
		}
	}},
	{"one on another, and both away", func(s *Scene) {
		s.Mkdir(s.In("m"))
		s.Tmpfs(s.In("m"))
		s.Mkdir(s.In("m", "n"))
		s.Tmpfs(s.In("m", "n"))
		s.Write(s.In("m", "n", "file"), "x")
		s.Verify()
		s.Unmount(s.In("m"))
	}},
	{"unmounted while a file is open", func(s *Scene) {
		s.Mkdir(s.In("m"))
		s.Tmpfs(s.In("m"))
		s.Mkdir(s.In("m", "d"))
		s.Verify()
		f, err := os.Create(s.In("m", "d", "open"))
		s.Must(err)
		defer f.Close()
		s.Unmount(s.In("m"))
		s.Verify()
		if _, err := f.WriteString("unseen"); err != nil {
			s.T.Error(err)
		}
	}},
	{"moved", func(s *Scene) {
		s.Mkdir(s.In("a"))
		s.Mkdir(s.In("b"))
		s.Tmpfs(s.In("a"))
		s.Plant(s.In("a", "tree"), 2, 1, 1)
		s.Verify()
		s.Must(syscall.Mount(s.In("a"), s.In("b"), "", syscall.MS_MOVE, ""))
		s.T.Cleanup(func() { s.Unmount(s.In("b")) })
	}},
	{"in a directory that is renamed", func(s *Scene) {
		s.Mkdir(s.In("a", "m"))
		s.Tmpfs(s.In("a", "m"))
		s.Plant(s.In("a", "m", "tree"), 2, 1, 1)
		s.Verify()
		s.Rename(s.In("a"), s.In("b"))
		s.Verify()
		s.Unmount(s.In("b", "m"))
	}},
	{"in a directory that is renamed, and still in use", func(s *Scene) {
		s.Plant(s.Out("tree"), 2, 1, 1)
		s.Mkdir(s.In("a", "m"))
		s.Bind(s.Out("tree"), s.In("a", "m"))
		s.Verify()
		s.Rename(s.In("a"), s.In("b"))
		s.Sync()
		s.Rename(s.In("b"), s.In("c"))
		s.Verify()
		s.Unmount(s.In("c", "m"))
	}},
	{"in a directory that leaves the tree, and comes back", func(s *Scene) {
		s.Plant(s.Out("tree"), 2, 1, 1)
		s.Mkdir(s.In("a", "m"))
		s.Bind(s.Out("tree"), s.In("a", "m"))
		s.Verify()
		s.Rename(s.In("a"), s.Out("a"))
		s.Verify()
		s.Rename(s.Out("a"), s.In("c"))
		s.Verify()
		s.Unmount(s.In("c", "m"))
	}},
	{"names that the table escapes", func(s *Scene) {
		for _, name := range []string{"a b", "tab\t", "line\n", `back\slash`, "#x"} {
			s.Mkdir(s.In(name))
			s.Tmpfs(s.In(name))
			s.Write(s.In(name, "file"), name)
		}
		s.Verify()
		s.Unmount(s.In("a b"))
	}},
	{"a part of the tree under another name", func(s *Scene) {
		s.Plant(s.In("a"), 2, 1, 1)
		s.Mkdir(s.In("b"))
		s.Bind(s.In("a"), s.In("b"))
		s.Verify()
		s.Unmount(s.In("b"))
	}},
}

// Bind mounts the directory or file at from at to as well.
func (s *Scene) Bind(from, to string) {
	s.T.Helper()
	s.Must(syscall.Mount(from, to, "", syscall.MS_BIND, ""))
	s.T.Cleanup(func() { syscall.Unmount(to, syscall.MNT_DETACH) }) // unless it is
}

// Tmpfs mounts an empty file system.
func (s *Scene) Tmpfs(path string) {
	s.T.Helper()
	s.Must(syscall.Mount("none", path, "tmpfs", 0, "size=4m"))
	s.T.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) }) // unless it is
}

// Unmount takes away what is mounted at path, at once.
func (s *Scene) Unmount(path string) {
	s.T.Helper()
	s.Must(syscall.Unmount(path, syscall.MNT_DETACH))
}

// overlay mounts an overlay at path, of layers that are in a directory of their own.
func (s *Scene) overlay(path string) (layers string) {
	s.T.Helper()
	layers = s.Out("layers")
	s.Mkdir(layers)
	s.Tmpfs(layers)
	for _, name := range []string{"lower", "upper", "work"} {
		s.Mkdir(filepath.Join(layers, name))
	}
	s.Plant(filepath.Join(layers, "lower"), 2, 1, 2)
	s.Mkdir(path)
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work,userxattr", layers)
	if err := syscall.Mount("overlay", path, "overlay", 0, options); err != nil {
		remotetest.Skip(s.T, "no overlay can be mounted: "+err.Error())
	}
	s.T.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) })
	return layers
}

// Overlay has the layers of an overlay changed behind it, which is no event, where
// a path leads to them; where none does, nothing is polled. What is removed behind
// it stays there for who knows its name.
func Overlay(t *testing.T, create New) {
	t.Parallel()
	if !InChild() {
		RunChild(t, Child{Mounts: true})
		return
	}
	s := NewScene(t, create, watch.Options{PollInterval: time.Hour}, nil)
	s.Sync()
	layers := s.overlay(s.In("m"))
	s.Verify()
	if st := s.W.Stats(); st.Silent != 3 || st.SilentTypes != "overlay" || st.PollInterval != time.Hour {
		t.Errorf("%+v", st)
	}
	s.Forget()
	s.Write(filepath.Join(layers, "lower", "file0"), "changed beneath")
	s.Write(filepath.Join(layers, "lower", "dir1", "new"), "x")
	s.Write(filepath.Join(layers, "upper", "made"), "x")
	s.Sync()
	for _, path := range []string{"m/file0", "m/dir1/new", "m/made"} {
		if s.Said(path) == 0 {
			t.Errorf("%s is not seen: %v", path, s.Seen())
		}
	}
	s.Verify()

	s.Unmount(s.In("m"))
	s.Unmount(layers)
	s.overlay(s.Out("n"))
	s.Unmount(layers) // as in a container
	s.Mkdir(s.In("n"))
	s.Must(syscall.Mount(s.Out("n"), s.In("n"), "", syscall.MS_MOVE, ""))
	s.T.Cleanup(func() { s.Unmount(s.In("n")) })
	s.Verify()
	if st := s.W.Stats(); st.Silent != 0 || st.Directories < 4 {
		t.Errorf("%+v", st)
	}
}

// Mounts plays each case of mounts.
func Mounts(t *testing.T, create New) {
	t.Parallel()
	if !InChild() {
		RunChild(t, Child{Mounts: true})
		return
	}
	for _, c := range mountContract {
		t.Run(c.name, func(t *testing.T) {
			called := false
			s := NewScene(t, create, watch.Options{MountsChanged: func() { called = true }}, nil)
			c.play(s)
			s.Verify()
			s.End() // called is Run's until then
			if !called {
				t.Error("MountsChanged was not called")
			}
		})
	}
}

// MountsElsewhere mounts elsewhere, and beside the root, which is nothing to the
// watcher.
func MountsElsewhere(t *testing.T, create New) {
	t.Parallel()
	if !InChild() {
		RunChild(t, Child{Mounts: true})
		return
	}
	called := false
	s := NewScene(t, create, watch.Options{MountsChanged: func() { called = true }}, nil)
	s.Sync()
	s.Forget()
	s.Tmpfs(s.Outside)
	s.Mkdir(s.Root + "2")
	s.Tmpfs(s.Root + "2")
	s.Sync()
	s.End()
	if called || len(s.Seen()) > 0 {
		t.Errorf("%v, reported: %v", called, s.Seen())
	}
}
