package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wsync/client/cli"
)

var update = flag.Bool("update", false, "rewrite the usage blocks of README.md instead of comparing them")

// usageBlock matches a fenced block that begins with a command line which asks
// for help, in three parts: fence and command line, output, fence.
var usageBlock = regexp.MustCompile("(?ms)^(```[a-z]*\n\\$ (wsync(?: [^\n]*)? --help)\n)(.*?)(^```$)")

// jsonSentence matches the list of the commands that print JSON.
var jsonSentence = regexp.MustCompile("[^.]* take `--json`")

// TestReadme holds README.md to what wsync says of itself, and keeps it short. With -update it
// writes that into the file.
func TestReadme(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(content)
	if !strings.Contains(readme, "\n$ wsync --help\n") {
		t.Errorf("README.md does not list the commands: it has no block that begins with `$ wsync --help`")
	}
	updated := usageBlock.ReplaceAllStringFunc(readme, func(block string) string {
		parts := usageBlock.FindStringSubmatch(block)
		head, command, got, tail := parts[1], parts[2], parts[3], parts[4]
		want := help(t, strings.Fields(command)[1:]...)
		if got != want && !*update {
			t.Errorf("README.md: the block `$ %s` is not what the command prints; `go test -run TestReadme -update .` corrects it.\n--- README.md\n%s--- wsync\n%s",
				command, got, want)
		}
		return head + want + tail
	})
	if *update && updated != readme {
		if err := os.WriteFile("README.md", []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const enough = 200 // what is longer is not read to its end
	if lines := strings.Count(updated, "\n"); lines >= enough {
		t.Errorf("README.md has %d lines, expected fewer than %d", lines, enough)
	}
	for _, command := range cli.Commands() {
		takesJSON := strings.Contains(cli.Help(strings.Fields(command)...), "--json ")
		if listed := strings.Contains(jsonSentence.FindString(updated), "`"+command+"`"); listed != takesJSON {
			t.Errorf("README.md says of `wsync %s` that it takes --json: %v, expected %v", command, listed, takesJSON)
		}
	}
}

// help returns what a command prints when it is asked for help, in an empty
// home directory.
func help(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("wsync", args...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(t.TempDir(), "home"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("wsync %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}
