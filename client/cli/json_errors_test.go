package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestErrorsInJSON: each command that prints JSON fails in JSON, too, in one line, and says
// what it says without.
func TestErrorsInJSON(t *testing.T) {
	home := home(t)
	said := 0
	c := &command{}
	walk(c.commands(), nil, func(path []string, command *cli.Command) {
		if !slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "json") }) {
			return
		}
		said++
		lines := [][]string{append(slices.Clone(path), "--bogus")}
		for _, word := range strings.Fields(command.ArgsUsage) {
			if word[0] != '[' {
				path = append(path, "x")
			}
		}
		// Of what has happened, or is known without a daemon, there is no x.
		if path[0] == "doctor" || path[0] == "logs" || path[0] == "version" {
			path = append(path, "x")
		}
		for _, line := range append(lines, path) {
			code, stdout, stderr := wsync(t, home, line...)
			jsonCode, jsonOut, jsonErr := wsync(t, home, append(line, "--json")...)
			var f failure
			if err := json.Unmarshal([]byte(jsonOut), &f); err != nil || strings.Count(jsonOut, "\n") != 1 || jsonErr != "" {
				t.Errorf("%v: %q on stdout, %q on stderr: %v", line, jsonOut, jsonErr, err)
			}
			if code == exitDone || code != jsonCode || f.ExitStatus != code || stdout != "" {
				t.Errorf("%v: ends with %d, with --json with %d and says %d; %q on stdout", line, code, jsonCode, f.ExitStatus, stdout)
			}
			if f.Error == "" || !strings.Contains(stderr, f.Error) || !strings.Contains(stderr, f.Hint) || !strings.Contains(stderr, f.Usage) {
				t.Errorf("%v: %+v with --json, without %q", line, f, stderr)
			}
		}
	})
	if said == 0 {
		t.Error("no command prints JSON")
	}
}

// TestAsksJSON: what asks for JSON is the option, and not what looks like it.
func TestAsksJSON(t *testing.T) {
	for line, want := range map[string]bool{
		"status":                false,
		"status --json":         true,
		"status -json":          true,
		"status --json=true":    true,
		"status --json=false":   false,
		"status --json=x":       true,
		"status --bogus --json": true,
		"status -- --json":      false,
		"log --path --json":     false,
		"log --path=a --json":   true,
		"pause --json":          false,
	} {
		parsed, _ := parse((&command{}).commands(), strings.Fields(line))
		if parsed.json != want {
			t.Errorf("%s: %v", line, parsed.json)
		}
	}
}
