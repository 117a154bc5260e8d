package cli

import (
	"fmt"
	"strconv"
	"strings"

	"wsync/monitor/exclude"
)

// listWidth is where lines of patterns are broken.
const listWidth = 100

// ignoreList prints what a workspace leaves out, in three groups. The built-in rules are in
// no file that somebody could open, and take little room.
func (p *printer) ignoreList(list ignoreList) {
	var b strings.Builder
	var builtIn []string
	var own, files []ignoreRule
	for _, rule := range list.Rules {
		switch rule.Source {
		case exclude.SourceDefault:
			builtIn = append(builtIn, plain(rule.Pattern))
		case exclude.SourceSkipGit, exclude.SourceTagged, exclude.SourceWorkspace:
			own = append(own, rule)
		default:
			files = append(files, rule)
		}
	}
	heading := func(of string, none bool) {
		if none {
			of += " none"
		}
		b.WriteString(of + "\n")
	}
	if list.NoDefaultIgnores {
		b.WriteString("built in: off\n")
	} else {
		heading("built in:", len(builtIn) == 0)
		writeWrapped(&b, builtIn)
	}
	heading("of the workspace:", len(own) == 0)
	writeRules(&b, own)
	if list.GitIgnore {
		heading("in files, .wsyncignore and .gitignore:", len(files) == 0)
	} else {
		heading("in files, .wsyncignore only:", len(files) == 0)
	}
	writeRules(&b, files)
	if len(list.Problems) > 0 {
		b.WriteString("cannot be read, and ignore nothing:\n")
		for _, problem := range list.Problems {
			fmt.Fprintf(&b, "  %s\n", plain(problem.text()))
		}
	}
	p.print(b.String())
}

// text says where the problem is, and what.
func (p ignoreProblem) text() string {
	if p.Line == 0 {
		return p.Source + ": " + p.Reason
	}
	return fmt.Sprintf("%s:%d: %s: %q", p.Source, p.Line, p.Reason, p.Pattern)
}

// writeWrapped writes words on as many lines as they need.
func writeWrapped(b *strings.Builder, words []string) {
	line := ""
	for _, word := range words {
		if line != "" && len(line)+2+len(word) > listWidth {
			b.WriteString(line + "\n")
			line = ""
		}
		line += "  " + word
	}
	if line != "" {
		b.WriteString(line + "\n")
	}
}

// writeRules writes a line for each rule: where it stands, and its pattern.
func writeRules(b *strings.Builder, rules []ignoreRule) {
	width := 0
	for _, rule := range rules {
		width = max(width, len([]rune(rule.place())))
	}
	for _, rule := range rules {
		fmt.Fprintf(b, "  %-*s  %s\n", min(width, 40), rule.place(), rule.what())
	}
}

// place is where a rule stands.
func (r ignoreRule) place() string { return plain(fmt.Sprintf("%s:%d", r.Source, r.Line)) }

// what is what a rule is about.
func (r ignoreRule) what() string {
	if r.Source == exclude.SourceTagged {
		return "directories with " + plain(r.Pattern)
	}
	return plain(r.Pattern)
}

// ignoreVerdict prints what the rules say about a path as `git check-ignore -v` does. nul:
// as it does with -z.
func (p *printer) ignoreVerdict(v ignoreVerdict, nul bool) {
	var source, line, pattern string
	if v.Rule != nil {
		source, line, pattern = v.Rule.Source, fmt.Sprint(v.Rule.Line), v.Rule.Pattern
	}
	if nul {
		p.print(strings.Join([]string{source, line, pattern, v.Path, ""}, "\x00"))
		return
	}
	p.print(quoteGit(source) + ":" + line + ":" + plain(pattern) + "\t" + quoteGit(v.Path) + "\n")
}

// quoteGit quotes a path as git does: in quotes, with escapes, if it has a byte in it
// that is not printable ASCII, a quote or a backslash.
func quoteGit(path string) string {
	const escaped, letters = "\a\b\t\n\v\f\r\"\\", `abtnvfr"\`
	var b strings.Builder
	for _, c := range []byte(path) {
		i := strings.IndexByte(escaped, c)
		switch {
		case i >= 0:
			b.WriteString(`\` + letters[i:i+1])
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() == len(path) {
		return path
	}
	return `"` + b.String() + `"`
}

// unquoteGit takes back what quoteGit does.
func unquoteGit(quoted string) (string, error) {
	path, err := strconv.Unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("a path is quoted badly: %s", quoted)
	}
	return path, nil
}
