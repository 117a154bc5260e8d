package links

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wsync/monitor/walk"
)

func TestOthers(t *testing.T) {
	root := t.TempDir()
	l := New(walk.Tree{Root: root}, func(string) bool { return false }, func([]Marks, Answer) {})
	write(t, root, "a", "alone")
	for _, name := range []string{"b", "c"} {
		if err := os.Link(filepath.Join(root, "a"), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.Others("a"); got != nil {
		t.Errorf("nothing is known, and a has %q", got)
	}
	l.Scan(context.Background())
	expect := func(name string, want ...string) {
		t.Helper()
		got := l.Others(name)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	expect("a", "b", "c")
	expect("c", "a", "b")
	expect("alone")
	expect("gone")
	if err := os.Rename(filepath.Join(root, "alone"), filepath.Join(root, "b")); err != nil {
		t.Fatal(err)
	}
	expect("a", "c")
	expect("b")
}
