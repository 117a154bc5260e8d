package gitignore

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

// FuzzMatch looks for texts of rule files and paths that bring down Parse and Match, or
// get another verdict than by regular expressions.
func FuzzMatch(f *testing.F) {
	for _, test := range patternTests {
		for name := range strings.SplitSeq(test.in+"|"+test.out, "|") {
			f.Add(test.line, strings.TrimSuffix(name, "/"), strings.HasSuffix(name, "/"))
		}
	}
	f.Add(fifty, "a/node_modules/b", true)
	f.Add("\xef\xbb\xbf[\r\n!a \\ \x00\n", "", true)
	f.Add("*", "//", false)
	f.Add(strings.Repeat("*a", 100), strings.Repeat("a", 200)+"b", false)
	f.Fuzz(func(t *testing.T, text, name string, dir bool) {
		file := Parse("f", []byte(text))
		rule := file.Match(name, dir)
		new(Tree).With("", file).With("a/b", file).Check(name, dir)
		if name == "" || len(name) > 1000 || len(text) > 1000 || path.Clean("/" + name)[1:] != name || strings.Contains(name, "\x00") {
			return
		}
		var want *Rule
		for i := range file.Rules() {
			if matchesByRegexp(file.Rules()[i].Pattern, name, dir) {
				want = &file.Rules()[i]
			}
		}
		if rule != want {
			t.Errorf("%q matches %q, expected %q", rule, name, want)
		}
	})
}

// matchesByRegexp reports whether a pattern that has no problem matches a path.
func matchesByRegexp(line, name string, dir bool) bool {
	line = strings.TrimPrefix(line, "!")
	text, onlyDirs := strings.CutSuffix(line, "/")
	if onlyDirs && !dir {
		return false
	}
	inPath := strings.Contains(text, "/")
	text = strings.TrimPrefix(text, "/")
	if !inPath {
		name = path.Base(name)
	}
	var re strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			i++
			re.WriteString(quoteByte(text[i]))
		case '?':
			re.WriteString("[^/]")
		case '*':
			stars := len(text[i:]) - len(strings.TrimLeft(text[i:], "*"))
			rest := text[i+stars:]
			whole := inPath && stars > 1 && (i == 0 || text[i-1] == '/')
			i += stars - 1
			switch {
			case whole && rest == "":
				re.WriteString(".+")
			case whole && rest[0] == '/':
				re.WriteString("(?:[^/]+/)*")
				i++
			case whole && strings.HasPrefix(rest, `\/`):
				re.WriteString("(?:[^/]+/)+")
				i += 2
			default:
				re.WriteString("[^/]*")
			}
		case '[':
			s, length, _ := readClass(text[i+1:])
			re.WriteString("[")
			for b := range s.all {
				re.WriteString(quoteByte(b))
			}
			re.WriteString("]")
			i += length
		default:
			re.WriteString(quoteByte(c))
		}
	}
	// Each byte is a character for the expression.
	var characters strings.Builder
	for i := range len(name) {
		characters.WriteRune(rune(name[i]))
	}
	return regexp.MustCompile(`(?s)\A(?:` + re.String() + `)\z`).MatchString(characters.String())
}

func quoteByte(b byte) string { return fmt.Sprintf(`\x{%x}`, b) }
