package rsync

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// deletable are the paths that Deletions and Paths delete in the tests below.
func deletable() []string {
	paths := []string{"gone", "d/gone", "full"}
	for _, name := range oddNames {
		paths = append(paths, name, "d/"+name)
	}
	return paths
}

// deletionTrees makes a workspace, and a remote with more: as files, or as
// directories with contents.
func deletionTrees(t *testing.T, below string) (src, dst string) {
	src, dst = dir(t, 0), dir(t, 0)
	tree(t, src, map[string]string{"d/new": "x", "new": "x", "keep/f": "x"})
	tree(t, dst, map[string]string{"d/extra/x": "x", "extra": "x", "keep/extra": "x", "full/of/it": "x", "goner": "x", "axb": "x", "d/axb": "x", "aXXb/f": "x", "tx": "x"})
	for _, p := range deletable()[:2] {
		tree(t, dst, map[string]string{p + below: "x"})
	}
	for _, p := range deletable()[3:] {
		tree(t, dst, map[string]string{p + below: "x"})
	}
	return src, dst
}

var leftAfterDeletions = []string{"aXXb/", "aXXb/f", "axb", "d/", "d/axb", "d/extra/", "d/extra/x", "extra", "goner", "keep/", "keep/extra", "tx"}

func TestDeletions(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		for _, below := range []string{"", "/with/content"} {
			src, dst := deletionTrees(t, below)
			e := endpoint(dst)
			count := run(t, src, CountDeletions(e, deletable()))
			if got := len(listing(t, dst)); got != count.Deleted+len(leftAfterDeletions) {
				t.Errorf("%d of %d entries are counted, expected all but %d", count.Deleted, got, len(leftAfterDeletions))
			}
			run(t, src, Deletions(e, deletable()))
			if got := listing(t, dst); !slices.Equal(got, leftAfterDeletions) {
				t.Errorf("left %q, expected %q", got, leftAfterDeletions)
			}
		}
	})
}

func TestPathsDeleteWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, below := range []string{"", "/with/content"} {
		src, dst := deletionTrees(t, below)
		for range 2 { // what is gone on both sides is no error
			run(t, src, Paths(local(dst, modern), deletable(), true))
		}
		if got := listing(t, dst); !slices.Equal(got, leftAfterDeletions) {
			t.Errorf("left %q, expected %q", got, leftAfterDeletions)
		}
	}
}

// When parents are gone by the time of the deletion, nothing else goes.
func TestDeletionsWithoutParents(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, 0), dir(t, 0)
	tree(t, src, map[string]string{"other": "x"})
	tree(t, dst, map[string]string{"a/b/gone": "x", "a/b/stays": "x", "a/stays": "x", "stays": "x"})
	run(t, src, Deletions(local(dst, modern), []string{"a/b/gone"}))
	if got, want := listing(t, dst), []string{"a/", "a/b/", "a/b/stays", "a/stays", "stays"}; !slices.Equal(got, want) {
		t.Errorf("left %q, expected %q", got, want)
	}
}

// What is listed goes, whatever kind it is and whatever is in it, and what is beside it
// stays as it is, though there is nothing like it where the run begins.
func TestRemove(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		skeleton, dst := dir(t, 0), dir(t, 0)
		tree(t, skeleton, map[string]string{"d/": "", "lost/": ""})
		var paths []string
		for _, name := range oddNames {
			tree(t, dst, map[string]string{"d/" + name + "/was/x": "x", "x/" + name: "x"})
			paths = append(paths, "d/"+name)
		}
		tree(t, dst, map[string]string{"d/beside": "x", "z/x": "x", "file": "x", "link": "-> file"})
		paths = append(paths, "file", "link", "lost/x")
		second := time.Unix(1234567890, 0)
		if err := errors.Join(os.Chmod(filepath.Join(dst, "d"), 0o750), os.Chtimes(filepath.Join(skeleton, "d"), second, second)); err != nil {
			t.Fatal(err)
		}
		e := endpoint(dst)
		r := run(t, skeleton, Remove(e, paths).Limit(e, 1000))
		// That the destination has lost a directory is to be noticed.
		if r.Deleted != 3*len(oddNames)+2 || !slices.Equal(r.Made, []string{"lost"}) {
			t.Errorf("deleted %d entries, made %q", r.Deleted, r.Made)
		}
		want := []string{"d/", "d/beside", "lost/", "x/"}
		for _, name := range oddNames {
			want = append(want, "x/"+name)
		}
		if got := listing(t, dst); !slices.Equal(got, slices.Sorted(slices.Values(append(want, "z/", "z/x")))) {
			t.Errorf("left %q", got)
		}
		info, err := os.Stat(filepath.Join(dst, "d"))
		if err != nil || info.Mode().Perm() != 0o750 || !info.ModTime().Equal(second) {
			t.Errorf("the directory is %v of %v: %v", info.Mode(), info.ModTime(), err)
		}
		tree(t, dst, map[string]string{"d/f/1": "x", "d/f/2": "x"})
		if r := run(t, skeleton, Remove(e, []string{"d/f"}).Limit(e, 1), 0, 25); !e.Strategy.Basic && r.Deleted != 1 {
			t.Errorf("deleted %d entries of at most one", r.Deleted)
		}
	})
}
