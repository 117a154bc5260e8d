package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/remotetest"
)

// tree makes files in a new directory: a name that ends with a slash is a directory's,
// and "a -> b" a symbolic link.
func tree(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		name, to, link := strings.Cut(name, " -> ")
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		switch {
		case link:
			err = os.Symlink(to, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o777)
		default:
			err = os.WriteFile(path, []byte(text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// serveWorkspace lets a daemon answer that has the workspace w.
func serveWorkspace(t *testing.T, w config.Workspace) (directory string, daemon *fakeDaemon) {
	t.Helper()
	w.Name = "w"
	answer := api.WorkspaceStatus{Workspace: w}
	daemon = &fakeDaemon{answers: map[string]any{"GET /v1/workspaces/w": answer, "POST /v1/workspaces/w/ignore": answer}}
	directory = home(t)
	serve(t, directory, daemon)
	return directory, daemon
}

func TestIgnoreChanges(t *testing.T) {
	const cannot = "wsync: cannot change what w leaves out: "
	for _, test := range []struct {
		args    string
		code    int
		request string // "" for none
		stderr  string
	}{
		{"*.o !a", 0, `{"ignore":["*.o","!a"]}`, ""},
		{"--remove *.o -- -a", 0, `{"ignore":["*.o","-a"],"remove":true}`, ""},
		{"--remove --ignore-tagged a --ignore-tagged b", 0, `{"ignore_tagged":["a","b"],"remove":true}`, ""},
		{"--gitignore on --skip-git=off", 0, `{"skip_git":false,"gitignore":true}`, ""},
		{"--default-ignores off", 0, `{"no_default_ignores":true}`, ""},
		{"--default-ignores on x", 0, `{"ignore":["x"],"no_default_ignores":false}`, ""},
		{"--gitignore maybe", 2, "", cannot + "--gitignore is \"maybe\": expected on or off\n"},
		{"--remove", 2, "", cannot + "--remove needs a PATTERN, or the FILE of --ignore-tagged\n"},
		{"--stdin", 2, "", cannot + "--stdin goes with --check\n"},
		{"-z", 2, "", cannot + "--null goes with --check\n"},
		{"-n a", 2, "", cannot + "--non-matching goes with --check\n"},
		{"a\xff", 2, "", cannot + "the pattern \"a\\xff\" is not UTF-8: the workspace file cannot hold it, a rule file in the tree can\n"},
		{"--ignore-tagged ..", 2, "", cannot + "\"..\" is no name of a tag file: expected one without slashes, such as CACHEDIR.TAG\n"},
	} {
		home, daemon := serveWorkspace(t, config.Workspace{LocalPath: "/p", GitIgnore: true, Ignore: []string{"*.o"}})
		code, stdout, stderr := wsync(t, home, append([]string{"ignore", "w"}, strings.Fields(test.args)...)...)
		want := ""
		if test.code == 0 {
			want = "w leaves out: built-in rules, *.o, .gitignore and .wsyncignore files\n"
		}
		if code != test.code || stdout != want || stderr != test.stderr {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", test.args, code, stdout, stderr)
		}
		var requests []string
		if test.request != "" {
			requests = []string{"POST /v1/workspaces/w/ignore " + test.request}
		}
		if !slices.Equal(daemon.requests, requests) {
			t.Errorf("%s: requests %q, want %q", test.args, daemon.requests, requests)
		}
	}
}

// Who adds a project with a .gitignore learns how it counts.
func TestAddWithGitIgnore(t *testing.T) {
	root := tree(t, map[string]string{"with/.gitignore": "", "without/.wsyncignore": "", "other/.gitignore/": ""})
	home := home(t)
	serve(t, home, &fakeDaemon{})
	const hint = "hint: what its .gitignore files name is mirrored, too; to leave it out: wsync ignore w --gitignore on\n"
	for args, want := range map[string]string{"with": hint, "with --gitignore": "", "without": "", "other": ""} {
		code, _, stderr := wsync(t, home, append([]string{"add", "w"}, strings.Fields(root+"/"+args)...)...)
		if code != 0 || stderr != want {
			t.Errorf("add %s: exit code %d, stderr %q, want %q", args, code, stderr, want)
		}
	}
}

func TestIgnoreRefused(t *testing.T) {
	home := home(t)
	serve(t, home, &fakeDaemon{answers: map[string]any{
		"POST /v1/workspaces/w/ignore": &api.Error{Kind: api.NotFound, Message: `it has no pattern "a"`, Hint: "its patterns are: b"},
		"POST /v1/workspaces/x/ignore": api.WorkspaceStatus{Workspace: config.Workspace{Name: "x"}, Notes: []string{`it has no pattern "a"`}},
	}})
	code, _, stderr := wsync(t, home, "ignore", "w", "--remove", "a")
	if want := "wsync: cannot change what w leaves out: it has no pattern \"a\"\nhint: its patterns are: b\n"; code != 1 || stderr != want {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
	code, _, stderr = wsync(t, home, "ignore", "x", "--remove", "a", "b")
	if want := "wsync: x: it has no pattern \"a\"\n"; code != 0 || stderr != want {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
}

// ruled is a workspace with rules of all sorts.
func ruled(t *testing.T) config.Workspace {
	t.Helper()
	return config.Workspace{
		LocalPath: tree(t, map[string]string{
			".gitignore":          "# not a rule\nnode_modules/\n!keep.o\n[bad\n",
			".git/info/exclude":   "*.tmp\n",
			".wsyncignore":        "secret\x1b\n",
			"web/.wsyncignore":    "dist/\n!/a.log\n",
			"web/dist/.gitignore": "never read\n",
			"cache/CACHEDIR.TAG":  "",
			"cache/.wsyncignore":  "not in force\n",
			"real/f":              "",
			"link -> real":        "",
		}),
		GitIgnore: true, SkipGit: true, Ignore: []string{"*.o", "*.log", "!x.o"}, IgnoreTagged: []string{"CACHEDIR.TAG"},
	}
}

func TestIgnoreList(t *testing.T) {
	w := ruled(t)
	home, _ := serveWorkspace(t, w)
	code, stdout, stderr := wsync(t, home, "ignore", "w")
	builtIn, rest, found := strings.Cut(stdout, "of the workspace:\n")
	if code != 0 || stderr != "" || !found || !strings.HasPrefix(builtIn, "built in:\n  .") || !strings.Contains(builtIn, "  .DS_Store") {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
	}
	check(t, rest, `  --skip-git:1       .git
  --ignore-tagged:1  directories with CACHEDIR.TAG
  workspace:1        *.o
  workspace:2        *.log
  workspace:3        !x.o
in files, .wsyncignore and .gitignore:
  .git/info/exclude:1  *.tmp
  .gitignore:2         node_modules/
  .gitignore:3         !keep.o
  .wsyncignore:1       secret\x1b
  web/.wsyncignore:1   dist/
  web/.wsyncignore:2   !/a.log
cannot be read, and ignore nothing:
  .gitignore:4: a [ has no ] after it: "[bad"
`)
	for line := range strings.Lines(builtIn) {
		if len(line) > listWidth+1 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}

	code, stdout, _ = wsync(t, home, "ignore", "w", "--json")
	var list ignoreList
	if err := json.Unmarshal([]byte(stdout), &list); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v in %s", code, err, stdout)
	}
	var places []string
	for _, rule := range list.Rules {
		if rule.Source != "default" {
			places = append(places, rule.place())
		}
	}
	want := ".git/info/exclude:1 .gitignore:2 .gitignore:3 .wsyncignore:1 web/.wsyncignore:1 web/.wsyncignore:2"
	if got := strings.Join(places, " "); got != "--skip-git:1 --ignore-tagged:1 workspace:1 workspace:2 workspace:3 "+want {
		t.Errorf("the rules are at %s", got)
	}
	if len(list.Problems) != 1 || list.Problems[0].Pattern != "[bad" || list.Workspace != "w" || !list.GitIgnore || !slices.Equal(list.Ignore, w.Ignore) {
		t.Errorf("%+v", list)
	}
}

// Without any rules, and without the directory.
func TestIgnoreListOfNothing(t *testing.T) {
	w := config.Workspace{LocalPath: tree(t, nil), NoDefaultIgnores: true}
	home, _ := serveWorkspace(t, w)
	const nothing = "built in: off\nof the workspace: none\nin files, .wsyncignore only: none\n"
	if code, stdout, stderr := wsync(t, home, "ignore", "w"); code != 0 || stdout != nothing || stderr != "" {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
	}
	if err := os.Remove(w.LocalPath); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := wsync(t, home, "ignore", "w")
	if code != 0 || stdout != nothing || !strings.HasPrefix(stderr, "wsync: the rule files in "+w.LocalPath+" cannot be read: ") {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
	}
	code, stdout, stderr = wsync(t, home, "ignore", "w", "--json")
	if code != 0 || !strings.Contains(stdout, `"rules": []`) || !strings.Contains(stdout, `"problems": []`) || !strings.Contains(stdout, `"ignore": []`) {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
	}
}

func TestIgnoreCheck(t *testing.T) {
	w := ruled(t)
	home, _ := serveWorkspace(t, w)
	outside := tree(t, map[string]string{"to -> " + w.LocalPath: "", "a.o": ""})
	for _, test := range []struct {
		cwd, args string
		code      int
		stdout    string
		stderr    string // behind "wsync: cannot check what w leaves out: "
	}{
		// Paths of the current directory.
		{w.LocalPath, "a.o web/a.o x.o b", 0, "workspace:1:*.o\ta.o|workspace:1:*.o\tweb/a.o", ""},
		{w.LocalPath + "/web", "../a.o dist dist/ dist/x ./b.log a.log", 0,
			"workspace:1:*.o\t../a.o|web/.wsyncignore:1:dist/\tdist|web/.wsyncignore:1:dist/\tdist/|web/.wsyncignore:1:dist/\tdist/x|workspace:2:*.log\t./b.log", ""},
		{outside + "/to/web", "dist a.o", 0, "web/.wsyncignore:1:dist/\tdist|workspace:1:*.o\ta.o", ""},
		{outside, "to/web/dist", 0, "web/.wsyncignore:1:dist/\tto/web/dist", ""},
		// Paths of the workspace.
		{outside, "web/dist a.o", 0, "web/.wsyncignore:1:dist/\tweb/dist|workspace:1:*.o\ta.o", ""},
		{w.LocalPath, outside + "/to/web/dist " + w.LocalPath + "/a.o", 0, "web/.wsyncignore:1:dist/\t" + outside + "/to/web/dist|workspace:1:*.o\t" + w.LocalPath + "/a.o", ""},
		// What is a directory.
		{w.LocalPath, "node_modules", 1, "", ""},
		{w.LocalPath, "node_modules/ node_modules/x", 0, ".gitignore:2:node_modules/\tnode_modules/|.gitignore:2:node_modules/\tnode_modules/x", ""},
		{w.LocalPath, ".git .git/HEAD cache cache/x cachet", 0, "--skip-git:1:.git\t.git|--skip-git:1:.git\t.git/HEAD|--ignore-tagged:1:CACHEDIR.TAG\tcache|--ignore-tagged:1:CACHEDIR.TAG\tcache/x", ""},
		{w.LocalPath, "link . ./", 1, "", ""},
		// None.
		{w.LocalPath, "x.o", 1, "", ""},
		{w.LocalPath, "-n x.o web/a.log b keep.o", 1, "workspace:3:!x.o\tx.o|web/.wsyncignore:2:!/a.log\tweb/a.log|::\tb|.gitignore:3:!keep.o\tkeep.o", ""},
		{w.LocalPath, "-n b c.o", 0, "::\tb|workspace:1:*.o\tc.o", ""},
		// Odd names.
		{w.LocalPath, "\xc3\xa9\".o b\\.o \x01.o", 0, "workspace:1:*.o\t\"\\303\\251\\\".o\"|workspace:1:*.o\t\"b\\\\.o\"|workspace:1:*.o\t\"\\001.o\"", ""},
		{w.LocalPath, "-- -x.o", 0, "workspace:1:*.o\t-x.o", ""},
		// Errors end it.
		{w.LocalPath, "a.o link/x.o b.o", 2, "workspace:1:*.o\ta.o", "link/x.o is behind link, a symbolic link, which is mirrored as one"},
		{w.LocalPath, "link/", 2, "", "link/ is behind link, a symbolic link, which is mirrored as one"},
		{w.LocalPath, "../x", 2, "", "../x is not in " + w.LocalPath},
		{w.LocalPath, "/tmp", 2, "", "/tmp is not in " + w.LocalPath},
		{outside, "../x", 2, "", "../x is not in " + w.LocalPath},
		{outside, "", 2, "", "no path is given"},
		{outside, "-z a", 2, "", "--null goes with --stdin"},
		{outside, "--stdin a", 2, "", "--stdin is for paths in place of those on the command line"},
		{outside, "--gitignore on a", 2, "", "--gitignore does not go with --check"},
		{outside, "--remove a", 2, "", "--remove does not go with --check"},
	} {
		t.Chdir(test.cwd)
		code, stdout, stderr := wsync(t, home, append([]string{"ignore", "w", "--check"}, strings.Fields(test.args)...)...)
		if got := strings.ReplaceAll(strings.TrimSuffix(stdout, "\n"), "\n", "|"); code != test.code || got != test.stdout {
			t.Errorf("%s: exit code %d, stdout %q\nwant %d %q", test.args, code, got, test.code, test.stdout)
		}
		if test.stderr != "" {
			test.stderr = "wsync: cannot check what w leaves out: " + test.stderr + "\n"
		}
		if stderr != test.stderr {
			t.Errorf("%s: stderr %q, want %q", test.args, stderr, test.stderr)
		}
	}
	if code, _, stderr := wsync(t, home, "ignore", "w", "--check", ""); code != 2 || !strings.HasSuffix(stderr, ": a path is empty\n") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}

	code, stdout, _ := wsync(t, home, "ignore", "w", "--check", "--json", "cache/x.o", "nothing")
	var verdicts []ignoreVerdict
	if err := json.Unmarshal([]byte(stdout), &verdicts); code != 0 || err != nil || len(verdicts) != 2 {
		t.Fatalf("exit code %d, %v in %s", code, err, stdout)
	}
	if v := verdicts[0]; !v.Ignored || v.Path != "cache/x.o" || v.Entry != "cache" || v.Rule == nil || *v.Rule != (ignoreRule{"--ignore-tagged", 1, "CACHEDIR.TAG", false}) {
		t.Errorf("%+v", v)
	}
	if v := verdicts[1]; v != (ignoreVerdict{Path: "nothing"}) {
		t.Errorf("%+v", v)
	}
}

// An exit code of 1 says that nothing is ignored, and nothing else does.
func TestIgnoreCheckFails(t *testing.T) {
	gone, _ := serveWorkspace(t, config.Workspace{LocalPath: "/does/not/exist"})
	code, _, stderr := wsync(t, gone, "ignore", "w", "--check", "a")
	if want := "wsync: cannot check what w leaves out: stat /does/not/exist: no such file or directory\n"; code != 2 || stderr != want {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	other := home(t)
	serve(t, other, &fakeDaemon{answers: map[string]any{"GET /v1/workspaces/w": &api.Error{Kind: api.NotFound, Message: "no w", Hint: "there is: docs"}}})
	code, _, stderr = wsync(t, other, "ignore", "w", "--check", "a")
	if want := "wsync: cannot check what w leaves out: no w\nhint: there is: docs\n"; code != 2 || stderr != want {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if code, _, _ := wsync(t, home(t), "ignore", "w", "--check", "a"); code != 3 {
		t.Errorf("without a daemon: exit code %d", code)
	}
}

// What --check prints is what git prints, to the byte.
func TestIgnoreCheckByGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		remotetest.Skip(t, "there is no git")
	}
	root := tree(t, map[string]string{
		".gitignore":         "*.o\nbuild/\n!keep.o\n/top\n\\!odd\na/**/z\n",
		"a/.gitignore":       "!b.o\n*.log\nq\"*\n",
		"a/\xc3\xa9/":        "",
		"build/x":            "",
		"sub/build":          "",
		"a/b\xff/.gitignore": "*.x\n",
	})
	git := func(stdin string, args ...string) (out string, code int) {
		cmd := exec.Command("git", args...)
		cmd.Stdin = strings.NewReader(stdin)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
		text, err := cmd.Output()
		if err != nil && cmd.ProcessState.ExitCode() != 1 {
			t.Fatalf("git %q: %v", args, err)
		}
		return string(text), cmd.ProcessState.ExitCode()
	}
	t.Chdir(root)
	git("", "init", "-q")
	home, _ := serveWorkspace(t, config.Workspace{LocalPath: root, GitIgnore: true, NoDefaultIgnores: true})
	paths := []string{
		"x.o", "keep.o", "build", "build/", "build/x", "sub/build", "sub/build/", "top", "a/top", "!odd", "a/b.o", "a/c.o", "a/l.log", "l.log", "none", "a/none",
		"a/x/y/z", "a/z", "a/q\"\t\\", "a/\xc3\xa9/x.o", "a/b\xff/1.x", "./x.o", "a/../x.o", "a//x.o", root + "/x.o", ".", "a", "a/\x01.log",
	}
	lines, records := "", ""
	for _, path := range paths {
		lines += quoteGit(path) + "\n"
		records += path + "\x00"
	}
	for _, options := range []string{"-n", "--stdin -n", "--stdin -z -n"} {
		args, stdin := strings.Fields(options), ""
		switch options {
		case "-n":
			args = append(append(args, "--"), paths...)
		case "--stdin -n":
			stdin = lines
		default:
			stdin = records
		}
		want, _ := git(stdin, append([]string{"check-ignore", "-v", "--no-index"}, args...)...)
		code, got, stderr := wsyncReading(t, home, stdin, append([]string{"ignore", "w", "--check"}, args...)...)
		if code != 0 || stderr != "" || got != want {
			t.Errorf("%s: exit code %d, stderr %q\ngot\n%q\nwant\n%q", options, code, stderr, got, want)
		}
	}
	for _, path := range []string{"none", "x.o"} {
		want, wantCode := git("", "check-ignore", "-v", path)
		if code, got, _ := wsync(t, home, "ignore", "w", "--check", path); got != want || code != wantCode {
			t.Errorf("%s: exit code %d, %q, want %d, %q", path, code, got, wantCode, want)
		}
	}
}

func TestIgnoreCheckInput(t *testing.T) {
	home, _ := serveWorkspace(t, config.Workspace{LocalPath: tree(t, nil), Ignore: []string{"*.o"}})
	for _, test := range []struct {
		stdin, option string
		code          int
		stdout        string
		stderr        string
	}{
		{"", "-n", 1, "", ""},
		{"a.o\nb", "-n", 0, "workspace:1:*.o\ta.o\n::\tb\n", ""},
		{"\"a\\tb.o\"\n", "-n", 0, "workspace:1:*.o\t\"a\\tb.o\"\n", ""},
		{"a.o\n\nb.o\n", "-n", 2, "workspace:1:*.o\ta.o\n", "a path is empty"},
		{"\"a\n", "-n", 2, "", `a path is quoted badly: "a`},
		{"\"q.o\x00", "-z", 0, "workspace\x001\x00*.o\x00\"q.o\x00", ""},
		{"a\nb.o\x00c", "-z", 0, "workspace\x001\x00*.o\x00a\nb.o\x00", ""},
	} {
		code, stdout, stderr := wsyncReading(t, home, test.stdin, "ignore", "w", "--check", "--stdin", test.option)
		if test.stderr != "" {
			test.stderr = "wsync: cannot check what w leaves out: " + test.stderr + "\n"
		}
		if code != test.code || stdout != test.stdout || stderr != test.stderr {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", test.stdin, code, stdout, stderr)
		}
	}
}
