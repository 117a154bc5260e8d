package remotetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// twoTrees makes two equal trees, but for the times.
func twoTrees(t *testing.T) (a, b string) {
	t.Helper()
	a, b = t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		makeTree(t, dir, map[string]string{"d/file": "hello"})
		must(t, os.Symlink("file", filepath.Join(dir, "d/link")))
	}
	return a, b
}

// settle gives all entries of both trees the same time.
func settle(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		// touch, because the standard library cannot set the time of a link.
		touch := exec.Command("find", dir, "-depth", "-exec", "touch", "-h", "-r", dirs[0], "{}", ";")
		if out, err := touch.CombinedOutput(); err != nil {
			t.Fatalf("cannot set times: %v\n%s", err, out)
		}
	}
}

func TestCompareTrees(t *testing.T) {
	t.Parallel()
	in := filepath.Join
	for _, test := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string // how the only difference begins; "" for none
	}{
		{"equal", func(*testing.T, string) {}, ""},
		{"missing", func(t *testing.T, dir string) { must(t, os.Remove(in(dir, "d/file"))) }, `"d/file": only in`},
		{"too much", func(t *testing.T, dir string) { must(t, os.Mkdir(in(dir, "d/a\n"), 0o755)) }, `"d/a\n": only in`},
		{"bytes", func(t *testing.T, dir string) { makeTree(t, dir, map[string]string{"d/file": "HELLO"}) }, `"d/file": content`},
		{"size", func(t *testing.T, dir string) { makeTree(t, dir, map[string]string{"d/file": "hell"}) }, `"d/file": size 5, 4`},
		{"mode", func(t *testing.T, dir string) { must(t, os.Chmod(in(dir, "d/file"), 0o600)) }, `"d/file": mode -rw-r--r--, -rw-------`},
		{"type", func(t *testing.T, dir string) {
			must(t, os.Remove(in(dir, "d/link")))
			must(t, os.Mkdir(in(dir, "d/link"), 0o755))
		}, `"d/link": mode L`},
		{"target", func(t *testing.T, dir string) {
			must(t, os.Remove(in(dir, "d/link")))
			must(t, os.Symlink("elsewhere", in(dir, "d/link")))
		}, `"d/link": target "file", "elsewhere"`},
		{"the directory itself", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o700)) }, `".": mode`},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := twoTrees(t)
			test.change(t, b)
			settle(t, a, b)
			got := CompareTrees(a, b)
			switch {
			case test.want == "" && got != nil:
				t.Errorf("CompareTrees() = %q, want nothing", got)
			case test.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], test.want)):
				t.Errorf("CompareTrees() = %q, want %q", got, test.want)
			}
		})
	}
}

func TestCompareTreesToTheNanosecond(t *testing.T) {
	t.Parallel()
	a, b := twoTrees(t)
	settle(t, a, b)
	then := time.Unix(1700000000, 123456789)
	must(t, os.Chtimes(filepath.Join(a, "d/file"), then, then))
	must(t, os.Chtimes(filepath.Join(b, "d/file"), then, then.Add(1)))
	got := CompareTrees(a, b)
	if len(got) != 1 || !strings.HasPrefix(got[0], `"d/file": modified 2023`) {
		t.Errorf("CompareTrees() = %q", got)
	}
}

// What is excluded is not compared, nor are directories that lead to nothing else.
func TestCompareWithout(t *testing.T) {
	a, b := twoTrees(t)
	makeTree(t, a, map[string]string{"d/mine.o": "", "mine.o": "", "e/file": ""})
	makeTree(t, b, map[string]string{"d/their.o": "", "their.o": "", "e/file": "", "kept/deep/x.o": "", "kept/y.o": "", "extra/z.o": "", "extra/file": "", "o/build.o/x": ""})
	settle(t, a, b)
	got := Comparison{Excluded: func(path string, _ bool) bool {
		return strings.HasSuffix(path, ".o") || strings.Contains(path, ".o/")
	}}.Trees(a, b)
	if len(got) != 1 || !strings.HasPrefix(got[0], `"extra/file": only in`) {
		t.Errorf("the trees differ by %q", got)
	}
}

func TestCompareTreesIsBounded(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), t.TempDir()
	files := make(map[string]string)
	for i := range maxDifferences + 5 {
		files[fmt.Sprint(i)] = ""
	}
	makeTree(t, a, files)
	got := CompareTrees(a, b)
	if len(got) != maxDifferences+1 || !strings.HasPrefix(got[maxDifferences], "and ") {
		t.Errorf("CompareTrees() = %q", got)
	}
}

func TestCompareTreesWithNothing(t *testing.T) {
	t.Parallel()
	if got := CompareTrees(t.TempDir(), filepath.Join(t.TempDir(), "nothing")); len(got) != 1 {
		t.Errorf("CompareTrees() = %q", got)
	}
}

func TestGoTree(t *testing.T) {
	t.Parallel()
	Long(t, testing.Short())
	dir := filepath.Join(t.TempDir(), "tree")
	files, err := GoTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	if files < 2000 {
		t.Errorf("GoTree() = %d", files)
	}
	if _, err := os.Stat(filepath.Join(dir, "net/http/server.go")); err == nil {
		t.Errorf("a large file was copied")
	}
	if _, err := os.Stat(filepath.Join(dir, "net/http/cookie.go")); err != nil {
		t.Error(err)
	}
}
