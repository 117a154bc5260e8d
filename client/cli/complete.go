package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// completion is what may stand where a command line ends: words, or names of files, or
// either. The shell leaves out what does not begin like the word that is there.
type completion struct {
	files       pathKind
	suggestions []suggestion
}

// pathKind says which paths a shell is to suggest.
type pathKind string

const (
	noPaths        pathKind = ""
	anyPath        pathKind = "files"
	directoryPaths pathKind = "directories"
	// namedPaths: the words are paths, which need not be relative to where the shell is. One
	// that ends with a slash goes on.
	namedPaths pathKind = "words"
)

// suggestion is a word, and in a few words what it means. One that ends with "=" goes on.
type suggestion struct{ word, meaning string }

// completer completes command lines.
type completer struct {
	commands []*cli.Command
	// workspaces asks for the workspaces, none if they are not known.
	workspaces func() []config.Workspace
}

// complete completes the last of words, the words of a command line after "wsync".
func (c completer) complete(words []string) completion {
	before, current := words[:len(words)-1], words[len(words)-1]
	commands := c.commands
	var command *cli.Command
	for len(commands) > 0 && len(before) > 0 {
		if command = find(commands, before[0]); command == nil {
			return completion{}
		}
		commands, before = command.Subcommands, before[1:]
	}
	if len(commands) > 0 {
		return ofCommands(commands, command == nil, current)
	}
	line := argumentsOf(command, before)
	name, value, hasValue := strings.Cut(current, "=")
	switch {
	case line.pending != nil:
		return c.ofValue(line, line.pending, "", current)
	case line.ended || !strings.HasPrefix(current, "-"):
		return c.ofArgument(line, current)
	case hasValue:
		option := findOption(command, strings.TrimLeft(name, "-"))
		if option == nil {
			return completion{}
		}
		return c.ofValue(line, option, name+"=", value)
	}
	return ofOptions(line)
}

// ofCommands are the commands that may follow, or at the beginning also options.
func ofCommands(commands []*cli.Command, first bool, current string) (all completion) {
	if strings.HasPrefix(current, "-") {
		all.add("--help", "explain it")
		if first {
			all.add("--version", "print the version")
		}
		return all
	}
	for _, command := range commands {
		if !command.Hidden {
			all.add(command.Name, command.Usage)
		}
	}
	return all
}

func (all *completion) add(word, meaning string) {
	all.suggestions = append(all.suggestions, suggestion{word, meaning})
}

// arguments is what follows a command, as far as it has been typed.
type arguments struct {
	command     *cli.Command
	positionals []string
	given       []string              // names of options
	pending     cli.DocGenerationFlag // an option whose value is to follow, or nil
	ended       bool                  // there was a "--"
}

// argumentsOf sorts words as commandLine.sort does, but takes what is wrong.
func argumentsOf(command *cli.Command, words []string) arguments {
	line := arguments{command: command}
	for _, word := range words {
		switch {
		case line.pending != nil:
			line.pending = nil
		case line.ended || len(word) < 2 || word[0] != '-':
			line.positionals = append(line.positionals, word)
		case word == "--":
			line.ended = true
		default:
			name, _, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
			option := findOption(command, name)
			if option == nil {
				continue
			}
			line.given = append(line.given, option.Names()[0])
			if option.TakesValue() && !hasValue {
				line.pending = option
			}
		}
	}
	return line
}

// ofOptions are the options that were not given yet, or may be given again.
func ofOptions(line arguments) (all completion) {
	for _, flag := range visible(line.command.Flags) {
		_, repeatable := flag.(*cli.StringSliceFlag)
		if name := flag.Names()[0]; repeatable || !slices.Contains(line.given, name) {
			_, usage := optionUsage(flag)
			all.add(dashed(name), usage)
		}
	}
	all.add("--help", "explain it")
	return all
}

// ofValue are values of an option, behind a prefix that is part of the word.
func (c completer) ofValue(line arguments, option cli.DocGenerationFlag, prefix, current string) (all completion) {
	kind, _ := optionUsage(option.(cli.Flag))
	switch {
	case line.command.Name == "log" && kind == "PATH" && len(line.positionals) > 0:
		return c.ofName(line.positionals[0], prefix, current)
	case strings.Contains(kind, "|"):
		for _, choice := range strings.Split(kind, "|") {
			all.add(prefix+choice, "")
		}
	case kind == "FILE" || kind == "PATH":
		all.files = anyPath
	case kind == "LEVEL":
		for _, level := range logLevels {
			all.add(prefix+level, "")
		}
	case kind == "KEY=VALUE":
		all = ofAssignment(config.Remote{}.Options(), current)
		for i := range all.suggestions {
			all.suggestions[i].word = prefix + all.suggestions[i].word
		}
	}
	return all
}

// newNames are the arguments of commands that are names which nothing has yet.
var newNames = map[string]string{"add": "NAME", "attach": "REMOTE"}

// ofArgument are the words that may stand where the next argument is expected.
func (c completer) ofArgument(line arguments, current string) (all completion) {
	usage, repeated := strings.CutSuffix(line.command.ArgsUsage, "...]")
	expected := strings.FieldsFunc(usage, func(r rune) bool { return r == ' ' || r == '[' || r == ']' })
	n := len(line.positionals)
	switch {
	case n < len(expected):
	case repeated:
		n = len(expected) - 1
	default:
		return all
	}
	kind := expected[n]
	if newNames[line.command.Name] == kind {
		return all
	}
	switch kind {
	case "NAME":
		for _, w := range c.workspaces() {
			all.add(w.Name, w.LocalPath)
		}
	case "REMOTE":
		if repeated { // it may be left out: see wsync set
			all = c.assignments(line, current)
		}
		if !strings.Contains(current, "=") {
			all.suggestions = slices.Concat(c.remotes(line.positionals[0]).suggestions, all.suggestions)
		}
	case "K=V":
		all = c.assignments(line, current)
	case "DEST":
		all.files = directoryPaths
	case "PATH":
		if line.command.Name == "add" {
			return completion{files: directoryPaths}
		}
		all = c.ofPath(line.positionals[0], current)
	case "PATTERN":
		all = c.patterns(line, current)
	case "COMMAND":
		all = ofCommands(c.commands, false, "")
		for _, name := range topicNames() {
			all.add(name, "a topic")
		}
	case "SUBCOMMAND":
		all = subcommands(c.commands, line.positionals[0])
	default:
		for _, choice := range strings.Split(kind, "|") {
			if choice == strings.ToLower(choice) {
				all.add(choice, "")
			}
		}
	}
	return all
}

// subcommands are those of a command, or parts of a topic.
func subcommands(commands []*cli.Command, name string) (all completion) {
	if command := find(commands, name); command != nil && len(command.Subcommands) > 0 {
		return ofCommands(command.Subcommands, false, "")
	}
	text, _ := topic(name)
	_, parts, _ := topicParts(text)
	for _, part := range parts {
		all.add(part, "")
	}
	return all
}

// workspace returns the workspace of that name, an empty one if there is none.
func (c completer) workspace(name string) (found config.Workspace) {
	for _, w := range c.workspaces() {
		if w.Name == name {
			found = w
		}
	}
	return found
}

func (c completer) remotes(workspace string) (all completion) {
	for _, r := range c.workspace(workspace).Remotes {
		all.add(r.Name, r.Destination())
	}
	return all
}

// patterns are those that can be taken away with --remove, or else paths, which are patterns
// or are to be checked.
func (c completer) patterns(line arguments, current string) (all completion) {
	switch {
	case slices.Contains(line.given, "check"):
		return c.ofPath(line.positionals[0], current)
	case !slices.Contains(line.given, "remove"):
		return c.ofPattern(line.positionals[0], current)
	}
	for _, pattern := range c.workspace(line.positionals[0]).Ignore {
		if !slices.Contains(line.positionals[1:], pattern) {
			all.add(pattern, "")
		}
	}
	return all
}

// assignments are those of wsync set: of a remote if one is named, or else of the workspace.
func (c completer) assignments(line arguments, current string) completion {
	if len(line.positionals) > 1 && !strings.Contains(line.positionals[1], "=") {
		if current, ok := strings.CutPrefix(current, destinationKey+"="); ok && current != "" {
			return completion{files: directoryPaths}
		}
		all := ofAssignment(config.Remote{}.Options(), current)
		if !strings.Contains(current, "=") {
			all.add(destinationKey+"=", "where it is, if that is elsewhere now")
		}
		return all
	}
	if strings.HasPrefix(current, pathKey+"=") {
		return completion{files: directoryPaths}
	}
	all := ofAssignment(config.Workspace{}.Options(), current)
	if !strings.Contains(current, "=") {
		all.add(pathKey+"=", "its directory, if that has moved")
	}
	return all
}

// ofAssignment are the keys of options, or once one is there its values.
func ofAssignment(options []config.Option, current string) (all completion) {
	key, _, hasKey := strings.Cut(current, "=")
	for _, o := range options {
		switch {
		case !hasKey:
			all.add(o.Name+"=", o.Meaning)
		case o.Name == key:
			for _, choice := range choices(o.Expected) {
				all.add(key+"="+choice, "")
			}
		}
	}
	return all
}

// choices are the words with which it begins what a value must be: "auto, on or off", or "off,
// or a duration".
func choices(expected string) (words []string) {
	expected = strings.ReplaceAll(expected, ", or ", ", ")
	for _, part := range strings.Split(strings.ReplaceAll(expected, " or ", ", "), ", ") {
		if strings.Trim(part, "abcdefghijklmnopqrstuvwxyz-") != "" {
			break
		}
		words = append(words, part)
	}
	return words
}

// shellScripts are the names of the shells for which there is a script.
func shellScripts() []string { return slices.Sorted(maps.Keys(scriptOf)) }

// lines are how a completion is told to the script of a shell: which paths, and a line for
// each word, with its meaning behind a tab.
func (all completion) lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", all.files)
	for _, s := range all.suggestions {
		fmt.Fprintf(&b, "%s\t%s\n", oneLine(plain(s.word)), oneLine(plain(s.meaning)))
	}
	return b.String()
}
