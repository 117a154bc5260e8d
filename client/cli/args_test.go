package cli

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		args string
		want string // the arguments for urfave/cli, or "help PATH", or "version"
	}{
		{"", "help "},
		{"--help", "help "},
		{"-h", "help "},
		{"--version", "version"},
		{"-v", "version"},
		{"-V", "version"},
		{"ls -l", "wsync list -l --"},
		{"list a b", "wsync list -- a b"},
		{"status a b", "wsync status -- a b"},
		{"info", "wsync info --"},
		{"pause", "wsync pause --"},
		{"rename a b", "wsync rename -- a b"},
		{"rename a b c", "wsync rename -- a b c"},
		{"list", "wsync list --"},
		{"list -l", "wsync list -l --"},
		{"daemon start", "wsync daemon start --"},
		{"daemon --help", "help daemon"},
		{"daemon status --help", "help daemon status"},
		{"attach --help", "help attach"},
		{"attach a b c -h", "help attach"},
		{"attach a b c --port 22 --user u", "wsync attach --port 22 --user u -- a b c"},
		{"attach --port 22 a --user=u b c", "wsync attach --port 22 --user=u -- a b c"},
		{"attach a b --delete-existing c", "wsync attach --delete-existing -- a b c"},
		{"attach a b -port 22 c", "wsync attach -port 22 -- a b c"},
		{"attach a b --user --help c", "wsync attach --user --help -- a b c"},
		{"attach a b -- -c", "wsync attach -- a b -c"},
		{"add --on-empty allow -- a --help", "wsync add --on-empty allow -- a --help"},
		{"add a -", "wsync add -- a -"},
		{"logs -f -n 5 a", "wsync logs -f -n 5 -- a"},
		{"wait", "wsync wait --"},
		{"wait a b --timeout 5s", "wsync wait --timeout 5s -- a b"},
		{"help daemon start", "wsync help -- daemon start"},
		{"ignore a", "wsync ignore -- a"},
		{"ignore a *.o --remove /b/c !d", "wsync ignore --remove -- a *.o /b/c !d"},
		{"ignore a --gitignore on --check -n -- -b", "wsync ignore --gitignore on --check -n -- a -b"},
		{"__monitor a", "wsync __monitor -- a"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			line, err := parse((&command{}).commands(), strings.Fields(test.args))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(line.arguments(), " ")
			switch {
			case line.version:
				got = "version"
			case line.help || line.command == nil:
				got = "help " + strings.Join(line.path, " ")
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const add, attach = "wsync add NAME PATH [--on-empty halt|allow] [--skip-git] [--gitignore] [--ignore PATTERN] [--no-default-ignores] [--ignore-tagged FILE]", "wsync attach NAME REMOTE DEST [--port N] [--user USER] [--identity-file FILE] [--password-file FILE] [--delay-updates] [--trash DURATION] [--skip-unsupported] [--set KEY=VALUE] [--delete-existing] [--overwrite-existing] [--offline] [--dry-run]"
	const ignore = "wsync ignore NAME [PATTERN...] [--remove] [--gitignore on|off] [--skip-git on|off] [--default-ignores on|off] [--ignore-tagged FILE] [--check] [--non-matching] [--stdin] [--null] [--json]"
	tests := []struct {
		args string
		want usageError
	}{
		{"stauts", usageError{`unknown command "stauts"`, "", "did you mean wsync status?"}},
		{"xyzzy", usageError{`unknown command "xyzzy"`, "", "wsync --help lists the commands"}},
		{"rename a", usageError{"cannot run wsync rename: NEW is missing", "wsync rename NAME [REMOTE] NEW", ""}},
		{"rename", usageError{"cannot run wsync rename: NAME is missing", "wsync rename NAME [REMOTE] NEW", ""}},
		{"rename a b c d", usageError{`cannot run wsync rename: unexpected argument "d"`, "wsync rename NAME [REMOTE] NEW", ""}},
		{"rename a .b", usageError{`cannot run wsync rename: the name ".b" begins with ".": expected a letter, a digit or "_"`, "wsync rename NAME [REMOTE] NEW", ""}},
		{"rm", usageError{`unknown command "rm"`, "", "wsync remove NAME forgets a workspace, wsync detach NAME REMOTE one of its remotes"}},
		{"sync", usageError{`unknown command "sync"`, "", "wsync resync compares all now, wsync wait returns when all changes are mirrored"}},
		{"stop", usageError{`unknown command "stop"`, "", "wsync daemon stop stops the daemon, wsync pause stops mirroring for a while"}},
		{"daemon rm", usageError{`unknown command "daemon rm"`, "", "wsync daemon --help lists the commands"}},
		{"-x", usageError{"unknown option -x", "", "options follow the command"}},
		{"list -v", usageError{"unknown option -v", "wsync list [NAME [REMOTE]] [--long] [--json]", "did you mean -l?"}},
		{"__moniter", usageError{`unknown command "__moniter"`, "", "wsync --help lists the commands"}},
		{"daemon strat", usageError{`unknown command "daemon strat"`, "", "did you mean wsync daemon start?"}},
		{"daemon xyzzy", usageError{`unknown command "daemon xyzzy"`, "", "wsync daemon --help lists the commands"}},
		{"daemon", usageError{"which command of daemon?", "wsync daemon start|stop|restart|reload|status|run", ""}},
		{"--json list", usageError{"unknown option --json", "", "options follow the command"}},
		{"add", usageError{"cannot run wsync add: NAME is missing", add, ""}},
		{"add a", usageError{"cannot run wsync add: PATH is missing", add, ""}},
		{"add a /b c", usageError{`cannot run wsync add: unexpected argument "c"`, add, ""}},
		{"add a /b --on-empty", usageError{"cannot run wsync add: --on-empty needs a value", add, ""}},
		{"add a /b --no-empty x", usageError{"unknown option --no-empty", add, "did you mean --on-empty?"}},
		{"add a/b /c", usageError{`cannot run wsync add: the name "a/b" is not allowed: expected only letters (a-z), digits, ".", "_" or "-"`, add, ""}},
		{"attach a .b c", usageError{`cannot run wsync attach: the name ".b" begins with ".": expected a letter, a digit or "_"`, attach, ""}},
		{"attach a b c --prot=1", usageError{"unknown option --prot", attach, "did you mean --port?"}},
		{"list x y z", usageError{`cannot run wsync list: unexpected argument "z"`, "wsync list [NAME [REMOTE]] [--long] [--json]", ""}},
		{"info a/b", usageError{`cannot run wsync info: the name "a/b" is not allowed: expected only letters (a-z), digits, ".", "_" or "-"`, "wsync info [NAME [REMOTE]] [--json]", ""}},
		{"ignore", usageError{"cannot run wsync ignore: NAME is missing", ignore, ""}},
		{"ignore a/b c", usageError{`cannot run wsync ignore: the name "a/b" is not allowed: expected only letters (a-z), digits, ".", "_" or "-"`, ignore, ""}},
		{"ignore a --chekc b", usageError{"unknown option --chekc", ignore, "did you mean --check?"}},
		{"daemon stop now", usageError{`cannot run wsync daemon stop: unexpected argument "now"`, "wsync daemon stop", ""}},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			_, err := parse((&command{}).commands(), strings.Fields(test.args))
			var got *usageError
			if !errors.As(err, &got) || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %#v,\nwant %#v", err, test.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"add", "remove", "resume", "restart", "resync", "status", "wait"}
	for word, want := range map[string]string{
		"ad": "add", "rm": "", "remov": "remove", "remvoe": "remove", "rsync": "resync", "reusme": "resume",
		"stat": "status", "states": "status", "wiat": "wait", "x": "", "": "", "delete": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) is %q, want %q", word, got, want)
		}
	}
}
