package cli

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// The manual page is made of the commands, and of texts that are written once: each of
// manText begins with a heading in capitals, and GUARDS is a topic.
//
//go:embed man.txt
var manText string

// manPage is the manual page of these commands, in roff for man(7). date is that of the
// version, and may be zero.
func manPage(commands []*cli.Command, version string, date time.Time) string {
	p := &page{}
	day := ""
	if !date.IsZero() {
		day = date.UTC().Format(time.DateOnly)
	}
	p.macro(".TH", "WSYNC", "1", day, "wsync "+version, "User Commands")
	p.lines(".nh", ".ad l") // a command that is broken up cannot be copied
	p.section("NAME")
	p.lines(`wsync \- mirror local directories to other places as they change, one way`)
	p.section("SYNOPSIS")
	for _, line := range []string{"wsync COMMAND [ARGUMENTS] [options]", "wsync COMMAND --help", "wsync help TOPIC"} {
		p.lines(bold(line), ".br")
	}
	sections := manSections()
	p.section("DESCRIPTION")
	p.text(sections["DESCRIPTION"])
	p.section("COMMANDS")
	p.commands(commands)
	p.section("EXIT STATUS")
	for _, e := range exitMeanings {
		p.tagged(fmt.Sprint(e.code), e.meaning)
	}
	p.section("GUARDS")
	guards, _ := topic("guards")
	p.text(guards)
	p.section("FILES")
	p.text(sections["FILES"])
	p.section("SETTINGS")
	p.text("Keys of ~/.wsync/wsync.config, all of which may be left out:")
	for _, key := range config.SettingKeys() {
		value := key.Expected
		if key.Default != "" {
			value += " (default " + key.Default + ")"
		}
		p.tagged(key.Name, key.Meaning+": "+value)
	}
	for _, name := range []string{"ENVIRONMENT", "EXAMPLES"} {
		p.section(name)
		p.text(sections[name])
	}
	p.section("TOPICS")
	p.text("wsync help TOPIC explains " + strings.Join(topicNames(), ", ") + ".")
	p.section("SEE ALSO")
	p.text(sections["SEE ALSO"])
	return p.String()
}

// manSections are the texts of manText by their headings.
func manSections() map[string]string {
	sections := make(map[string]string)
	heading := regexp.MustCompile(`(?m)^[A-Z][A-Z ]+\n`)
	at := heading.FindAllStringIndex(manText, -1)
	for i, h := range at {
		end := len(manText)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		sections[strings.TrimSpace(manText[h[0]:h[1]])] = manText[h[1]:end]
	}
	return sections
}

// page is a manual page in the making.
type page struct{ strings.Builder }

func (p *page) lines(lines ...string) {
	for _, line := range lines {
		p.WriteString(line + "\n")
	}
}

// macro writes a request with quoted arguments.
func (p *page) macro(name string, args ...string) {
	for _, arg := range args {
		name += ` "` + roff(arg) + `"`
	}
	p.lines(name)
}

func (p *page) section(name string) { p.macro(".SH", name) }

// tagged writes a word or two, and what there is to say of it beside or below.
func (p *page) tagged(tag, text string) {
	p.lines(".TP", bold(tag), sentence(text))
}

// commands writes those that are not hidden, in the sections of the help.
func (p *page) commands(commands []*cli.Command) {
	section := ""
	for _, command := range inSections(commands) {
		if command.Category != section {
			section = command.Category
			p.macro(".SS", section)
		}
		p.command([]string{command.Name}, command)
	}
}

// command writes a command with its options, or those below it.
func (p *page) command(path []string, command *cli.Command) {
	if len(command.Subcommands) > 0 {
		p.lines(".PP", sentence(command.Description))
		for _, sub := range command.Subcommands {
			p.command(append(path[:len(path):len(path)], sub.Name), sub)
		}
		return
	}
	p.lines(".TP", bold(strings.TrimSpace("wsync "+strings.Join(path, " ")+" "+command.ArgsUsage)))
	lines := strings.Split(strings.TrimSpace(command.Description), "\n")
	first := endOf(lines, 0, isProse)
	// What is indented stands under the command, also after a paragraph.
	p.lines(sentence(strings.Join(lines[:first], " ")), ".RS")
	p.text(strings.Join(lines[first:], "\n"))
	for _, flag := range visible(command.Flags) {
		value, usage := optionUsage(flag)
		p.tagged(strings.TrimSpace(optionNames(flag)+" "+value), usage)
	}
	p.lines(".RE")
}

// inSections brings commands into the order of the help: by their sections.
func inSections(commands []*cli.Command) (ordered []*cli.Command) {
	var sections []string
	of := make(map[string][]*cli.Command)
	for _, command := range commands {
		if command.Hidden {
			continue
		}
		if of[command.Category] == nil {
			sections = append(sections, command.Category)
		}
		of[command.Category] = append(of[command.Category], command)
	}
	for _, section := range sections {
		ordered = append(ordered, of[section]...)
	}
	return ordered
}

// row is an indented line of a text: a word or two, and after a gap what they mean.
var row = regexp.MustCompile(`^ {2,}(\S+(?: \S+)*)(?: {2,}(\S.*))?$`)

// text writes a text as help and topics have it: paragraphs, rows of two columns, and lines
// that are to be copied.
func (p *page) text(text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); {
		switch {
		case lines[i] == "":
			i++
		case isProse(lines[i]):
			end := endOf(lines, i, isProse)
			p.lines(".PP", sentence(strings.Join(lines[i:end], " ")))
			i = end
		default:
			end := endOf(lines, i, isRow)
			p.rows(lines[i:end])
			i = end
		}
	}
}

func isProse(line string) bool { return line != "" && line[0] != ' ' }
func isRow(line string) bool   { return line != "" && line[0] == ' ' }

// endOf returns where the lines from i on that are alike end.
func endOf(lines []string, i int, alike func(string) bool) int {
	for i < len(lines) && alike(lines[i]) {
		i++
	}
	return i
}

// rows writes indented lines: in two columns, if any has two, and else as they are.
func (p *page) rows(lines []string) {
	column := 0 // where the second one begins
	for _, line := range lines {
		if m := row.FindStringSubmatchIndex(line); m != nil && m[4] > 0 && column == 0 {
			column = m[4]
		}
	}
	if column == 0 {
		p.lines(".PP", ".RS", ".EX")
		for _, line := range lines {
			p.lines(roff(strings.TrimPrefix(line, "  ")))
		}
		p.lines(".EE", ".RE")
		return
	}
	for _, entry := range entries(lines, column) {
		p.tagged(entry[0], entry[1])
	}
}

// entries puts the rows together whose second column goes over several lines.
func entries(lines []string, column int) (all [][2]string) {
	for _, line := range lines {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if last := len(all) - 1; last >= 0 && indent == column {
			all[last][1] = strings.TrimSpace(all[last][1] + " " + strings.TrimSpace(line))
			continue
		}
		all = append(all, [2]string{m[1], m[2]})
	}
	return all
}

// quoted is what a text has in backquotes.
var quoted = regexp.MustCompile("`([^`]+)`")

// sentence is text that is filled, with what is in backquotes in bold.
func sentence(text string) string {
	var b strings.Builder
	last := 0
	for _, m := range quoted.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(roffEscapes.Replace(text[last:m[0]]) + bold(text[m[2]:m[3]]))
		last = m[1]
	}
	b.WriteString(roffEscapes.Replace(text[last:]))
	return guarded(strings.ReplaceAll(b.String(), "\n", " "))
}

func bold(text string) string { return `\fB` + roffEscapes.Replace(text) + `\fR` }

// roffEscapes are the characters that mean something to roff, or would be shown as others
// that cannot be copied to a command line.
var roffEscapes = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`)

// roff is text as it is.
func roff(text string) string { return guarded(roffEscapes.Replace(text)) }

// guarded is a line that is no request.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}
