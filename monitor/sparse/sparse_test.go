package sparse

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/monitor/remotetest"
)

func TestExtents(t *testing.T) {
	// A letter is a page with that in it, and 0 a page of zeros; a small letter is
	// a part of a page.
	data := func(pages string) (data []byte) {
		for _, p := range []byte(pages) {
			switch {
			case p == '0':
				data = append(data, make([]byte, page)...)
			case p == '.':
				data = append(data, make([]byte, 100)...)
			case p >= 'a':
				data = append(data, bytes.Repeat([]byte{p}, 100)...)
			default:
				data = append(data, make([]byte, page-1)...)
				data = append(data, p)
			}
		}
		return data
	}
	for _, test := range []struct {
		pages string
		most  int
		want  string // in pages, or bytes from the last full one
	}{
		{"", 1 << 20, ""},
		{"0", 1 << 20, ""},
		{"0000.", 1 << 20, ""},
		{"A", 1 << 20, "0-4096"},
		{"a", 1 << 20, "0-100"},
		{"AB0C", 1 << 20, "0-8192 12288-16384"},
		{"0A00Bc", 1 << 20, "4096-8192 16384-20580"},
		{"ABC", 2 * page, "0-8192 8192-12288"},
		{"AB", 3000, "0-3000 3000-4096 4096-7096 7096-8192"},
		{"A0", page, "0-4096"},
	} {
		var got []string
		all := data(test.pages)
		copied := make([]byte, len(all))
		for from, to := range Extents(all, test.most) {
			got = append(got, fmt.Sprintf("%d-%d", from, to))
			copy(copied[from:to], all[from:to])
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: %q, expected %q", test.pages, got, test.want)
		}
		if !bytes.Equal(copied, all) {
			t.Errorf("%q: something else than zeros is left out", test.pages)
		}
	}
}

func TestHas(t *testing.T) {
	dir := t.TempDir()
	made := func(name string, written, size int64) bool {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), int(written)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return Has(info)
	}
	if made("empty", 0, 0) || made("full", 3*page+7, 3*page+7) {
		t.Error("a file without holes has some")
	}
	if !made("hole", 0, 1<<20) || !made("end", 100, 1<<20) {
		remotetest.Skip(t, "this file system has no holes")
	}
}
