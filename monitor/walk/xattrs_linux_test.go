package walk

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"wsync/monitor/remotetest"
)

// Linux has access control lists among the attributes.
func TestHasXattrs(t *testing.T) {
	t.Parallel()
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
		remotetest.Skip(t, "the file system here has no extended attributes: "+err.Error())
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
