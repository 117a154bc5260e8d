package sftp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// onServers runs a test with OpenSSH's server as a program of its own, and with
// the one inside sshd, over ssh. dir is a directory that the server sees, too.
func onServers(t *testing.T, test func(t *testing.T, c *Client, dir string)) {
	t.Run("sftp-server", func(t *testing.T) {
		c, _ := start(t, remotetest.SFTPServer(t))
		test(t, c, t.TempDir())
	})
	t.Run("internal-sftp", func(t *testing.T) {
		remotetest.Long(t, testing.Short())
		sshd := remotetest.StartSSHD(t, remotetest.SSHDOptions{Config: []string{"Subsystem sftp internal-sftp"}})
		bin := t.TempDir()
		sshd.Wrapper(bin, "backup")
		c, _ := start(t, filepath.Join(bin, "ssh"), "-o", "BatchMode=yes", "-s", "backup", "sftp")
		test(t, c, t.TempDir())
	})
}

// mustWait fails the test with the first reply that is an error.
func mustWait(t testing.TB, replies ...*Reply) {
	t.Helper()
	for i, r := range replies {
		if err := r.Wait(); err != nil {
			t.Fatalf("reply %d: %v", i, err)
		}
	}
}

func mustCreate(t testing.TB, c *Client, path string) Handle {
	t.Helper()
	h, err := c.Create(path).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// write makes a file with contents.
func write(t testing.TB, path, contents string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(contents), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantFile compares a file's contents.
func wantFile(t testing.TB, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%q has %q, %v; want %q", path, got, err, want)
	}
}

// wantFailure wants a refusal of a request that leaves the session whole.
func wantFailure(t testing.TB, c *Client, r *Reply) {
	t.Helper()
	var status *StatusError
	if err := r.Wait(); !errors.As(err, &status) || status.Code != StatusFailure {
		t.Errorf("got %v, want a failure", err)
	}
	if err := c.Err(); err != nil {
		t.Errorf("the session is over: %v", err)
	}
}

func TestReplaceFile(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		if !c.HasPosixRename() || !c.HasLsetstat() || !c.HasStatvfs() {
			t.Fatalf("extensions are missing: %v", c.extensions)
		}
		temporary, path := filepath.Join(dir, ".new"), filepath.Join(dir, "file")
		write(t, path, "old and longer")
		h := mustCreate(t, c, temporary)
		modified := time.Unix(1_600_000_000, 999)
		mustWait(t,
			c.Write(h, 0, []byte("new ")),
			c.Write(h, 4, []byte("text")),
			c.Fsetstat(h, SetMode(0o751|fs.ModeSetgid, modified)),
			c.CloseHandle(h),
			c.PosixRename(temporary, path))
		wantFile(t, path, "new text")
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o751|fs.ModeSetgid || info.ModTime().Unix() != modified.Unix() {
			t.Errorf("mode %v, modified %v", info.Mode(), info.ModTime())
		}
		if _, err := os.Lstat(temporary); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the temporary file: %v", err)
		}
	})
}

func TestCreateIsExclusiveAndPrivate(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
		h := mustCreate(t, c, path)
		a, err := c.Fstat(h).Wait()
		if err != nil || !a.IsRegular() || *a.Mode&0o777 != 0o600 || *a.Size != 0 {
			t.Errorf("a new file: %v, %v", a, err)
		}
		mustWait(t, c.CloseHandle(h), c.Symlink("nowhere", link))
		wantFailure(t, c, c.Create(path).Reply)
		wantFailure(t, c, c.Create(link).Reply)
	})
}

func TestAttributes(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
		write(t, path, "contents")
		mustWait(t, c.Symlink("file", link))
		if target, err := os.Readlink(link); err != nil || target != "file" {
			t.Errorf("the link leads to %q, %v", target, err)
		}
		size, mode := uint64(4), uint32(0o640)
		owner := Owner{uint32(os.Getuid()), uint32(os.Getgid())}
		mustWait(t,
			c.Setstat(link, Attrs{Size: &size, Owner: &owner, Mode: &mode, Times: &Times{1, 2}}),
			c.Lsetstat(link, Attrs{Owner: &owner, Times: &Times{3, 4}}))
		wantFile(t, path, "cont")
		a, err := c.Lstat(path).Wait()
		if err != nil || !a.IsRegular() || a.IsSymlink() || *a.Size != 4 || *a.Mode != modeRegular|0o640 || *a.Owner != owner || a.Times.Modification != 2 {
			t.Errorf("the file: %+v, %v", a, err)
		}
		a, err = c.Lstat(link).Wait()
		if err != nil || !a.IsSymlink() || *a.Size != 4 || *a.Owner != owner || *a.Times != (Times{3, 4}) {
			t.Errorf("the link: %+v, %v", a, err)
		}
		if a, err := c.Lstat(dir).Wait(); err != nil || !a.IsDirectory() {
			t.Errorf("the directory: %+v, %v", a, err)
		}
		if _, err := c.Lstat(filepath.Join(dir, "no")).Wait(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what is not there: %v", err)
		}
	})
}

func TestDirectories(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		sub := filepath.Join(dir, "sub")
		mode := uint32(0o700)
		mustWait(t, c.Mkdir(sub, Attrs{Mode: &mode}))
		if info, err := os.Stat(sub); err != nil || info.Mode() != fs.ModeDir|0o700 {
			t.Errorf("the directory: %v, %v", info, err)
		}
		wantFailure(t, c, c.Mkdir(sub, Attrs{}))
		// Linux calls it a directory, others forbid it: the codes differ.
		var status *StatusError
		if err := c.Remove(sub).Wait(); !errors.As(err, &status) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a directory removed as a file: %v", err)
		}
		write(t, filepath.Join(sub, "file"), "")
		wantFailure(t, c, c.Rmdir(sub))
		// A file in the place of a directory is reported as nothing at all.
		if err := c.Rmdir(filepath.Join(sub, "file")).Wait(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file removed as a directory: %v", err)
		}
		if _, err := c.Lstat(filepath.Join(sub, "file", "below")).Wait(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a path through a file: %v", err)
		}
		mustWait(t, c.Remove(filepath.Join(sub, "file")), c.Rmdir(sub))
		for _, err := range []error{c.Rmdir(sub).Wait(), c.Remove(sub).Wait()} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("removed twice: %v", err)
			}
		}
	})
}

func TestNames(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		names := []string{"new\nline", "\xff\xfe", strings.Repeat("n", 255), " ", "-rf", `"'\$*`, "\x01\x1b[m", "ä"}
		if _, err := os.Create(filepath.Join(dir, names[1])); err != nil {
			names[1] = "not here" // macOS wants names in UTF-8
		}
		_ = os.Remove(filepath.Join(dir, names[1]))
		for _, name := range names {
			h := mustCreate(t, c, filepath.Join(dir, ".new"))
			mustWait(t, c.Write(h, 0, []byte(name)), c.CloseHandle(h), c.PosixRename(filepath.Join(dir, ".new"), filepath.Join(dir, name)))
			wantFile(t, filepath.Join(dir, name), name)
		}
		wantNames(t, c, dir, names)
		var status *StatusError
		if _, err := c.Create(filepath.Join(dir, strings.Repeat("n", 256))).Wait(); !errors.As(err, &status) || status.Code != StatusBadMessage {
			t.Errorf("a name that is too long: %v", err)
		}
		for _, name := range names {
			mustWait(t, c.Remove(filepath.Join(dir, name)))
		}
		wantNames(t, c, dir, nil)
	})
}

// wantNames compares a directory as the server lists it.
func wantNames(t testing.TB, c *Client, dir string, want []string) {
	t.Helper()
	entries, err := c.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name)
	}
	slices.Sort(names)
	if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(names, sorted) {
		t.Errorf("%s has %d entries, %.300q; want %d, %.300q", dir, len(names), names, len(sorted), sorted)
	}
}

func TestReadDir(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		var names []string
		for i := range 1234 {
			name := fmt.Sprintf("%04d%s", i, strings.Repeat("-", i%250))
			names = append(names, name)
			write(t, filepath.Join(dir, name), name)
		}
		wantNames(t, c, dir, names)
		entries, err := c.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if a := entry.Attrs; !a.IsRegular() || *a.Size != uint64(len(entry.Name)) {
				t.Fatalf("%s: %+v", entry.Name, a)
			}
		}
		if _, err := c.ReadDir(filepath.Join(dir, "no")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a directory that is not there: %v", err)
		}
		if _, err := c.ReadDir(filepath.Join(dir, names[0])); err == nil {
			t.Error("a file was read as a directory")
		}
	})
}

func TestStatvfs(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		f, err := c.Statvfs(dir).Wait()
		if err != nil || f.Available == 0 || f.Flags&FilesystemReadOnly != 0 {
			t.Errorf("%+v, %v", f, err)
		}
		if _, err := c.Statvfs(filepath.Join(dir, "no")).Wait(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of nothing: %v", err)
		}
	})
}

func TestRealpath(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		want, err := filepath.EvalSymlinks(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(".", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		if path, err := c.Realpath(dir + "/link/../" + filepath.Base(dir) + "//link/").Wait(); err != nil || path != want {
			t.Errorf("got %q, %v; want %q", path, err, want)
		}
		if path, err := c.Realpath(".").Wait(); err != nil || !filepath.IsAbs(path) {
			t.Errorf("where the session is: %q, %v", path, err)
		}
	})
}

// A large file in the longest writes that the server takes.
func TestMaxWrite(t *testing.T) {
	onServers(t, func(t *testing.T, c *Client, dir string) {
		if size := c.MaxWrite(); size != MaxWrite && !c.Has(extLimits, "1") || size > 255<<10 || size < MaxWrite {
			t.Errorf("MaxWrite is %d", size)
		}
		contents := strings.Repeat("0123456789abcdef", 100_000)
		path := filepath.Join(dir, "file")
		h := mustCreate(t, c, path)
		var replies []*Reply
		offset := 0
		for part := range slices.Chunk([]byte(contents), c.MaxWrite()) {
			replies = append(replies, c.Write(h, uint64(offset), part))
			offset += len(part)
		}
		mustWait(t, append(replies, c.CloseHandle(h))...)
		if got, err := os.ReadFile(path); err != nil || string(got) != contents {
			t.Errorf("the contents differ; %d bytes, %v", len(got), err)
		}
	})
}
