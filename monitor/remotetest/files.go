package remotetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// NewDir makes a directory that is Nobody's when root runs the test. It goes with
// the test, whatever modes are in it.
func NewDir(t T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "wsync-test-")
	Check(t, err)
	t.Cleanup(func() {
		filepath.WalkDir(d, func(p string, e fs.DirEntry, err error) error {
			if e != nil && e.IsDir() {
				os.Chmod(p, 0o700)
			}
			return nil
		})
		if err := os.RemoveAll(d); err != nil {
			t.Fatalf("cannot remove a test's directory: %v", err)
		}
	})
	Check(t, os.Chmod(d, 0o755))
	Give(t, d)
	return d
}

// Give gives a path to Nobody when root runs the test.
func Give(t T, p string) {
	t.Helper()
	if os.Geteuid() == 0 {
		Check(t, os.Lchown(p, Nobody, Nobody))
	}
}

// Write writes files below root, with contents that name them, for Nobody.
func Write(t T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(root, name)
		for up := filepath.Dir(path); len(up) > len(root); up = filepath.Dir(up) {
			if err := os.MkdirAll(up, 0o755); err == nil {
				Give(t, up)
			}
		}
		writeFile(t, path, "content of "+name, 0o644)
		Give(t, path)
	}
}

// Numbered returns n names that begin with prefix.
func Numbered(prefix string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, prefix+strconv.Itoa(i))
	}
	return names
}

// Exists reports whether there is anything at path itself.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
