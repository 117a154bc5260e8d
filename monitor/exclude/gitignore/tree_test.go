package gitignore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func parse(source string, lines ...string) *File {
	return Parse(source, []byte(strings.Join(lines, "\n")))
}

func TestTree(t *testing.T) {
	tree := NewTree(parse("config", "*.log", "tmp", "swp"), parse("exclude", "!keep.log", "/only")).
		With("", parse(".gitignore", "build/", "!/swp", "/a/b/x", "vendor"), parse(".wsyncignore", "!vendor", "*.bin")).
		With("a/b", parse("a/b/.gitignore", "!*.bin", "/c", "d/e")).
		With("build", parse("build/.gitignore", "!*"))
	for _, test := range []struct {
		path  string // with a slash at the end for directories
		want  string // the rule; "" for none
		entry string // what it matches, "" for the path
	}{
		{"a", "", ""},
		{"", "", ""},
		{"a/x.log", "config:1:*.log", ""},
		{"a/keep.log", "exclude:1:!keep.log", ""}, // the later of those above wins
		{"only", "exclude:2:/only", ""},
		{"a/only", "", ""},
		{"swp", ".gitignore:2:!/swp", ""}, // what is in the tree wins over what is above
		{"a/swp", "config:3:swp", ""},
		{"build", "", ""},
		{"build/", ".gitignore:1:build/", ""},
		{"build/x", ".gitignore:1:build/", "build"}, // no rule takes back what is in it
		{"a/build/c/d", ".gitignore:1:build/", "a/build"},
		{"vendor", ".wsyncignore:1:!vendor", ""}, // the later in a directory wins
		{"x.bin", ".wsyncignore:2:*.bin", ""},
		{"a/b/x.bin", "a/b/.gitignore:1:!*.bin", ""}, // the nearest wins
		{"a/b/c/y.bin", "a/b/.gitignore:2:/c", "a/b/c"},
		{"a/b/x", ".gitignore:3:/a/b/x", ""},
		{"a/b/c", "a/b/.gitignore:2:/c", ""},
		{"a/b/d/e", "a/b/.gitignore:3:d/e", ""},
		{"b/c", "", ""},
		{"a/c", "", ""},
	} {
		path, dir := strings.CutSuffix(test.path, "/")
		got := tree.Check(path, dir)
		rule, entry := "", ""
		if got.Rule != nil {
			rule, entry = got.Rule.String(), path
		}
		if test.entry != "" {
			entry = test.entry
		}
		ignored := test.want != "" && !strings.Contains(test.want, ":!")
		if rule != test.want || got.Ignored != ignored || got.Entry != entry {
			t.Errorf("%s: %s %+v, expected %s", test.path, rule, got, test.want)
		}
		// One who walks down gets the same.
		var walked Verdict
		for end := 0; end < len(path) && !walked.Ignored; {
			end = endOfName(path, end)
			walked = tree.CheckEntry(path[:end], dir || end < len(path))
			end++
		}
		if walked != got {
			t.Errorf("%s: %+v for one who walks, %+v otherwise", test.path, walked, got)
		}
	}
	if v := tree.CheckEntry("build/x", false); v.Ignored || v.Rule == nil || v.Rule.Source != "build/.gitignore" {
		t.Errorf("about build/x itself: %+v", v)
	}
}

// Two files of a directory are like one with the lines of both.
func TestTwoFilesAreLikeOne(t *testing.T) {
	for seed := range int64(20) {
		w := newRandom(seed, false).world()
		one, two := new(Tree), new(Tree)
		for dir, text := range w.rules {
			half := strings.LastIndexByte(text[:len(text)*2/3], '\n') + 1
			one = one.With(dir, Parse(dir, []byte(text)))
			two = two.With(dir, Parse(dir, []byte(text[:half])), Parse(dir, []byte(text[half:])))
		}
		for _, e := range w.entries {
			a, b := one.Check(e.path, e.dir), two.Check(e.path, e.dir)
			if a.Ignored != b.Ignored || a.Entry != b.Entry || a.Rule != nil && (a.Rule.Pattern != b.Rule.Pattern || a.Rule.Source != b.Rule.Source) {
				t.Errorf("seed %d: %q: %+v in one file, %+v in two", seed, e.path, a, b)
			}
		}
	}
}

// A tree does not change when another is made of it.
func TestTreeIsImmutable(t *testing.T) {
	show := func(tree *Tree) (list []string) {
		for dir, files := range tree.All {
			for _, f := range files {
				list = append(list, fmt.Sprintf("%s=%s", dir, f.Rules()[0].Source))
			}
		}
		return list
	}
	var trees []*Tree
	var want [][]string
	add := func(tree *Tree, list ...string) *Tree {
		t.Helper()
		trees, want = append(trees, tree), append(want, list)
		for i := range trees {
			if got := show(trees[i]); !slices.Equal(got, want[i]) {
				t.Fatalf("tree %d: %q, expected %q", i, got, want[i])
			}
		}
		return tree
	}
	one, two := parse("1", "x"), parse("2", "x")
	tree := add(new(Tree))
	tree = add(tree.With("b/c", one), "b/c=1")
	tree = add(tree.With("a", two, one), "a=2", "a=1", "b/c=1")
	tree = add(tree.With("b", two), "a=2", "a=1", "b=2", "b/c=1")
	tree = add(tree.With("b/a/a", two), "a=2", "a=1", "b=2", "b/a/a=2", "b/c=1")
	tree = add(tree.With("", two), "=2", "a=2", "a=1", "b=2", "b/a/a=2", "b/c=1")
	tree = add(tree.With("b/c", two), "=2", "a=2", "a=1", "b=2", "b/a/a=2", "b/c=2")
	add(tree.With("b"), "=2", "a=2", "a=1", "b/a/a=2", "b/c=2")
	add(tree.With("no/such"), "=2", "a=2", "a=1", "b=2", "b/a/a=2", "b/c=2")
	add(tree.Without("b"), "=2", "a=2", "a=1")
	add(tree.Without("b/a"), "=2", "a=2", "a=1", "b=2", "b/c=2")
	add(tree.Without("no/such"), "=2", "a=2", "a=1", "b=2", "b/a/a=2", "b/c=2")
	add(tree.Without(""))
	for dir := range tree.All {
		if dir != "" {
			t.Error("All does not end when it is told to")
		}
		break
	}
	files := []*File{one}
	tree = tree.With("a", files...)
	files[0] = two
	add(tree, "=2", "a=1", "b=2", "b/a/a=2", "b/c=2")
	if above := NewTree(one, two).With("a", two).Above(); !slices.Equal(above, []*File{one, two}) {
		t.Errorf("above: %v", above)
	}
}

// Deeper than the buffer for the levels, all is the same.
func TestDeepTree(t *testing.T) {
	tree := new(Tree)
	dir := ""
	for i := range 100 {
		tree = tree.With(dir, parse(fmt.Sprint(i), fmt.Sprintf("f%d", i), "x"))
		dir = strings.TrimPrefix(dir+"/d", "/")
	}
	for i := range 100 {
		if v := tree.Check(fmt.Sprintf("%s/f%d", dir, i), false); !v.Ignored || v.Rule.Source != fmt.Sprint(i) {
			t.Errorf("%d: %+v", i, v)
		}
	}
	if v := tree.Check(dir+"/x", false); v.Rule == nil || v.Rule.Source != "99" {
		t.Errorf("%+v", v)
	}
}

// A question allocates nothing.
func TestNothingIsAllocated(t *testing.T) {
	tree := NewTree(parse("", "*.o", "a*b*[c-e]*", "a/**/b/?")).With("a/b", parse("", "[[:alpha:]]?", "**/x/*y", "!z/"))
	for _, path := range []string{"a", "a/b/c/d/e.o", "a/x/y/b/c", "a/b/c/z", "x/aabbccdd"} {
		if n := testing.AllocsPerRun(100, func() { tree.Check(path, true); tree.CheckEntry(path, false) }); n > 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}
