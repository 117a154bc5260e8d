package guard

import (
	"os"
	"path/filepath"
	"testing"
)

// nobody is the user of the tests about permissions when root runs them.
const nobody = 65534

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newDir makes a directory that is nobody's when root runs the test.
func newDir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "wsync-guard-")
	check(t, err)
	t.Cleanup(func() {
		os.Chmod(d, 0o700)
		check(t, os.RemoveAll(d))
	})
	check(t, os.Chmod(d, 0o755))
	if os.Geteuid() == 0 {
		check(t, os.Chown(d, nobody, nobody))
	}
	return d
}

// write writes files below root that hold their names.
func write(t *testing.T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		writeFile(t, root, name, name)
	}
}

func writeFile(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(content), 0o644))
}
