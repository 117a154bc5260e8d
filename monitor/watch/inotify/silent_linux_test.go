package inotify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config/filesystem"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

// silentBelow makes watchers for which what is called so, or below it, changes
// without an event.
func silentBelow(name string, t filesystem.Type) watchtest.New {
	return func(root string, opts watch.Options, sink watch.Sink) (watch.Watcher, error) {
		w := New(root, opts, sink)
		w.types.Find = func(path string) filesystem.Type {
			if strings.Contains(path+"/", "/"+name+"/") {
				return t
			}
			return filesystem.Type{}
		}
		return w, nil
	}
}

// store changes a file, and its time, without an event: by a store to memory.
type store struct {
	s    *watchtest.Scene
	data []byte
}

// mapped maps a file, which has to be on a file system that notes such stores.
func mapped(s *watchtest.Scene, path string) store {
	s.T.Helper()
	var fs unix.Statfs_t
	s.Must(unix.Statfs(path, &fs))
	if fs.Type == unix.TMPFS_MAGIC {
		remotetest.Skip(s.T, "a tmpfs keeps the time of a file to whose memory something is stored: set TMPDIR to a directory on a disk")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	s.Must(err)
	defer f.Close()
	data, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	s.Must(err)
	m := store{s, data}
	s.T.Cleanup(func() { unix.Munmap(data) })
	return m
}

func (m store) change(b byte) {
	m.data[0] = b
	m.s.Must(unix.Msync(m.data, unix.MS_SYNC)) // the time is of the next store then
}

// calm waits until a look finds a path unchanged: what has just changed is taken for
// changed once more.
func calm(s *watchtest.Scene, path string) {
	s.T.Helper()
	for deadline := time.Now().Add(watchtest.Patience); ; {
		s.Forget()
		s.Sync()
		change := s.Said(path)
		if change == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.T.Fatalf("%s is reported for ever", path)
		}
	}
}

// What changes without an event is found by a barrier, and by and by.
func TestSilent(t *testing.T) {
	t.Parallel()
	s := watchtest.NewScene(t, silentBelow("root", filesystem.Type{Name: "nfs4", Silent: true}), watch.Options{PollInterval: time.Hour}, nil)
	s.Mkdir(s.In("d"))
	s.Write(s.In("d", "file"), strings.Repeat("a", 4096))
	s.Verify()
	m := mapped(s, s.In("d", "file"))
	for i := range 3 {
		calm(s, "d/file")
		m.change(byte('b' + i))
		s.Sync()
		if s.Said("d/file")&watch.Content == 0 {
			t.Fatalf("%d: not seen: %v", i, s.Seen())
		}
	}
	if st := s.W.Stats(); st.Silent != 2 || st.Polled != 0 || st.Directories != 2 || st.SilentTypes != "nfs4" || st.PollInterval != time.Hour || !st.Lossless {
		t.Errorf("%+v", st)
	}
	// They are watched all the same, and no directory is in two minds.
	s.Rename(s.In("d"), s.In("e"))
	s.Verify()
	s.Remove(s.In("e"))
	s.Verify()
	if st := s.W.Stats(); st.Silent != 1 {
		t.Errorf("%+v", st)
	}
}

func TestSilentByAndBy(t *testing.T) {
	t.Parallel()
	s := watchtest.NewScene(t, silentBelow("root", filesystem.Type{Name: "fuse.sshfs", Silent: true}), watch.Options{PollInterval: 10 * time.Millisecond}, nil)
	s.Write(s.In("file"), strings.Repeat("a", 4096))
	s.Sync()
	m := mapped(s, s.In("file"))
	calm(s, "file")
	m.change('b')
	s.Await("the change", func() bool { return s.Said("file")&watch.Content != 0 })
}

// Where all changes are events, nothing is polled.
func TestNotSilent(t *testing.T) {
	t.Parallel()
	s := watchtest.NewScene(t, silentBelow("other", filesystem.Type{Silent: true}), watch.Options{PollInterval: time.Millisecond}, nil)
	s.Mkdir(s.In("d"))
	s.Sync()
	if st := s.W.Stats(); st.Silent != 0 || st.PollInterval != 0 || st.SilentTypes != "" {
		t.Errorf("%+v", st)
	}
}

// A file that is mounted over another one has its events where it is from.
func TestMountedFile(t *testing.T) {
	t.Parallel()
	if !watchtest.InChild() {
		watchtest.RunChild(t, watchtest.Child{Mounts: true})
		return
	}
	for _, dir := range []string{"", "d"} {
		t.Run(fmt.Sprintf("in %q", dir), func(t *testing.T) {
			s := watchtest.NewScene(t, create, watch.Options{}, nil)
			s.Mkdir(s.In(dir))
			path := filepath.Join(dir, "file")
			s.Write(s.In(path), "under")
			s.Write(s.Out("file"), "over")
			s.Sync()
			s.Bind(s.Out("file"), s.In(path))
			s.Verify()
			s.Write(s.Out("file"), "changed there")
			s.Verify()
			if st := s.W.Stats(); st.Silent != 1 || st.SilentTypes != "a mounted file" {
				t.Errorf("%+v", st)
			}
			s.Unmount(s.In(path))
			s.Verify()
			if st := s.W.Stats(); st.Silent != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}
