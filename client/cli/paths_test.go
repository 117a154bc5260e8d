package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// A path is what a shell would make of it, also where the shell has left it alone.
func TestWithLocalPath(t *testing.T) {
	home, here := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(here)
	for _, test := range []struct{ dest, want string }{
		{"~/x", home + "/x"},
		{"~", home},
		{"./x", here + "/x"},
		{"../x", filepath.Dir(here) + "/x"},
		{"..", filepath.Dir(here)},
		{"x/y", here + "/x/y"},
		{"x/y:z", here + "/x/y:z"},
		{"./web1", here + "/web1"},
		{"./~x", here + "/~x"},
		{"/x", "/x"},
		{"web1", "web1"}, // which lacks a path, or a slash
		{"", ""},
		{"web1:/x", "web1:/x"},
		{"web1:x/y", "web1:x/y"},
		{"web1:~/x", "web1:~/x"},
		{"me@web1:/x", "me@web1:/x"},
		{"web1::module/x", "web1::module/x"},
		{"ssh://web1/x", "ssh://web1/x"},
		{"rsync://web1/module", "rsync://web1/module"},
		{"[::1]:/x", "[::1]:/x"},
	} {
		if got, err := withLocalPath(test.dest); err != nil || got != test.want {
			t.Errorf("%q is %q, %v; expected %q", test.dest, got, err, test.want)
		}
	}
	for _, dest := range []string{"~other/x", "~other"} {
		if got, err := withLocalPath(dest); err == nil || !strings.Contains(err.Error(), "./"+dest) {
			t.Errorf("%q is %q, %v", dest, got, err)
		}
	}
}
