package walk

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHasXattrs(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("looks for access control lists among the attributes, as Linux has them")
	}
	dir := t.TempDir()
	plain, tagged, link := filepath.Join(dir, "plain"), filepath.Join(dir, "tagged"), filepath.Join(dir, "link")
	for _, name := range []string{plain, tagged} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(tagged, link); err != nil {
		t.Fatal(err)
	}
	if err := unix.Lsetxattr(tagged, "user.wsync", []byte("x"), 0); err != nil {
		t.Skip("no extended attributes here: ", err)
	}
	for _, test := range []struct {
		path         string
		xattrs, acls bool
		want         bool
	}{
		{plain, true, true, false}, {tagged, true, false, true}, {tagged, false, true, false}, {link, true, true, false},
		{filepath.Join(dir, "gone"), true, false, true},
	} {
		if got := HasXattrs(test.path, test.xattrs, test.acls); got != test.want {
			t.Errorf("%s, xattrs %v, acls %v: %v", test.path, test.xattrs, test.acls, got)
		}
	}
}
