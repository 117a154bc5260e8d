package cli

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestEveryCommandHasHelp(t *testing.T) {
	walk((&command{}).commands(), nil, func(path []string, command *cli.Command) {
		name := strings.Join(path, " ")
		if command.Usage == "" || strings.HasSuffix(command.Usage, ".") || strings.ToUpper(command.Usage[:1]) == command.Usage[:1] {
			t.Errorf("%s: usage %q: want a few words, no capital, no period", name, command.Usage)
		}
		if first := command.Description; first == "" || strings.ToUpper(first[:1]) != first[:1] {
			t.Errorf("%s: description %q: want a sentence", name, first)
		}
		if len(path) == 1 && !command.Hidden && command.Category == "" {
			t.Errorf("%s: no section", name)
		}
		if command.Action == nil && len(command.Subcommands) == 0 {
			t.Errorf("%s: does nothing", name)
		}
		for _, flag := range command.Flags {
			documented := flag.(cli.DocGenerationFlag)
			value, usage := optionUsage(flag)
			if usage == "" || documented.TakesValue() != (value != "") {
				t.Errorf("%s --%s: usage %q: want words, with a word in backquotes if and only if it takes a value", name, flag.Names()[0], documented.GetUsage())
			}
		}
		for _, line := range strings.Split(Help(path...), "\n") {
			if len(line) > 120 && !strings.HasPrefix(line, "usage: ") {
				t.Errorf("%s: the help has a line of %d characters: %s", name, len(line), line)
			}
		}
	})
}

func TestHelp(t *testing.T) {
	const want = `usage: wsync logs [NAME] [--follow] [--lines LINES] [--since TIME] [--grep PATTERN] [--level LEVEL] [--daemon] [--json]

Prints the end of all logs, by time; with NAME that of the workspace's, and of what the daemon has to say about it. No
daemon is needed for it. It is what the programs have to say, what changed its state and what was deleted or repaired
among it; all that was sent and deleted is in ` + "`wsync log`" + `. The log of a workspace that was removed is kept for 30 days.

Options:
  -f, --follow                go on with what is logged from now on
  -n, --lines LINES           begin with the last LINES (default 50, with --since all)
  --since TIME                begin at TIME: 2d, tuesday, 2026-01-31 or '2026-01-31 14:30'
  --grep PATTERN              print only lines that match PATTERN, a regular expression ((?i) for any case)
  --level LEVEL               print only what is as severe as LEVEL: debug, info, warn, error
  --daemon                    print the daemon's log alone
  --json                      print the lines as they are, in JSON
`
	home := home(t)
	for _, args := range [][]string{{"logs", "--help"}, {"logs", "-n", "3", "-h"}, {"help", "logs"}} {
		if code, stdout, stderr := wsync(t, home, args...); code != 0 || stdout != want || stderr != "" {
			t.Errorf("%v: exit code %d, stderr %q, stdout:\n%s\nwant:\n%s", args, code, stderr, stdout, want)
		}
	}
	if got := Help("logs"); got != want {
		t.Errorf("Help: %s", got)
	}
	if got := Help("nothing"); got != "" {
		t.Errorf("Help of no command: %s", got)
	}
}

func TestHelpOfAll(t *testing.T) {
	home := home(t)
	code, stdout, _ := wsync(t, home, "--help")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, name := range Commands() {
		if name != "daemon" && !strings.Contains(stdout, "\n  "+name) {
			t.Errorf("%s is missing in:\n%s", name, stdout)
		}
	}
	if strings.Contains(stdout, "__monitor") {
		t.Errorf("__monitor is not hidden in:\n%s", stdout)
	}
	for _, args := range [][]string{{}, {"help"}, {"-h"}} {
		if code, got, _ := wsync(t, home, args...); code != 0 || got != stdout {
			t.Errorf("wsync %v: exit code %d, and not the help:\n%s", args, code, got)
		}
	}
}
