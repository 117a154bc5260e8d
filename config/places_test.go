package config

import (
	"os"
	"path/filepath"
	"testing"
)

// placesIn makes the directories and symbolic links of a test.
func placesIn(t *testing.T, directories []string, links map[string]string) (abs func(string) string) {
	t.Helper()
	dir := t.TempDir()
	abs = func(name string) string { return filepath.Join(dir, name) }
	for _, d := range directories {
		if err := os.MkdirAll(abs(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range links {
		if err := os.Symlink(target, abs(link)); err != nil {
			t.Fatal(err)
		}
	}
	return abs
}

// Places are compared by where they lead.
func TestCheckPlace(t *testing.T) {
	abs := placesIn(t, []string{"a", "b/sub", "L/deep"}, map[string]string{
		"link": "L", "deeper": "L/deep", "loop": "loop", "toA": "a", "toB": "b",
		"dangling": "L/new", "around": "b/../L", "twice": "link/new",
	})
	for name, test := range map[string]struct{ path, dest, other, otherDest, want string }{
		"apart":                  {"b", "L/b", "a", "L/a", ""},
		"a link":                 {"b", "link/q", "a", "L", "is or overlaps the destination"},
		"the other is a link":    {"b", "L", "a", "link/q", "is or overlaps the destination"},
		"a deep link":            {"b", "deeper", "a", "L", "is or overlaps the destination"},
		"the same":               {"b", "deeper/x", "a", "L/deep/x", "is or overlaps the destination"},
		"to what is missing":     {"b", "dangling", "a", "L/new/x", "is or overlaps the destination"},
		"to that by another":     {"b", "twice/x", "a", "dangling", "is or overlaps the destination"},
		"upwards":                {"b", "around/x", "a", "L/x", "is or overlaps the destination"},
		"similar":                {"b", "link/new2", "a", "dangling", ""},
		"a loop":                 {"b", "loop/x", "a", "L", ""},
		"a workspace by a link":  {"toA", "L/x", "a", "L/y", "is that of workspace"},
		"one inside by a link":   {"toB/sub", "L/x", "b", "L/y", "is inside"},
		"one around by a link":   {"toB", "L/x", "b/sub", "L/y", "holds"},
		"onto another workspace": {"b", "toA", "a", "L", "is or holds the directory"},
		"by another":             {"b", "L", "a", "toB", "is or holds the directory"},
		"into each other":        {"b", "toA/x", "a", "toB/y", "each would mirror the other"},
	} {
		w := workspace("w", abs(test.path), local(abs(test.dest)))
		other := workspace("other", abs(test.other), local(abs(test.otherDest)))
		expectError(t, name, CheckPlace(w, []Workspace{other}), test.want)
	}
	two := workspace("w", abs("b"), local(abs("L/x")), local(abs("link/x/y")))
	expectError(t, "two of one workspace", CheckPlace(two, nil), `workspace "w": remote "r1": `)
	into := workspace("w", abs("b"), local(abs("toB/x")))
	expectError(t, "into itself", CheckPlace(into, nil), "is inside the workspace's directory")
}
