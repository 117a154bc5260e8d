package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Help returns the help of the command that path names, as `wsync PATH --help`
// prints it; without a path that of wsync itself. It is "" for no command.
func Help(path ...string) string {
	commands := (&command{}).commands()
	line, err := parse(commands, append(path[:len(path):len(path)], "--help"))
	if err != nil {
		return ""
	}
	return helpText(commands, line.path)
}

// Commands returns the words of every command that the help shows, in its
// order: "daemon", "daemon start" and so on.
func Commands() []string {
	var names []string
	walk((&command{}).commands(), nil, func(path []string, command *cli.Command) {
		if !command.Hidden {
			names = append(names, strings.Join(path, " "))
		}
	})
	return names
}

// helpText is the only layout of help there is:
//
//	usage: wsync COMMAND ARGUMENT [options]
//
//	One sentence.
//
//	Options:
//	  --option VALUE  what it does
func helpText(commands []*cli.Command, path []string) string {
	var command *cli.Command
	for _, word := range path {
		command = find(commands, word)
		commands = command.Subcommands
	}
	var b strings.Builder
	if command == nil {
		b.WriteString("usage: wsync COMMAND [ARGUMENTS] [options]\n\n")
		b.WriteString("Mirrors local directories to other places as they change, one way.\n")
		writeSections(&b, commands)
		b.WriteString("\nEvery command explains itself: wsync COMMAND --help\n" + topicsSentence() + "\n")
		return b.String()
	}
	fmt.Fprintf(&b, "usage: %s\n\n%s\n", usageLine(path, command), strings.TrimSpace(command.Description))
	var rows [][2]string
	for _, sub := range commands {
		rows = append(rows, [2]string{synopsis(sub), sub.Usage})
	}
	writeRows(&b, "Commands", rows)
	rows = nil
	for _, flag := range visible(command.Flags) {
		value, usage := optionUsage(flag)
		rows = append(rows, [2]string{strings.TrimSpace(optionNames(flag) + " " + value), usage})
	}
	writeRows(&b, "Options", rows)
	return b.String()
}

// writeSections writes the commands by their sections, which stand in the
// order of their first commands. A group shows its subcommands instead.
func writeSections(b *strings.Builder, commands []*cli.Command) {
	var sections []string
	rows := make(map[string][][2]string)
	for _, command := range commands {
		if command.Hidden {
			continue
		}
		section := command.Category
		if rows[section] == nil {
			sections = append(sections, section)
		}
		if len(command.Subcommands) == 0 {
			rows[section] = append(rows[section], [2]string{synopsis(command), command.Usage})
		}
		for _, sub := range command.Subcommands {
			rows[section] = append(rows[section], [2]string{command.Name + " " + synopsis(sub), sub.Usage})
		}
	}
	for _, section := range sections {
		writeRows(b, section, rows[section])
	}
}

// writeRows writes a heading and two columns. The first has the same width
// under all headings.
func writeRows(b *strings.Builder, heading string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", heading)
	for _, row := range rows {
		fmt.Fprintf(b, "  %-27s %s\n", row[0], row[1])
	}
}

// synopsis is a command with its arguments.
func synopsis(command *cli.Command) string {
	return strings.TrimSpace(command.Name + " " + command.ArgsUsage)
}

// usageLine shows a whole command line.
func usageLine(path []string, command *cli.Command) string {
	words := append([]string{"wsync"}, path...)
	switch {
	case len(command.Subcommands) > 0:
		var names []string
		for _, sub := range command.Subcommands {
			names = append(names, sub.Name)
		}
		words = append(words, strings.Join(names, "|"))
	case command.ArgsUsage != "":
		words = append(words, command.ArgsUsage)
	}
	for _, flag := range visible(command.Flags) {
		value, _ := optionUsage(flag)
		words = append(words, "["+strings.TrimSpace(dashed(flag.Names()[0])+" "+value)+"]")
	}
	return strings.Join(words, " ")
}

// visible are the options that are for people.
func visible(flags []cli.Flag) []cli.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(flag cli.Flag) bool {
		shown, ok := flag.(cli.VisibleFlag)
		return ok && !shown.IsVisible()
	})
}

// optionUsage takes the word for an option's value out of the backquotes in
// its usage: "the port `N` of the host".
func optionUsage(flag cli.Flag) (value, usage string) {
	usage = flag.(cli.DocGenerationFlag).GetUsage()
	before, rest, found := strings.Cut(usage, "`")
	if !found {
		return "", usage
	}
	value, after, _ := strings.Cut(rest, "`")
	return value, before + value + after
}

// optionNames are all names of an option, the shortest first.
func optionNames(flag cli.Flag) string {
	var names []string
	for _, name := range flag.Names() {
		if len(name) == 1 {
			names = append([]string{dashed(name)}, names...)
		} else {
			names = append(names, dashed(name))
		}
	}
	return strings.Join(names, ", ")
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
