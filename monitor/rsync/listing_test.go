package rsync

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What is listed is what is there, whatever it is called.
func TestListAll(t *testing.T) {
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		dst := dir(t, 0)
		files := map[string]string{"d/file": "12345", ".wsync-tmp/mark": "x", "left/out": "x"}
		for _, name := range oddNames {
			files["odd/"+name] = "x"
		}
		tree(t, dst, files)
		check(t, os.Symlink("some where", filepath.Join(dst, "link")))
		at := time.Date(2024, 7, 1, 2, 3, 4, 5, time.Local)
		check(t, os.Chtimes(filepath.Join(dst, "d/file"), at, at))
		found := make(map[string]Listed)
		r := run(t, dir(t, 0), ListAll(endpoint(dst), []string{"left"}, func(line string) {
			if l, ok := ParseListed(line); ok {
				found[l.Path] = l
			}
		}))
		if want := len(oddNames) + 4; len(found) != want || r.Changed > 0 { // d, d/file, odd and link
			t.Errorf("%d entries, expected %d", len(found), want)
		}
		for _, name := range oddNames {
			if _, ok := found["odd/"+name]; !ok {
				t.Errorf("%q is not listed", name)
			}
		}
		if got := found["d/file"]; got.Kind != '-' || got.Size != 5 || !got.ModTime.Equal(at.Truncate(time.Second)) {
			t.Errorf("%+v", got)
		}
		if got := found["link"]; got.Kind != 'l' || got.Target != "some where" {
			t.Errorf("%+v", got)
		}
		if got := found["d"]; got.Kind != 'd' {
			t.Errorf("%+v", got)
		}
	})
}

func TestParseListed(t *testing.T) {
	if l, ok := ParseListed("-rw-r--r--  1,234,567 2024/07/01 02:03:04 a b"); !ok || l.Size != 1234567 || l.Path != "a b" {
		t.Errorf("%+v, %v", l, ok)
	}
	for _, line := range []string{"", "receiving incremental file list", "drwxr-xr-x  80 2024/07/01 02:03:04 .", "-rw-r--r-- 1 a"} {
		if l, ok := ParseListed(line); ok {
			t.Errorf("%q is %+v", line, l)
		}
	}
}
