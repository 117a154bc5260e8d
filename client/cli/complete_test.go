package cli

import (
	"os/exec"
	"strings"
	"testing"

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
	c := completer{(&command{}).commands(), func() []config.Workspace {
		return []config.Workspace{{Name: "docs", LocalPath: "/docs", Remotes: []config.Remote{remote}, Ignore: []string{"*.o", "a"}}, {Name: "code", LocalPath: "/code"}}
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
		"ignore docs ":                       "[files]",
		"ignore docs --remove ":              "*.o a",
		"ignore docs --remove a ":            "*.o !a",
		"explain docs ":                      "[files]",
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
			if word[0] == '[' {
				paths = pathKind(strings.Trim(word, "[]"))
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
