package gitignore

import (
	"slices"
	"strings"
	"testing"
)

// patternTests say feature by feature what a line matches. Paths that end with a slash
// are directories.
var patternTests = []struct {
	line string
	in   string // separated by |
	out  string
}{
	{"foo", "foo|foo/|a/foo|a/b/foo/", "Foo|foobar|barfoo|a/foo.b"},
	{"/foo", "foo|foo/", "a/foo|a/foo/"},
	{"foo/", "foo/|a/foo/", "foo|a/foo"},
	{"/foo/", "foo/", "foo|a/foo/"},
	{"a/foo", "a/foo|a/foo/", "foo|b/a/foo|a/foo/b|A/foo"},
	{"/a/foo", "a/foo", "b/a/foo"},
	{"a/foo/", "a/foo/", "a/foo|b/a/foo/"},
	// Stars.
	{"*", "a|.a|a/b|a/", ""},
	{"*.o", ".o|a.o|a/b.o|a.o/", "a.ox|a.O|o"},
	{"a*", "a|ab|b/ab", "ba"},
	{"a*b*c", "abc|axbxc|abbcc|a/abc", "ab|acb|abcd|xabc"},
	{"*a*b*", "ab|xaxbx", "ba|a"},
	{"a**b", "ab|axxb|x/ab", "a/b"},
	{"a***", "a|ab", "ba"},
	{"/*", "a|.a|b/", "a/b"},
	{"/a*b", "ab|axb", "a/b|x/ab"},
	{"a/*", "a/b|a/c/", "a|a/b/c|b/a/b"},
	{"a/*/b", "a/x/b", "a/b|a/x/y/b"},
	{"a/*.o", "a/.o|a/b.o", "a/b/c.o|b.o"},
	{"*/b", "a/b|x/b/", "b|a/x/b"},
	// Any number of directories.
	{"**", "a|a/b|a/", ""},
	{"/**", "a|a/b|a/", ""},
	{"**/", "a/|a/b/", "a|a/b"},
	{"**/foo", "foo|a/foo|a/b/foo/", "xfoo|a/xfoo"},
	{"**/foo/bar", "foo/bar|a/foo/bar|a/b/foo/bar", "bar|a/bar|foo/a/bar"},
	{"**/*.o", "a.o|a/b.o", "a.ox"},
	{"a/**", "a/b|a/b/c|a/b/", "a|a/|b/a/b|ab/c"},
	{"a/**/", "a/b/|a/b/c/", "a/|a/b|a/b/c"},
	{"a/**/b", "a/b|a/x/b|a/x/y/b", "ab|a/xb|x/a/b|a/b/c"},
	{"a/**/b/**/c", "a/b/c|a/x/b/y/c|a/b/b/c/c", "a/c|a/c/b"},
	{"**/a/**/b", "a/b|x/a/y/b|a/a/b/b", "b|a/x"},
	{"**/**/a", "a|b/a|b/c/a", "ab"},
	{"**/**", "a|a/b", ""},
	{"a/***/b", "a/b|a/x/b|a/x/y/b", "ab"},
	{"a/**b", "a/b|a/xb", "a/x/b"},
	{"a**/b", "a/b|ax/b", "a/x/b|ab"},
	{"a/b**", "a/b|a/bc", "a/b/c|a/bc/d"},
	{`a/**\/b`, "a/x/b|a/x/y/b", "a/b"},
	// Single characters. They are bytes.
	{"a?c", "abc|a?c|x/a-c", "ac|abbc"},
	{"a/?", "a/b", "a/|a/bc"},
	{"a?b/c", "axb/c", "a/b/c"},
	{"?", "a|\xff", "é|ab"},
	{"??", "é|ab", "a"},
	{"é", "é", "e|\xc3"},
	{"\xff*", "\xff|\xffa", "ÿ"},
	// Classes.
	{"[ab]", "a|b|x/a", "c|ab|A"},
	{"[a-c]x", "ax|bx|cx", "dx|-x|Bx"},
	{"[!a]", "b|!|\xff", "a|bb"},
	{"[^a]", "b|^|\xff", "a"},
	{"[a!]", "a|!", "b"},
	{"[]a]", "]|a", "b|[]a]"},
	{"[!]a]", "b|!", "]|a"},
	{"[]-a]", "]|^|_|a", "b|-"},
	{"[a-]", "a|-", "b"},
	{"[-a]", "a|-", "b"},
	{"[--/]a", "-a|.a", "/a|xa"}, // a pattern for paths, as there is a slash
	{"[a-c-e]", "a|b|c|-|e", "d"},
	{`[\]]`, "]", `\`},
	{`[\a-\c]`, "a|b|c", `\|d|-`},
	{`[\\]`, `\`, "a"},
	{"[[a]", "[|a", "b"},
	{"[[:]", "[|:", "a"},
	{"[a-[:digit:]]", ":]|d]", "[|a|0]|[]"}, // the range is that up to [, and the class with the first ]
	{"[a/]b", "ab", "/b|x/ab"},
	{"a[/]b", "", "a/b|ab"},
	{"[*?]", "*|?", "a"},
	{"[\x01-\xff]", "a|\xff", "ab"},
	{"*.py[cod]", "a.pyc|x/a.pyo|.pyd", "a.py|a.pyx"},
	{"[._]*.s[a-v][a-z]", "._.sup|_b.sau|x/.c.suo", "a.sup|.a.su1|.a.swp"},
	{"[[:alpha:]]", "a|Z", "1|é|_"},
	{"[[:digit:]_]", "0|_", "a"},
	{"[![:space:]]", "a|\v", " |\t|\n|\r"},
	{"[[:upper:][:digit:]]", "A|1", "a"},
	{"[[:alpha:]-z]", "a|-|z", "1"},
	// Quoting.
	{`\#a`, "#a", `\#a|a`},
	{`\!a`, "!a", `\!a|a`},
	{"!a", "a", "!a"}, // it is negated
	{"!!a", "!a", "a"},
	{"!#a", "#a", "a"},
	{" #a", " #a", "#a"},
	{`\*`, "*", `a|\*`},
	{`a\?`, "a?", "ab"},
	{`\[a]`, "[a]", "a"},
	{`\a\b`, "ab", `\a\b`},
	{`a\\`, `a\`, "a"},
	{`a\/b`, "a/b", "x/a/b|b"},
	{`/a\ b/*`, "a b/c", "a b"},
	{"a\\ ", "a ", "a|a  "},
	// Spaces at the end.
	{"a  ", "a", "a |a  "},
	{"a\\   ", "a ", "a|a  "},
	{`a\\ `, `a\`, "a |a"},
	{`a\\\ `, `a\ `, "a |a"},
	{"a\t", "a\t", "a"},
	{" a", " a", "a"},
	{"a b", "a b", "a|b"},
	{"a/ ", "a/", "a"},
	// Ends of lines.
	{"a\r", "a", "a\r"},
	{"a \r", "a", "a |a\r"},
	{"a\r\r", "a\r", "a"},
	{"a\r ", "a\r", "a"},
	{"a\x00b", "a", "ab"},
	{"a \x00b", "a", "a "},
}

func TestPatterns(t *testing.T) {
	for _, test := range patternTests {
		f := Parse("f", []byte(test.line))
		for path := range strings.SplitSeq(test.in, "|") {
			if name, dir := strings.CutSuffix(path, "/"); name != "" && f.Match(name, dir) == nil {
				t.Errorf("%q does not match %q", test.line, path)
			}
		}
		for path := range strings.SplitSeq(test.out, "|") {
			if name, dir := strings.CutSuffix(path, "/"); f.Match(name, dir) != nil {
				t.Errorf("%q matches %q", test.line, path)
			}
		}
	}
}

// What can match nothing is told with its line, and the other lines count.
func TestProblems(t *testing.T) {
	for line, want := range map[string]string{
		"":              "",
		"  ":            "",
		"# [":           "",
		"#":             "",
		"a":             "",
		"!":             noPattern,
		"/":             noPattern,
		"!/":            noPattern,
		"//":            emptyName,
		"//a":           emptyName,
		"a//b":          emptyName,
		"a//":           emptyName,
		"a/**//":        emptyName,
		`a\//`:          lastBackslash + "?",
		`/\/a`:          emptyName,
		`a\`:            lastBackslash,
		`a\/`:           lastBackslash,
		"./a":           dots,
		"a/../b":        dots,
		"..":            dots,
		".*":            "",
		"[a":            unclosedClass,
		"[]":            unclosedClass,
		"[!]":           unclosedClass,
		`[\]`:           unclosedClass,
		`[\`:            unclosedClass,
		`[a-\`:          unclosedClass,
		"[[:alpha:":     unclosedClass,
		"[[:a":          unclosedClass,
		"[[:alfa:]]":    unknownClass,
		"[[:ALPHA:]]":   unknownClass,
		"[[::]]":        unknownClass,
		"[b-a]":         "", // b
		"a[/]b":         emptyClass,
		"[^\x01-\xff]":  emptyClass,
		"a\x00b":        nulReason,
		"\x00b":         nulReason,
		"a/b[/**/c/*[!": unclosedClass,
	} {
		if strings.HasSuffix(want, "?") {
			want = emptyName // the slash before the last one is quoted, and ends an empty name
		}
		f := Parse("f", []byte("x\n"+line+"\ny"))
		var got string
		for _, problem := range f.Problems() {
			got += problem.Reason
			if problem.Line != 2 || problem.Source != "f" || problem.String() == "" {
				t.Errorf("%q: %v", line, problem)
			}
		}
		if got != want {
			t.Errorf("%q: %q, expected %q", line, got, want)
		}
		if f.Match("x", false) == nil || f.Match("y", false) == nil {
			t.Errorf("%q: the lines around do not count", line)
		}
	}
}

func TestParse(t *testing.T) {
	f := Parse("d/.gitignore", []byte("\xef\xbb\xbf# no rule\r\n\r\n*.o  \r\n!/a/\n[\n\nlast\\ "))
	var got []string
	for _, rule := range f.Rules() {
		got = append(got, rule.String())
	}
	want := []string{"d/.gitignore:3:*.o", "d/.gitignore:4:!/a/", `d/.gitignore:7:last\ `}
	if !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
	if rule := f.Match("a", true); rule == nil || !rule.Negated || rule.Line != 4 {
		t.Errorf("%v", rule)
	}
	if f := Parse("", nil); f.Match("a", false) != nil || f.Match("", true) != nil || len(f.Problems()) > 0 {
		t.Error("an empty file matches something")
	}
	large := make([]byte, MaxSize+1)
	copy(large, "a\n")
	f = Parse("large", large)
	if f.Match("a", false) != nil || len(f.Problems()) != 1 || f.Problems()[0].String() != "large: "+tooLarge {
		t.Errorf("too large a file: %v", f.Problems())
	}
	// The last line that matches counts, in whatever list it is.
	f = Parse("", []byte("*.o\n!a*\nb.o\n!*o\na.o\n![ab].o\n*\n!a.[o]"))
	for path, line := range map[string]int{"a.o": 8, "b.o": 7, "c": 7} {
		if rule := f.Match(path, false); rule == nil || rule.Line != line {
			t.Errorf("%s: %v, expected line %d", path, rule, line)
		}
	}
}

// As many stars as there may be, a name is looked through once for each at most. With
// one that tries all places for each star, this would not end.
func TestManyStars(t *testing.T) {
	name := strings.Repeat("a", 4000)
	for _, line := range []string{
		strings.Repeat("*a", 1000) + "*b",
		strings.Repeat("*[a]", 1000) + "*b",
		"/" + strings.Repeat("*a", 1000) + "*b",
		strings.Repeat("**a", 1000) + "b*",
	} {
		if Parse("", []byte(line)).Match(name, false) != nil {
			t.Errorf("%.20s... matches", line)
		}
	}
	path := strings.Repeat("a/", 1000) + "a"
	for _, line := range []string{
		strings.Repeat("**/a/", 400) + "b",
		strings.Repeat("**/*/", 400) + "b",
		strings.Repeat("**/a*a*/", 400) + "b",
		strings.Repeat(`**\/`, 400) + "b",
	} {
		if Parse("", []byte(line)).Match(path, false) != nil {
			t.Errorf("%.20s... matches", line)
		}
	}
	// Nor does a long line take long to read.
	for _, part := range []string{"a", "*", "?", "[a]", "[", "[[:", "**/", "a/", `\`, "[a-"} {
		Parse("", []byte(strings.Repeat(part, 200_000)))
		Parse("", []byte(strings.Repeat(part, 200_000)+"]"))
		Parse("", []byte(strings.Repeat(part+"\n", 20_000)))
	}
}
