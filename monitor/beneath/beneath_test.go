package beneath

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ways are how this system opens a file, and how others do.
var ways = map[string]struct {
	open     func(root, name string) (*os.File, error)
	readlink func(root, name string) (string, error)
}{
	"here":   {Open, Readlink},
	"a root": {openInRoot, readlinkInRoot},
}

// What lies behind a link that leads elsewhere cannot be read, be it at the end of a path
// or in it.
func TestOutside(t *testing.T) {
	base := t.TempDir()
	root, outside := filepath.Join(base, "root"), filepath.Join(base, "outside")
	check(t, os.MkdirAll(filepath.Join(root, "d", "e"), 0o755))
	check(t, os.Mkdir(outside, 0o755))
	for _, name := range []string{"root/f", "root/d/f", "root/d/e/f", "outside/f"} {
		check(t, os.WriteFile(filepath.Join(base, name), []byte(name), 0o644))
	}
	check(t, os.Symlink("leads/nowhere", filepath.Join(outside, "l")))
	check(t, os.Symlink("d/f", filepath.Join(root, "l")))
	check(t, os.Symlink("../f", filepath.Join(root, "d", "l")))
	check(t, os.Symlink(outside, filepath.Join(root, "absolute")))
	check(t, os.Symlink("../../outside", filepath.Join(root, "d", "relative")))
	check(t, os.Symlink(root, filepath.Join(base, "alias")))
	check(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o644))
	for way, in := range ways {
		for _, root := range []string{root, filepath.Join(base, "alias")} {
			for _, name := range []string{"f", "d/f", "d/e/f"} {
				file, err := in.open(root, name)
				if err != nil {
					t.Errorf("%s: %s: %v", way, name, err)
					continue
				}
				content, err := io.ReadAll(file)
				if file.Close(); err != nil || string(content) != "root/"+name {
					t.Errorf("%s: %s holds %q, %v", way, name, content, err)
				}
			}
			for name, want := range map[string]string{"l": "d/f", "d/l": "../f"} {
				if got, err := in.readlink(root, name); got != want || err != nil {
					t.Errorf("%s: %s leads to %q, %v", way, name, got, err)
				}
			}
		}
		for _, name := range []string{"absolute/f", "d/relative/f", "l", "absolute", "../outside/f", "d/../../outside/f"} {
			if file, err := in.open(root, name); err == nil {
				file.Close()
				t.Errorf("%s: %s was opened", way, name)
			}
		}
		for _, name := range []string{"absolute/l", "d/relative/l", "f", "d", "../outside/l"} {
			if target, err := in.readlink(root, name); err == nil {
				t.Errorf("%s: %s leads to %q", way, name, target)
			}
		}
		if _, err := in.open(root, "d/gone"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: what is not there: %v", way, err)
		}
		file, err := in.open(root, "fifo") // which must not block
		check(t, err)
		file.Close()
	}
}
