package cli

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/remotetest"
)

func TestComplete(t *testing.T) {
	remote, err := config.ParseDestination("nas:/backup")
	if err != nil {
		t.Fatal(err)
	}
	remote.Name = "nas"
	root := t.TempDir()
	for _, name := range []string{"a/b/c", "a/.d", "A b", ".git/x"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"to-a": "a", "[x]": "a", "line\nbreak": "a"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	c := completer{(&command{}).commands(), func() []config.Workspace {
		return []config.Workspace{{Name: "docs", LocalPath: root, Remotes: []config.Remote{remote}, Ignore: []string{"*.o", "a"}}, {Name: "code", LocalPath: root + "/gone"}}
	}}
	for line, want := range map[string]string{
		// What is expected to be among the words, and what not, after a "!"; paths in brackets.
		"":                                   "daemon status completion !__monitor !__complete !--help",
		"sta":                                "status",
		"-":                                  "--help --version !status",
		"daemon ":                            "start run !status2 !--help",
		"daemon -":                           "--help !--version",
		"bogus ":                             "!daemon",
		"add ":                               "!docs",
		"add x ":                             "[directories]",
		"add x --on-empty ":                  "halt allow",
		"add x --on-empty=":                  "--on-empty=halt",
		"add x /y z ":                        "!docs",
		"status ":                            "docs code",
		"status docs ":                       "nas",
		"status code ":                       "!nas",
		"status docs nas ":                   "!nas !docs",
		"status --watch -":                   "!--watch --json --help",
		"status -- ":                         "docs",
		"status -- -":                        "docs !--json",
		"ls ":                                "docs",
		"attach docs ":                       "!nas",
		"attach docs new ":                   "[directories]",
		"attach docs new x --port ":          "!docs",
		"attach --port 22 ":                  "docs",
		"attach --port=22 ":                  "docs",
		"attach docs new x --identity-file ": "[files]",
		"attach docs new x --set ":           "delete= trash=",
		"attach docs new x --set=delete=":    "--set=delete=keep",
		"attach docs new x --set a=b -":      "--set",
		"daemon run -":                       "!--background",
		"set docs ":                          "nas on-empty= path= !delete=",
		"set docs on-empty=":                 "on-empty=halt !nas",
		"set docs path=/":                    "[directories]",
		"set docs nas ":                      "delete= destination= !on-empty=",
		"set docs nas delete=":               "delete=mirror delete=keep !trash=",
		"set docs nas trash=1d compress=":    "compress=auto compress=on compress=off",
		"set docs nas trash=":                "trash=off !trash=or",
		"set docs nas destination=/":         "[directories]",
		"ignore docs ":                       "[words] a/ to-a ![x] !.git/",
		"ignore docs !/":                     "[words] !/a/ !a/",
		"ignore docs a/b":                    "[words] a/b/",
		"ignore docs --check ":               "[words] a/ [x]",
		"ignore docs x --check /":            "[files]",
		"ignore docs --remove ":              "*.o a",
		"ignore docs --remove a ":            "*.o !a",
		"explain docs ":                      "[words] a/ to-a !to-a/ [x] !.git/ !line",
		"explain docs .":                     "[words] .git/ !a/",
		"explain docs ./":                    "[words] ./a/ !a/",
		"explain docs a/":                    "[words] a/b/ !a/.d !a/",
		"explain docs a/.":                   "[words] a/.d !a/b/",
		"explain docs a/B":                   "[words] a/b/",
		"explain docs to-a/":                 "[words] !to-a/b/",
		"explain docs a/../../":              "[words]",
		"explain docs /":                     "[files]",
		"explain docs ~/a":                   "[files]",
		"explain docs ../":                   "[files]",
		"explain code ":                      "",
		"explain other ":                     "[files]",
		"log docs --path ":                   "[words] a/",
		"log docs --path=a/":                 "[words] --path=a/b/",
		"log --path ":                        "[files]",
		"service install --executable ":      "[files]",
		"explain docs a ":                    "nas",
		"rename docs ":                       "nas",
		"rename docs nas ":                   "!nas",
		"help ":                              "status guards json !__monitor",
		"help daemon ":                       "start",
		"help json ":                         "transfer",
		"help guards ":                       "!transfer",
		"completion ":                        "bash zsh fish",
		"restart docs ":                      "!nas",
		"logs --level ":                      "debug info warn error",
	} {
		all := c.complete(strings.Split(line, " "))
		var words []string
		for _, s := range all.suggestions {
			words = append(words, s.word)
		}
		found := " " + strings.Join(words, " ") + " "
		paths := noPaths
		for _, word := range strings.Fields(want) {
			if kind := pathKind(strings.Trim(word, "[]")); word[0] == '[' && kind != "x" {
				paths = kind
				continue
			}
			name, unwanted := strings.CutPrefix(word, "!")
			if strings.Contains(found, " "+name+" ") == unwanted {
				t.Errorf("%q: expected %s, found%s", line, word, found)
			}
		}
		if all.files != paths {
			t.Errorf("%q: paths are %q, expected %q", line, all.files, paths)
		}
	}
}

// TestCompletePathsHere: where the current directory leads into the workspace paths are relative to it.
func TestCompletePathsHere(t *testing.T) {
	above := t.TempDir()
	root := filepath.Join(above, "far", "docs")
	if err := os.MkdirAll(filepath.Join(root, "from", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := completer{(&command{}).commands(), func() []config.Workspace { return []config.Workspace{{Name: "docs", LocalPath: root}} }}
	for _, test := range []struct{ at, current, want string }{
		{above, "", "words\nfrom/\t\nfar/\t\n"},
		{above, "fa", "words\nfar/\t\n"},
		{above, "far", "words\nfar/\t\n"},
		{above, "far/", "words\nfar/docs/\t\n"},
		{above, "far/docs/", "files\n"},
		{above, "far/docs/f", "files\n"},
		{above, "from/", "words\nfrom/deep/\t\n"},
		{root, "", "files\n"},
		{root, "from/d", "files\n"},
		{filepath.Join(root, "from"), "", "files\n"},
		{filepath.Join(root, "from"), "../", "files\n"},
	} {
		t.Chdir(test.at)
		if got := c.complete([]string{"explain", "docs", test.current}).lines(); got != test.want {
			t.Errorf("%q in %s: %q, want %q", test.current, test.at, got, test.want)
		}
	}
	// A pattern is one of the workspace wherever one is.
	if got := c.complete([]string{"ignore", "docs", ""}).lines(); got != "words\nfrom/\t\n" {
		t.Errorf("a pattern: %q", got)
	}
}

// TestCompletionIsBounded: a file system that hangs, and a daemon, keep nobody waiting.
func TestCompletionIsBounded(t *testing.T) {
	hangs := make(chan bool)
	defer close(hangs)
	if all := within(time.Millisecond, func() completion { <-hangs; return completion{files: anyPath} }); all.files != noPaths {
		t.Errorf("%+v", all)
	}
	home := home(t)
	serve(t, home, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select { // until the client has left
		case <-r.Context().Done():
		case <-hangs:
		}
	}))
	if code, stdout, stderr := wsync(t, home, "__complete", "--", "explain", "docs", "a"); code != 0 || stdout != "files\n" || stderr != "" {
		t.Errorf("exit code %d, stderr %q, stdout %q", code, stderr, stdout)
	}
}

func TestChoices(t *testing.T) {
	for expected, want := range map[string]string{
		"on or off":                  "on off",
		"auto, on or off":            "auto on off",
		"off, or a duration of 1d":   "off",
		"auto, keep, or FROM:TO,...": "auto keep",
		"an octal number":            "",
	} {
		if got := strings.Join(choices(expected), " "); got != want {
			t.Errorf("%s: %s, expected %s", expected, got, want)
		}
	}
}

// TestCompleteAsks: names are the daemon's, and of what goes wrong nothing is said.
func TestCompleteAsks(t *testing.T) {
	home := home(t)
	complete := func(want string) {
		t.Helper()
		if code, stdout, stderr := wsync(t, home, "__complete", "--", "status", ""); code != 0 || stdout != want || stderr != "" {
			t.Errorf("exit code %d, stderr %q, stdout %q, expected %q", code, stderr, stdout, want)
		}
	}
	complete("\n")
	daemon := &fakeDaemon{answers: map[string]any{"GET /v1/workspaces": []config.Workspace{{Name: "docs", LocalPath: "/a\nb"}}}}
	serve(t, home, daemon)
	complete("\ndocs\t/a b\n")
	daemon.answers["GET /v1/workspaces"] = &api.Error{Kind: api.Unknown, Message: "m"}
	complete("\n")
}

// TestCompletionScripts: the shells take them.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range shellScripts() {
		t.Run(shell, func(t *testing.T) {
			code, stdout, stderr := wsync(t, home(t), "completion", shell)
			if code != 0 || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}
			path, err := exec.LookPath(shell)
			if err != nil {
				remotetest.Skip(t, "there is no "+shell)
			}
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(stdout)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if code, _, stderr := wsync(t, home(t), "completion", "csh"); code != exitUsage || !strings.Contains(stderr, "hint: there is one for bash, fish, zsh\n") {
		t.Errorf("csh: exit code %d, stderr %q", code, stderr)
	}
}
