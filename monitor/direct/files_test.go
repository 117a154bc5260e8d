package direct

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func readString(t *testing.T, f *Files, path string, mark uint64) string {
	t.Helper()
	c, err := f.read(filepath.Base(path), 1<<20, mark)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.data)
}

// What was read once is at hand for all who want nothing newer.
func TestFilesRemember(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	mark := uint64(7)
	files := NewFiles(filepath.Dir(path), func() uint64 { return mark })
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, test := range []struct {
		content string
		now     uint64 // the last mark
		since   uint64 // what the reader wants
		want    string
	}{
		{"first", 7, 7, "first"},
		{"second", 7, 7, "first"}, // the change has no mark yet
		{"second", 7, 6, "first"},
		{"second", 8, 7, "first"},
		{"second", 8, 8, "second"},
		{"third", 9, 8, "second"},
		{"third", 9, 9, "third"},
		{"third", 9, 1, "third"},
	} {
		write(test.content)
		mark = test.now
		if got := readString(t, files, path, test.since); got != test.want {
			t.Errorf("step %d: %q, expected %q", i, got, test.want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := files.read(filepath.Base(path), 1<<20, 10); !os.IsNotExist(err) {
		t.Errorf("what is gone: %v", err)
	}
}

// Many who want the same file at the same time have it read once.
func TestFilesAreReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte("content"), 0o644); err != nil {
			t.Fatal(err)
		}
		reads, gate := 0, make(chan struct{})
		files := NewFiles(filepath.Dir(path), func() uint64 { // called where a read begins
			reads++
			<-gate
			return 1
		})
		var readers sync.WaitGroup
		for range 16 {
			readers.Go(func() {
				if got := readString(t, files, path, 1); got != "content" {
					t.Errorf("%q", got)
				}
			})
		}
		synctest.Wait()
		close(gate)
		readers.Wait()
		if reads != 1 || len(files.reading) > 0 {
			t.Errorf("read %d times; %d readers are left", reads, len(files.reading))
		}
	})
}

func TestFilesRefuse(t *testing.T) {
	dir := t.TempDir()
	files := NewFiles(dir, func() uint64 { return 1 })
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.WriteFile(filepath.Join(dir, "large"), make([]byte, 101), 0o644))
	check(os.WriteFile(filepath.Join(dir, "just"), make([]byte, 100), 0o644))
	check(os.Symlink("just", filepath.Join(dir, "link")))
	check(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	check(os.Symlink(t.TempDir(), filepath.Join(dir, "outside"))) // a directory when the plan was made
	check(os.WriteFile(filepath.Join(dir, "outside", "secret"), nil, 0o644))
	for name, ok := range map[string]bool{"large": false, "just": true, "link": false, "pipe": false, ".": false, "none": false, "just/below": false, "outside/secret": false} {
		done := make(chan error, 1)
		go func() {
			_, err := files.read(name, 100, 1)
			done <- err
		}()
		select {
		case err := <-done:
			if (err == nil) != ok {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(patience):
			t.Fatalf("%s: it hangs", name) // as the opening of a pipe would
		}
	}
}

// A limit that a later reader has is not that of an earlier one.
func TestFilesLimitOfARememberedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	files := NewFiles(filepath.Dir(path), func() uint64 { return 1 })
	readString(t, files, path, 1)
	if c, err := files.read(filepath.Base(path), 999, 1); err == nil && len(c.data) > 999 {
		t.Errorf("%d bytes against a limit of 999", len(c.data))
	}
}

// However many files are read, what is kept is bounded, and counted right.
func TestFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	files := NewFiles(dir, func() uint64 { return 1 })
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		path := filepath.Join(dir, fmt.Sprint(r.IntN(50)))
		if err := os.WriteFile(path, make([]byte, r.IntN(400<<10)), 0o644); err != nil {
			t.Fatal(err)
		}
		readString(t, files, path, uint64(i%3))
		kept := 0
		for _, c := range files.recent {
			kept += len(c.data)
		}
		if kept > recentBytes || files.bytes > recentBytes {
			t.Fatalf("%d bytes are kept, and %d counted", kept, files.bytes)
		}
		if kept > files.bytes {
			t.Fatalf("%d bytes are kept, and only %d counted", kept, files.bytes)
		}
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, recentBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := files.read(filepath.Base(large), 2*recentBytes, 1); err != nil {
		t.Fatal(err)
	}
	if _, ok := files.recent[large]; ok {
		t.Error("a file larger than all that may be kept is kept")
	}
}

// A thousand empty files have no bytes, but names and attributes.
func TestEmptyFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	files := NewFiles(dir, func() uint64 { return 1 })
	for i := range 20000 {
		path := filepath.Join(dir, fmt.Sprint(i))
		files.keep(path, content{})
	}
	if n := len(files.recent); n > 10000 {
		t.Errorf("%d files are kept", n)
	}
}

// Readers and a writer at once: what a reader gets is never older than the mark
// it asks for. Each number is in the file before it is the last mark.
func TestFilesAreNeverOlderThanTheMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var mark atomic.Uint64
	files := NewFiles(filepath.Dir(path), mark.Load)
	write := func(n uint64) {
		temp := path + ".new"
		if err := os.WriteFile(temp, fmt.Appendf(nil, "%d", n), 0o644); err != nil {
			t.Error(err)
		}
		if err := os.Rename(temp, path); err != nil {
			t.Error(err)
		}
		mark.Store(n)
	}
	write(1)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				want := mark.Load()
				c, err := files.read(filepath.Base(path), 100, want)
				if err != nil {
					t.Error(err)
					return
				}
				var got uint64
				if _, err := fmt.Sscan(string(c.data), &got); err != nil || got < want {
					t.Errorf("read %q, %v, when %d was marked", c.data, err, want)
					return
				}
			}
		})
	}
	times := uint64(2000)
	if testing.Short() {
		times = 200
	}
	for n := range times {
		write(n + 2)
	}
	close(done)
	readers.Wait()
}
