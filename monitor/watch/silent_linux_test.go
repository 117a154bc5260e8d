package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config/filesystem"
)

// silentBelow is a typeOf by which what is called so, or below it, changes without
// an event.
func silentBelow(name string, t filesystem.Type) func(string) filesystem.Type {
	return func(path string) filesystem.Type {
		if strings.Contains(path+"/", "/"+name+"/") {
			return t
		}
		return filesystem.Type{}
	}
}

// store changes a file, and its time, without an event: by a store to memory.
type store struct {
	s    *scene
	data []byte
}

func (s *scene) mapped(path string) store {
	s.t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	s.must(err)
	defer f.Close()
	data, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	s.must(err)
	m := store{s, data}
	s.t.Cleanup(func() { unix.Munmap(data) })
	return m
}

func (m store) change(b byte) {
	m.data[0] = b
	m.s.must(unix.Msync(m.data, unix.MS_SYNC)) // the time is of the next store then
}

// calm waits until a look finds a path unchanged: what has just changed is taken for
// changed once more.
func (s *scene) calm(path string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		s.forget()
		s.barrier()
		s.mu.Lock()
		change := s.seen[path]
		s.mu.Unlock()
		if change == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is reported for ever", path)
		}
	}
}

// What changes without an event is found by a barrier, and by and by.
func TestInotifySilent(t *testing.T) {
	s := newScene(t, Options{Backend: "inotify", PollInterval: time.Hour, typeOf: silentBelow("root", filesystem.Type{Name: "nfs4", Silent: true})}, nil)
	s.mkdir(s.in("d"))
	s.write(s.in("d", "file"), strings.Repeat("a", 4096))
	s.verify()
	m := s.mapped(s.in("d", "file"))
	for i := range 3 {
		s.calm("d/file")
		m.change(byte('b' + i))
		s.barrier()
		if s.seen["d/file"]&Content == 0 {
			t.Fatalf("%d: not seen: %v", i, s.seen)
		}
	}
	if st := s.w.Stats(); st.Silent != 2 || st.Polled != 0 || st.Directories != 2 || st.SilentTypes != "nfs4" || st.PollInterval != time.Hour || !st.Lossless {
		t.Errorf("%+v", st)
	}
	// They are watched all the same, and no directory is in two minds.
	s.rename(s.in("d"), s.in("e"))
	s.verify()
	s.remove(s.in("e"))
	s.verify()
	if st := s.w.Stats(); st.Silent != 1 {
		t.Errorf("%+v", st)
	}
}

func TestInotifySilentByAndBy(t *testing.T) {
	s := newScene(t, Options{Backend: "inotify", PollInterval: 10 * time.Millisecond, typeOf: silentBelow("root", filesystem.Type{Name: "fuse.sshfs", Silent: true})}, nil)
	s.write(s.in("file"), strings.Repeat("a", 4096))
	s.barrier()
	m := s.mapped(s.in("file"))
	s.calm("file")
	m.change('b')
	s.await("the change", func() bool { return s.seen["file"]&Content != 0 })
}

// Where all changes are events, nothing is polled.
func TestInotifyNotSilent(t *testing.T) {
	s := newScene(t, Options{Backend: "inotify", PollInterval: time.Millisecond, typeOf: silentBelow("other", filesystem.Type{Silent: true})}, nil)
	s.mkdir(s.in("d"))
	s.barrier()
	if st := s.w.Stats(); st.Silent != 0 || st.PollInterval != 0 || st.SilentTypes != "" {
		t.Errorf("%+v", st)
	}
}

// The contract holds with polling, too, also where nobody may rely on inodes.
func TestInotifySilentContract(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, Options{Backend: "inotify", PollInterval: time.Millisecond, typeOf: silentBelow("root", filesystem.Type{Name: "fuse", Silent: true})}, nil)
			c.play(s)
			s.verify()
		})
	}
}

// A file that is mounted over another one has its events where it is from.
func TestMountedFile(t *testing.T) {
	if !inChild() {
		runChild(t, childOptions{mounts: true})
		return
	}
	for _, dir := range []string{"", "d"} {
		t.Run(fmt.Sprintf("in %q", dir), func(t *testing.T) {
			s := newScene(t, Options{Backend: "inotify"}, nil)
			s.mkdir(s.in(dir))
			path := filepath.Join(dir, "file")
			s.write(s.in(path), "under")
			s.write(s.out("file"), "over")
			s.barrier()
			s.bind(s.out("file"), s.in(path))
			s.verify()
			s.write(s.out("file"), "changed there")
			s.verify()
			if st := s.w.Stats(); st.Silent != 1 || st.SilentTypes != overFile {
				t.Errorf("%+v", st)
			}
			s.unmount(s.in(path))
			s.verify()
			if st := s.w.Stats(); st.Silent != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}
