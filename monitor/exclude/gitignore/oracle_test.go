package gitignore

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wsync/monitor/remotetest"
)

// An oracle is git, asked what it ignores.
type oracle struct {
	git string // its directory: a repository without a working tree of its own
	env []string
}

// newOracle makes a repository. It skips the test where there is no git.
func newOracle(t testing.TB) *oracle {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		remotetest.Skip(t, "there is no git")
	}
	home := t.TempDir()
	check(t, os.WriteFile(filepath.Join(home, "a"), nil, 0o666))
	if _, err := os.Lstat(filepath.Join(home, "A")); err == nil {
		remotetest.Skip(t, "the names of the worlds are not different ones for this file system")
	}
	o := &oracle{git: filepath.Join(home, "repository")}
	// Nothing of the user's configuration, nor of a git that has started the test.
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GIT_") && !strings.HasPrefix(variable, "XDG_") {
			o.env = append(o.env, variable)
		}
	}
	o.env = append(o.env, "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	o.run(t, home, nil, "init", "-q", "--bare", o.git)
	// As on Linux, where names are bytes.
	for _, setting := range []string{"core.bare", "core.ignoreCase", "core.precomposeUnicode"} {
		o.run(t, home, nil, "--git-dir="+o.git, "config", setting, "false")
	}
	check(t, os.MkdirAll(filepath.Join(o.git, "info"), 0o777))
	return o
}

// run runs git in a directory, and returns what it prints.
func (o *oracle) run(t testing.TB, dir string, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, o.env, bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	// check-ignore exits with 1 if it ignores nothing.
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("git %q: %v\n%s", args, err, &stderr)
	}
	return out
}

// An answer is what `git check-ignore -v` prints for a path; empty if no rule matches.
type answer struct{ source, line, pattern string }

// ask asks about paths of the working tree root, whose rule files are there. Those above
// it are core.excludesFile and info/exclude.
func (o *oracle) ask(t testing.TB, root, excludesFile string, paths []string) []answer {
	t.Helper()
	var stdin bytes.Buffer
	for _, path := range paths {
		fmt.Fprintf(&stdin, "./%s\x00", path) // the ./ lets a name begin with a :
	}
	out := o.run(t, root, stdin.Bytes(), "--git-dir="+o.git, "--work-tree=.", "-c", "core.excludesFile="+excludesFile,
		"check-ignore", "--no-index", "--stdin", "-z", "-v", "-n")
	fields := strings.Split(string(out), "\x00")
	if len(fields) != 4*len(paths)+1 {
		t.Fatalf("git printed %d fields for %d paths", len(fields), len(paths))
	}
	answers := make([]answer, len(paths))
	for i, path := range paths {
		if fields[4*i+3] != "./"+path {
			t.Fatalf("git answered about %q, asked about %q", fields[4*i+3], path)
		}
		answers[i] = answer{fields[4*i], fields[4*i+1], fields[4*i+2]}
	}
	return answers
}

// starsAfterName reports whether git takes the ** of name**/ for any number of
// directories, as it did before version 2.52.
func (o *oracle) starsAfterName(t testing.TB) bool {
	t.Helper()
	root := t.TempDir()
	check(t, os.WriteFile(filepath.Join(root, ".gitignore"), []byte("a**/b\n"), 0o666))
	return o.ask(t, root, "", []string{"ab/x/b"})[0] != answer{}
}

// afterName reports whether text has a line for which starsAfterName makes a difference.
func afterName(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\r"), "\x00")
		line = strings.TrimPrefix(strings.TrimPrefix(trimSpaces(line), "!"), "/")
		at := strings.IndexAny(line, `*?[\`)
		if at <= 0 || line[at-1] == '/' || !strings.HasPrefix(line[at:], "**") {
			continue
		}
		rest := strings.TrimLeft(line[at:], "*")
		if rest == "" || rest[0] == '/' || strings.HasPrefix(rest, `\/`) {
			return true
		}
	}
	return false
}

// A world is a tree with rule files, on the disk for git and in memory for us.
type world struct {
	excludesFile, exclude string            // the texts of those above the tree
	rules                 map[string]string // by directory the text of its .gitignore
	entries               []entry
}

// An entry is a path of a world to ask about.
type entry struct {
	path string
	dir  bool
	kind byte // 'd' a directory, 'l' a link to one, 'f' a file, '-' nothing is there
}

// build makes the world in root and in the oracle's repository. It drops what the file
// system refuses.
func (w *world) build(t testing.TB, o *oracle, root string) {
	t.Helper()
	check(t, os.WriteFile(w.excludesPath(o), []byte(w.excludesFile), 0o666))
	check(t, os.WriteFile(filepath.Join(o.git, "info/exclude"), []byte(w.exclude), 0o666))
	w.entries = slices.DeleteFunc(w.entries, func(e entry) bool {
		path := filepath.Join(root, e.path)
		switch e.kind {
		case 'd':
			return os.MkdirAll(path, 0o777) != nil
		case 'l':
			return os.Symlink(".", path) != nil
		case 'f':
			return os.WriteFile(path, nil, 0o666) != nil
		}
		return false
	})
	for dir, text := range w.rules {
		if err := os.WriteFile(filepath.Join(root, dir, ".gitignore"), []byte(text), 0o666); err != nil {
			delete(w.rules, dir) // its directory could not be made
		}
	}
}

func (w *world) excludesPath(o *oracle) string { return filepath.Join(o.git, "excludes-file") }

// tree returns the world's rules.
func (w *world) tree(o *oracle) *Tree {
	t := NewTree(
		Parse(w.excludesPath(o), []byte(w.excludesFile)),
		Parse(filepath.Join(o.git, "info/exclude"), []byte(w.exclude)))
	for dir, text := range w.rules {
		t = t.With(dir, Parse(strings.TrimPrefix(dir+"/.gitignore", "/"), []byte(text)))
	}
	return t
}

// A tally counts what git and we have answered.
type tally struct{ queries, own, above, negated, differences int }

// compare asks git and us about all entries of the world, which it has built in root.
func (w *world) compare(t testing.TB, o *oracle, root string, sum *tally) {
	t.Helper()
	paths := make([]string, len(w.entries))
	for i, e := range w.entries {
		paths[i] = e.path
	}
	tree := w.tree(o)
	for i, want := range o.ask(t, root, w.excludesPath(o), paths) {
		e := w.entries[i]
		v := tree.Check(e.path, e.dir)
		var got answer
		if v.Rule != nil {
			got = answer{v.Rule.Source, strconv.Itoa(v.Rule.Line), v.Rule.Pattern}
		}
		sum.queries++
		switch {
		case v.Rule == nil:
		case v.Rule.Negated:
			sum.negated++
		case v.Entry == e.path:
			sum.own++
		default:
			sum.above++
		}
		if v.Ignored != (want != answer{} && want.pattern[0] != '!') || got != want {
			sum.differences++
			t.Errorf("%q (%c): %q, expected %q", e.path, e.kind, got, want)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	remotetest.Check(t, err)
}
