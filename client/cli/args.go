package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// commandLine is the arguments of a run, sorted out before urfave/cli sees
// them: that one takes options behind the first argument for arguments, and
// unknown commands for questions about help.
type commandLine struct {
	path          []string     // the words that name the command
	command       *cli.Command // nil when path is empty
	options       []string     // with their values
	positionals   []string
	help, version bool
	json          bool // --json was given, whatever is wrong with the rest
}

// arguments returns the arguments for urfave/cli: options first.
func (l *commandLine) arguments() []string {
	return slices.Concat([]string{"wsync"}, l.path, l.options, []string{"--"}, l.positionals)
}

// parse sorts args out. All that is wrong with their form is found here, as a
// *usageError, but for the values of options, which are urfave/cli's to read.
func parse(commands []*cli.Command, args []string) (*commandLine, error) {
	line := &commandLine{}
	for len(commands) > 0 && len(args) > 0 {
		word := args[0]
		switch {
		case word == "--help", word == "-h":
			line.help = true
			return line, nil
		case line.command == nil && (word == "--version" || word == "-v" || word == "-V"):
			line.version = true
			return line, nil
		case strings.HasPrefix(word, "-"):
			return nil, &usageError{message: fmt.Sprintf("unknown option %s", word), hint: "options follow the command"}
		}
		command := find(commands, word)
		if command == nil {
			return nil, unknownCommand(commands, line.path, word)
		}
		line.command, line.path = command, append(line.path, command.Name)
		commands, args = command.Subcommands, args[1:]
	}
	if line.command == nil {
		return line, nil // just "wsync"
	}
	if len(commands) > 0 {
		return nil, &usageError{
			message: fmt.Sprintf("which command of %s?", strings.Join(line.path, " ")),
			usage:   usageLine(line.path, line.command),
		}
	}
	line.json = line.asksJSON(args)
	if err := line.sort(args); err != nil || line.help {
		return line, err
	}
	return line, line.check()
}

// find returns the command of that name, or nil.
func find(commands []*cli.Command, name string) *cli.Command {
	i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(name) })
	if i < 0 {
		return nil
	}
	return commands[i]
}

// sort tells the options of the command from its positional arguments. "--"
// ends the options.
func (l *commandLine) sort(args []string) error {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			l.positionals = append(l.positionals, args[i+1:]...)
			return nil
		case len(arg) < 2 || arg[0] != '-':
			l.positionals = append(l.positionals, arg)
			continue
		case arg == "--help", arg == "-h":
			l.help = true
			return nil
		}
		name, _, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		option := findOption(l.command, name)
		if option == nil {
			return l.unknownOption(arg)
		}
		l.options = append(l.options, arg)
		if hasValue || !option.TakesValue() {
			continue
		}
		if i++; i == len(args) {
			return l.usageError("%s needs a value", arg)
		}
		l.options = append(l.options, args[i])
	}
	return nil
}

// asksJSON reports whether the option --json is in args, unless the command has none.
func (l *commandLine) asksJSON(args []string) bool {
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		if !strings.HasPrefix(args[i], "-") {
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(args[i][1:], "-"), "=")
		option := findOption(l.command, name)
		switch {
		case option == nil:
		case name == "json":
			yes, err := strconv.ParseBool(value)
			return !hasValue || yes || err != nil
		case !hasValue && option.TakesValue():
			i++
		}
	}
	return false
}

// check compares the positional arguments with the command's ArgsUsage, which
// is the only place that says how many there are. Words in brackets may be
// left out, and of the last there are any number if it ends with "...".
func (l *commandLine) check() error {
	expected := expectedOf(l.command.ArgsUsage, len(l.positionals))
	required := 0
	for _, word := range expected {
		if word[0] != '[' {
			required++
		}
	}
	repeated := strings.HasSuffix(l.command.ArgsUsage, "...]")
	switch count := len(l.positionals); {
	case count < required:
		return l.usageError("%s is missing", expected[count])
	case count > len(expected) && !repeated:
		return l.usageError("unexpected argument %q", l.positionals[len(expected)])
	}
	for i, argument := range l.positionals[:min(len(l.positionals), len(expected))] {
		word := strings.Trim(expected[i], "[]")
		leftOut := expected[i] == "[REMOTE]" && repeated && strings.Contains(argument, "=") // see wsync set
		if word != "NAME" && word != "REMOTE" && word != "NEW" || leftOut {
			continue
		}
		if err := config.ValidateName(argument); err != nil {
			return l.usageError("%w", err)
		}
	}
	return nil
}

// expectedOf returns the words of an ArgsUsage without those in brackets for which count
// arguments are too few, the last ones first.
func expectedOf(usage string, count int) []string {
	expected := strings.Fields(usage)
	for i := len(expected) - 1; i >= 0 && len(expected) > count; i-- {
		if expected[i][0] == '[' {
			expected = slices.Delete(expected, i, i+1)
		}
	}
	return expected
}

func findOption(command *cli.Command, name string) cli.DocGenerationFlag {
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			return flag.(cli.DocGenerationFlag)
		}
	}
	return nil
}

func (l *commandLine) usageError(format string, a ...any) error {
	return &usageError{
		message: fmt.Errorf("cannot run wsync "+strings.Join(l.path, " ")+": "+format, a...).Error(),
		usage:   usageLine(l.path, l.command),
	}
}

func (l *commandLine) unknownOption(option string) error {
	option, _, _ = strings.Cut(option, "=")
	names := []string{"--help"}
	for _, flag := range l.command.Flags {
		for _, name := range flag.Names() {
			names = append(names, dashed(name))
		}
	}
	err := &usageError{message: "unknown option " + option, usage: usageLine(l.path, l.command)}
	if near := nearest(option, names); near != "" {
		err.hint = "did you mean " + near + "?"
	}
	return err
}

func unknownCommand(commands []*cli.Command, path []string, word string) error {
	var names []string
	for _, command := range commands {
		if !command.Hidden {
			names = append(names, command.Name)
		}
	}
	prefix := strings.Join(append([]string{"wsync"}, path...), " ") + " "
	err := &usageError{message: fmt.Sprintf("unknown command %q", strings.Join(append(path, word), " ")), hint: prefix + "--help lists the commands"}
	if hint := meant[word]; hint != "" && len(path) == 0 {
		err.hint = hint
	} else if near := nearest(word, names); near != "" {
		err.hint = "did you mean " + prefix + near + "?"
	}
	return err
}

// meant are the words of other programs for what a command does. They are no commands:
// most could be more than one, or do harm.
var meant = map[string]string{
	"rm":         forgetting,
	"delete":     forgetting,
	"del":        forgetting,
	"sync":       "wsync resync compares all now, wsync wait returns when all changes are mirrored",
	"flush":      "wsync wait returns when all changes are mirrored",
	"push":       "changes are mirrored as they happen; wsync resync compares all now",
	"mv":         "wsync rename gives a workspace or a remote another name",
	"create":     "wsync add NAME PATH makes a directory a workspace, wsync attach NAME REMOTE DEST mirrors it",
	"init":       "wsync add NAME PATH makes a directory a workspace, wsync attach NAME REMOTE DEST mirrors it",
	"start":      "wsync daemon start starts the daemon, wsync resume goes on after a pause",
	"stop":       "wsync daemon stop stops the daemon, wsync pause stops mirroring for a while",
	"run":        "wsync daemon run is the daemon, in the foreground",
	"unpause":    "wsync resume goes on after a pause",
	"disconnect": "wsync detach NAME REMOTE stops mirroring to a remote",
	"connect":    "wsync attach NAME REMOTE DEST mirrors a workspace to a remote",
	"show":       "wsync info describes workspaces in detail, wsync status says what is going on",
	"ps":         "wsync status says what is going on",
}

const forgetting = "wsync remove NAME forgets a workspace, wsync detach NAME REMOTE one of its remotes"

// badValue matches what the flag package writes of an option's value: `invalid value
// "x" for flag -port: parse error`, and without "flag" for an option that has none.
var badValue = regexp.MustCompile(`(?s)^(.*) for (?:flag )?-([^ ]+): (.*)$`)

// onUsageError takes what urfave/cli finds wrong: the values of options.
func onUsageError(cCtx *cli.Context, err error, _ bool) error {
	line := &commandLine{path: strings.Fields(cCtx.Command.HelpName)[1:], command: cCtx.Command}
	parts := badValue.FindStringSubmatch(err.Error())
	if parts == nil {
		return line.usageError("%w", err)
	}
	what, name, why := parts[1], parts[2], parts[3]
	message := what + " for option " + dashed(name)
	if why != "parse error" {
		message += ": " + why
	}
	return line.usageError("%s", message)
}

// nearest returns the name that word most likely should have been: one that
// it begins, or else one that it differs from in at most a third of its
// letters; "" if there is none.
func nearest(word string, names []string) string {
	for _, name := range names {
		if len(word) > 1 && strings.HasPrefix(name, word) {
			return name
		}
	}
	best, limit := "", max(len(word)/3, 1)+1
	for _, name := range names {
		if d := distance(word, name); d < limit {
			best, limit = name, d
		}
	}
	return best
}

// distance counts the letters to insert, to remove, to replace or to swap with
// their neighbour to get from a to b.
func distance(a, b string) int {
	// rows[i][j] is the distance of a[:i] and b[:j].
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
