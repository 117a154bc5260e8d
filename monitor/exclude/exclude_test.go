package exclude

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/watch"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file of a workspace, with the directories that it needs.
func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// workspace is one with some files. A name that ends with a slash is a directory.
func workspace(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range files {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, root, name, text)
	}
	return root
}

// wants checks what rules exclude, of paths whose directories end with a slash: those
// with a minus before them are to be excluded.
func wants(t *testing.T, r Rules, paths ...string) {
	t.Helper()
	for _, p := range paths {
		path, excluded := strings.CutPrefix(p, "-")
		path, dir := strings.CutSuffix(path, "/")
		if r.Excludes(path, dir) != excluded {
			t.Errorf("%s is excluded: %v", path, !excluded)
		}
		if v := r.Check(path, dir); v.Ignored != excluded {
			t.Errorf("the verdict about %s is %+v", path, v)
		}
	}
}

func TestSources(t *testing.T) {
	files := map[string]string{
		".gitignore": "*.log\n/dist\n", "a/.gitignore": "!keep.log\n", "a/.wsyncignore": "keep.log\n!other.log\n",
		".git/info/exclude": "private\n", "cache/CACHEDIR.TAG": "", "cache/deep/x": "", "tags/CACHEDIR.TAG/": "",
		"ignored/.wsyncignore": "!x.log\n", ".wsyncignore": "ignored/\n",
	}
	root := workspace(t, files)
	for name, test := range map[string]struct {
		workspace config.Workspace
		paths     []string
	}{
		"defaults":    {config.Workspace{}, []string{"-.a.swp", "-a/.b.swo", "-.#x", "-f.c___jb_tmp___", "-.~lock.x.odt#", "-a/.DS_Store", "4913", "a.swp", "#x", "x.log", "dist/", ".git/", "-a/keep.log", "-ignored/"}},
		"no defaults": {config.Workspace{NoDefaultIgnores: true}, []string{".a.swp", ".DS_Store", "-ignored/", "-ignored/x.log"}},
		"git":         {config.Workspace{GitIgnore: true}, []string{"-x.log", "-dist/", "-dist/a", "a/dist", "-a/keep.log", "a/other.log", "-b/keep.log", "-private", "-a/private"}},
		"--skip-git":  {config.Workspace{SkipGit: true}, []string{"-.git/", "-.git/HEAD", "-a/.git", "a/x.git", ".gitignore"}},
		"tags":        {config.Workspace{IgnoreTagged: []string{"CACHEDIR.TAG"}}, []string{"-cache/", "-cache/deep/x", "-cache/CACHEDIR.TAG", "cache", "tags/", "tags/CACHEDIR.TAG/"}},
		"an excepted tag": {config.Workspace{IgnoreTagged: []string{"CACHEDIR.TAG"}, Ignore: []string{"!/cache/", "/cache/deep/"}},
			[]string{"cache/", "cache/CACHEDIR.TAG", "-cache/deep/", "-cache/deep/x"}},
		"the workspace's":        {config.Workspace{Ignore: []string{"*.o", "!keep.o", "!ignored/"}}, []string{"-a.o", "keep.o", "-a/b.o", "-ignored/"}},
		"an exception in a file": {config.Workspace{Ignore: []string{"*.log"}}, []string{"-x.log", "a/other.log", "-a/third.log"}},
	} {
		t.Run(name, func(t *testing.T) {
			wants(t, Load(t.Context(), root, test.workspace), test.paths...)
			for _, p := range test.paths {
				path, dir := strings.CutSuffix(strings.TrimPrefix(p, "-"), "/")
				if got, want := LoadFor(root, test.workspace, path).Excludes(path, dir), strings.HasPrefix(p, "-"); got != want {
					t.Errorf("%s alone: excluded: %v", path, got)
				}
			}
		})
	}
}

func TestRemoteOwn(t *testing.T) {
	r := Load(t.Context(), t.TempDir(), config.Workspace{NoDefaultIgnores: true})
	wants(t, r, ".wsync-tmp/")
	if !r.At(plain).Excludes("a/.wsync-tmp", true) || r.Any() {
		t.Error("what is wsync's own is not excluded, or counts as a rule")
	}
}

func TestChange(t *testing.T) {
	r := Load(t.Context(), workspace(t, map[string]string{".wsyncignore": "build/\n*.o\n"}), config.Workspace{})
	for _, test := range []struct {
		path   string
		change watch.Change
		want   string
		left   watch.Change
	}{
		{"a", watch.Content, "a", watch.Content},
		{"a/x.o", watch.Entry | watch.Content, "a", watch.Meta},
		{"x.o", watch.Entry, "", watch.Meta}, // of the root
		{"x.o", watch.Content, "", 0},
		{"build", watch.Entry | watch.Tree, "", watch.Meta},
		{"build/x", watch.Entry, "", 0},
		{"build", watch.Meta, "build", watch.Meta}, // it may be a file
	} {
		if path, left := r.Change(test.path, test.change); path != test.want || left != test.left {
			t.Errorf("%s, %v: %q, %v, expected %q, %v", test.path, test.change, path, left, test.want, test.left)
		}
	}
	if !r.Depends("build") || r.Depends("x.o") || r.Depends("build/x") {
		t.Error("Depends")
	}
}

func TestAlike(t *testing.T) {
	root := workspace(t, map[string]string{".wsyncignore": "*.o\n/lib/cache\nx/y\n", "a/.wsyncignore": "*.log\n", "b/sub/.wsyncignore": "*.x\n"})
	r := Load(t.Context(), root, config.Workspace{})
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"b", "c", true}, {"b/sub", "c", true}, // a directory's own files go with it
		{"lib", "lib2", false}, {"c", "lib", false}, {"library", "c", true},
		{"x", "c", false}, {"c/x", "c/z", true}, // x/y is anchored
		{"a/d", "a/e", true}, {"a/d", "d", false}, {"d", "a/d", false}, {"b/sub/d", "b/d", false},
	} {
		if got := r.Alike(test.from, test.to); got != test.want {
			t.Errorf("Alike(%q, %q) = %v", test.from, test.to, got)
		}
	}
}

func TestCleanPattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"*.o": "*.o", "!x": "!x", "a b ": "a b", `a\ `: `a\ `, `\#x`: `\#x`, "a\tb": "a\tb", "a\r": "a", "a\rb": "a\rb",
		"": "", "  ": "", "# x": "", "a\nb": "", "a\x00": "", "/": "", "!": "", "[a": "", "a//b": "", "../a": "", "\xff": "",
	} {
		if got, err := CleanPattern(pattern); got != want || (err == nil) != (want != "") {
			t.Errorf("CleanPattern(%q) = %q, %v", pattern, got, err)
		}
	}
}

// What stands in an ignored directory is not in force, however it came to be known.
func TestListLeavesOut(t *testing.T) {
	root := workspace(t, map[string]string{
		".wsyncignore": "/a/\n[1\n", "a/.wsyncignore": "no\n[2\n",
		"cache/TAG": "", "cache/.wsyncignore": "no\n[3\n", "b/.wsyncignore": "yes\n[4\n",
	})
	w := config.Workspace{NoDefaultIgnores: true, IgnoreTagged: []string{"TAG"}}
	l := NewLive(root, w)
	for _, dir := range []string{"a", "b", "cache"} {
		l.Enter(dir)
	}
	for name, r := range map[string]Rules{"Live": l.Rules(), "Load": Load(t.Context(), root, w)} {
		var rules, problems []string
		for _, rule := range r.List() {
			rules = append(rules, rule.String())
		}
		for _, problem := range r.Problems() {
			problems = append(problems, problem.Source)
		}
		if got := strings.Join(rules, " "); got != ".wsyncignore:1:/a/ b/.wsyncignore:1:yes" {
			t.Errorf("%s: the rules are %s", name, got)
		}
		if got := strings.Join(problems, " "); got != ".wsyncignore b/.wsyncignore" {
			t.Errorf("%s: the problems are in %s", name, got)
		}
	}
}

// A link to a rule file is none: a tree that comes from elsewhere does not lead out of
// itself. Nor is a directory of the name, and what cannot be read is told of.
func TestNoRuleFiles(t *testing.T) {
	root := workspace(t, map[string]string{"rules": "*.o\n", "d/.wsyncignore/": ""})
	if err := os.Symlink("rules", filepath.Join(root, ".wsyncignore")); err != nil {
		t.Fatal(err)
	}
	r := Load(t.Context(), root, config.Workspace{})
	wants(t, r, "x.o", "d/x.o")
	if p := r.Problems(); len(p) > 0 {
		t.Error(p)
	}
}

func TestProblems(t *testing.T) {
	r := Load(t.Context(), workspace(t, map[string]string{"a/.wsyncignore": "x\n[z\n"}), config.Workspace{})
	if p := r.Problems(); len(p) != 1 || !strings.HasPrefix(p[0].String(), "a/.wsyncignore:2: ") {
		t.Errorf("%v", p)
	}
}

// In a worktree, and in a submodule, git's own file is where all worktrees have it.
func TestGitExclude(t *testing.T) {
	root := workspace(t, map[string]string{
		"main/.git/info/exclude": "from-main\n", "main/.git/worktrees/w/commondir": "../..\n",
		"w/.git": "gitdir: ../main/.git/worktrees/w\n", "absolute/.git": "gitdir: ",
	})
	write(t, root, "absolute/.git", "gitdir: "+filepath.Join(root, "main/.git/worktrees/w")+"\n")
	for _, name := range []string{"main", "w", "absolute"} {
		wants(t, Load(t.Context(), filepath.Join(root, name), config.Workspace{GitIgnore: true}), "-from-main", "-a/from-main", "x")
	}
}
