package gitignore

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule is a line of a rule file that can match something.
type Rule struct {
	Source  string // the file, as Parse was told
	Line    int    // the number of the line, beginning with 1
	Pattern string // the line as `git check-ignore -v` prints it: with its ! and its last /, but without trailing spaces
	Negated bool   // what it matches is not ignored
}

// String returns the rule as `git check-ignore -v` prints it, but quotes nothing.
func (r *Rule) String() string { return fmt.Sprintf("%s:%d:%s", r.Source, r.Line, r.Pattern) }

// A Problem is a line of a rule file that says nothing, though somebody must have meant
// something by it: it can match no path, or is cut short by a byte that is 0.
type Problem struct {
	Source  string // as a Rule's
	Line    int    // 0 if the whole file says nothing
	Pattern string
	Reason  string // why, in a few words
}

// String returns the problem as one line: where it is, and what.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Source + ": " + p.Reason
	}
	return fmt.Sprintf("%s:%d: %s: %q", p.Source, p.Line, p.Reason, p.Pattern)
}

// A File is the rules of a file. It is immutable.
type File struct {
	source   string
	text     string // which rules and patterns are parts of
	rules    []Rule
	patterns []pattern // of the rules
	problems []Problem

	// What a pattern matches mostly ends with one byte, or one of a few. Only the
	// patterns for the last byte of a name are candidates: these lists have them, the
	// last line first, as it is what counts.
	open  []candidate   // what matches names that end with any byte
	lists [][]candidate // others
	list  [256]uint8    // by the last byte of a name, its place in lists; lists[0] is empty
}

// A candidate is a pattern in a list, with what rules out most of them at once.
type candidate struct {
	index  int32 // of the rule
	begin  byte  // what it matches begins with that; 0 if that may be anything
	ofPath bool  // begin is about the path, and not the name
	dir    bool  // only directories
}

// maxEnds is how many lists a pattern may be in. It bounds what a File takes.
const maxEnds = 8

// MaxSize is the size in bytes of the largest file that rules are read from. Before
// version 2.46 git had no such limit.
const MaxSize = 100<<20 - 1

// What can be wrong beside patterns.
const (
	nulReason = "the line ends for git at a byte that is 0"
	tooLarge  = "the file is too large, and ignores nothing"
)

const byteOrderMark = "\xef\xbb\xbf"

// Parse reads the text of a rule file. What source is, it only repeats in rules. No
// text is refused: a line that cannot be read is a Problem, and ignores nothing.
func Parse(source string, text []byte) *File {
	f := &File{source: source, text: string(text), lists: make([][]candidate, 1)}
	if len(text) > MaxSize {
		f.problems = []Problem{{Source: source, Reason: tooLarge}}
		return f
	}
	rest := strings.TrimPrefix(f.text, byteOrderMark)
	for number := 1; rest != ""; number++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		f.add(source, number, line)
	}
	f.index()
	return f
}

// add reads a line.
func (f *File) add(source string, number int, line string) {
	if strings.HasPrefix(line, "#") {
		return
	}
	line, after, cut := strings.Cut(strings.TrimSuffix(line, "\r"), "\x00")
	line = trimSpaces(line)
	if cut {
		f.problems = append(f.problems, Problem{source, number, line + "\x00" + after, nulReason})
	}
	if line == "" {
		return
	}
	text, negated := strings.CutPrefix(line, "!")
	p, problem := compile(text)
	if problem != "" {
		f.problems = append(f.problems, Problem{source, number, line, problem})
		return
	}
	f.rules = append(f.rules, Rule{source, number, line, negated})
	f.patterns = append(f.patterns, p)
}

// trimSpaces removes the spaces at the end of a line, except for one that is quoted.
// Other white space is part of the pattern.
func trimSpaces(line string) string {
	trimmed := strings.TrimRight(line, " ")
	if len(trimmed) == len(line) {
		return line
	}
	backslashes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if backslashes%2 == 1 {
		return line[:len(trimmed)+1]
	}
	return trimmed
}

// index makes the lists.
func (f *File) index() {
	for i, p := range slices.Backward(f.patterns) {
		c := candidate{int32(i), p.begin(), p.kind >= pathIs, p.dir}
		ends := p.ends()
		if ends == nil || ends.len() > maxEnds {
			f.open = append(f.open, c)
			continue
		}
		for b := range ends.all {
			if f.list[b] == 0 {
				f.list[b] = uint8(len(f.lists))
				f.lists = append(f.lists, nil)
			}
			f.lists[f.list[b]] = append(f.lists[f.list[b]], c)
		}
	}
}

// Rules returns the rules, in the order of their lines. They must not be changed.
func (f *File) Rules() []Rule { return f.rules }

// Problems returns what is wrong with the file, in the order of its lines. They must not
// be changed.
func (f *File) Problems() []Problem { return f.problems }

// Match returns the rule that decides about an entry, the last that matches it, or nil.
// path is slash-separated, clean, and relative to the directory that the file is for; dir
// says that it is a directory, which a link to one is not. What becomes of what is below
// an ignored directory is not asked here: see Tree.
func (f *File) Match(path string, dir bool) *Rule {
	return f.match(path, path[strings.LastIndexByte(path, '/')+1:], dir)
}

// match is Match; name is the last name of path.
func (f *File) match(path, name string, dir bool) *Rule {
	if name == "" {
		return nil
	}
	open, list := f.open, f.lists[f.list[name[len(name)-1]]]
	for len(open) > 0 || len(list) > 0 {
		var c candidate
		if len(list) == 0 || len(open) > 0 && open[0].index > list[0].index {
			c, open = open[0], open[1:]
		} else {
			c, list = list[0], list[1:]
		}
		begin := name[0]
		if c.ofPath {
			begin = path[0]
		}
		if c.dir && !dir || c.begin != 0 && c.begin != begin {
			continue
		}
		if f.patterns[c.index].matches(path, name) {
			return &f.rules[c.index]
		}
	}
	return nil
}

// At returns the file as if it had been read from another source.
func (f *File) At(source string) *File {
	other := *f
	other.source = source
	other.rules, other.problems = slices.Clone(f.rules), slices.Clone(f.problems)
	for i := range other.rules {
		other.rules[i].Source = source
	}
	for i := range other.problems {
		other.problems[i].Source = source
	}
	return &other
}

// WithoutProblems returns the file as if nothing were wrong with it.
func (f *File) WithoutProblems() *File {
	if len(f.problems) == 0 {
		return f
	}
	other := *f
	other.problems = nil
	return &other
}

// Keeps reports whether all that an earlier file ignores is ignored by this one in its
// place: its rules are the same, in their order, with none between or behind them but
// such as ignore more. It may report false where that is so.
func (f *File) Keeps(earlier *File) bool {
	left := earlier.rules
	for _, r := range f.rules {
		if len(left) > 0 && r.Pattern == left[0].Pattern {
			left = left[1:]
		} else if r.Negated {
			return false
		}
	}
	return len(left) == 0
}

// Unreadable returns a file without rules, whose problem is that it cannot be read.
func Unreadable(source, reason string) *File { return Parse(source, nil).Unreadable(reason) }

// Unreadable returns the file with the only problem that it cannot be read any more.
func (f *File) Unreadable(reason string) *File {
	other := *f
	other.problems = []Problem{{Source: f.source, Reason: reason}}
	return &other
}

// Text returns what Parse has read.
func (f *File) Text() string { return f.text }

// Source returns what Parse was told.
func (f *File) Source() string { return f.source }

// Name returns the last name of the source.
func (f *File) Name() string { return f.source[strings.LastIndexByte(f.source, '/')+1:] }
