package guard

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/exclude"
)

func TestCount(t *testing.T) {
	root := newDir(t)
	write(t, root, "repo/.git/HEAD", "repo/.git/worktrees/stays/HEAD", "keep")
	for name, content := range map[string]string{
		"target/CACHEDIR.TAG":    tagSignature + "\n# made by a tool",
		"sub/cache/CACHEDIR.TAG": tagSignature,
		"forged/CACHEDIR.TAG":    "Signature: none",
		"CACHEDIR.TAG":           tagSignature,
		"stays/.git":             "gitdir: " + root + "/repo/.git/worktrees/stays\n",
		"removed/.git":           "gitdir: " + root + "/repo/.git/worktrees/removed\n",
		"relative/.git":          "gitdir: ../repo/.git/worktrees/relative\n",
		"alone/.git":             "gitdir: " + root + "/other/.git/worktrees/alone\n",
		"module/.git":            "gitdir: ../repo/.git/modules/module\n",
		"half/.git":              "gitdir: ../repo/.git/worktrees/half\n",
	} {
		writeFile(t, root, name, content)
	}
	tools := NewTools(root)
	filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if name, err := filepath.Rel(root, p); err == nil && !e.IsDir() {
			tools.Look(name)
		}
		return nil
	})
	for _, name := range []string{"target", "sub", "forged", "stays", "removed", "relative", "alone", "module"} {
		check(t, os.RemoveAll(filepath.Join(root, name)))
	}
	counts := tools.Count()
	for name, want := range map[string]bool{
		"keep": true, "d/keep": true, ".gitignore": true,
		// What git deletes in its own directory, and the directory itself.
		"repo/.git/objects/00/11": false, "repo/.git/HEAD": false, "repo/.git": true, "repo": true, "repo/.github/f": true,
		"gone/.git/objects/00/11": true, "gone/.git": true, ".git/objects": true,
		// Working trees: git knows no more of the one, and still of the other.
		"removed": false, "removed/.git": false, "removed/a/b": false, "relative/a": false,
		"stays": true, "stays/a": true, "alone/a": true, "module/a": true, "half/a": true,
		// What tools make anew.
		"node_modules": false, "node_modules/a": false, "a/node_modules/b/c": false, "a": true, "node_modules2": true,
		"target": false, "target/debug/x": false, "sub/cache/x": false, "sub": true, "sub/x": true,
		"forged": true, "forged/x": true, "CACHEDIR.TAG": true,
	} {
		if got := counts(name); got != want {
			t.Errorf("%s counts: %v", name, got)
		}
	}
}

func TestLeft(t *testing.T) {
	root := newDir(t)
	write(t, root, "a", "d/b", "d/e/c", ".git/HEAD", "d/.git/x/y", "node_modules/a/b", "d/link/.git")
	writeFile(t, root, "cache/CACHEDIR.TAG", tagSignature)
	write(t, root, "cache/f")
	tools := NewTools(root)
	tools.Look("cache/CACHEDIR.TAG")
	w := Directory{Root: root, Tools: tools}
	const all = 9 // a d d/b d/e d/e/c .git d/.git d/link d/link/.git
	for limit, want := range map[int]int{100: all, all: all, 3: 3, 1: 1} {
		if got := w.Left(limit); got != want {
			t.Errorf("up to %d: %d", limit, got)
		}
	}
	w.Rules = exclude.Load(t.Context(), root, config.Workspace{SkipGit: true})
	if got := w.Left(100); got != all-3 {
		t.Errorf("without .git: %d", got)
	}
	w.Root = filepath.Join(root, "none")
	if got := w.Left(5); got != 0 {
		t.Errorf("what is not there holds %d", got)
	}
}

func TestEmpty(t *testing.T) {
	root := newDir(t)
	for _, step := range []struct {
		add              string
		want, withoutGit bool
	}{{"", true, true}, {".git/HEAD", false, true}, {"f", false, false}} {
		if step.add != "" {
			write(t, root, step.add)
		}
		for skipGit, want := range map[bool]bool{false: step.want, true: step.withoutGit} {
			if got, err := (Directory{Root: root, Rules: exclude.Load(t.Context(), root, config.Workspace{SkipGit: skipGit})}).Empty(); got != want || err != nil {
				t.Errorf("with %q, .git skipped %v: %v, %v", step.add, skipGit, got, err)
			}
		}
	}
	if _, err := (Directory{Root: filepath.Join(root, "gone")}).Empty(); err == nil {
		t.Error("what is gone is not known to be empty")
	}
}

// Names are the same as a set of strings, whatever is done to them.
func TestNames(t *testing.T) {
	var n, other Names
	steps := strings.Fields("+a/b +a/b +a -x +a/b/c -a/b -a/b +d *e *e/f *a +e -a")
	want := make(map[string]bool) // with whether they count
	for _, step := range steps {
		name := step[1:]
		switch step[0] {
		case '-':
			if _, known := want[name]; n.Remove(name) != known {
				t.Errorf("%s: was there: %v", step, !known)
			}
			delete(want, name)
		default:
			counts := step[0] == '+'
			if _, known := want[name]; !known {
				want[name] = counts
			}
			n.Add(name, counts)
			other.Add(name, true)
		}
		counted := 0
		for name, counts := range want {
			if counts {
				counted++
			}
			if !n.Has(name) || !n.Covers(name) {
				t.Errorf("%s: %s is not there", step, name)
			}
		}
		if n.Len() != len(want) || n.Counted() != counted {
			t.Errorf("%s: %d, of which %d count; expected %d and %d", step, n.Len(), n.Counted(), len(want), counted)
		}
	}
	if n.Has("x") || n.Covers("a/x") || !n.Covers("a") || n.Has("a") {
		t.Error("only what was removed, and the directories that it was in, are covered")
	}
	if !n.Within(other) || other.Within(n) {
		t.Error("not within what has all of it, or the other way round")
	}
	var union Names
	union.AddAll(n)
	union.AddAll(other)
	if union.Len() != other.Len() || union.Counted() != other.Len() || !other.Within(union) || n.Len() == union.Len() {
		t.Errorf("%d, of which %d count", union.Len(), union.Counted())
	}
	if slices.ContainsFunc([]string{"a/b", "e"}, func(name string) bool { return !union.Covers(name) }) {
		t.Error("it lacks what was covered")
	}
}
