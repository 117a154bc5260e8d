package gitignore

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	oracleQueries = flag.Int("gitignore.queries", 10_000, "TestOracle: how many paths to ask git about")
	oracleSeed    = flag.Int64("gitignore.seed", -1, "TestOracle: the seed to begin with, as printed by a failure; -1 for another one each time")
)

// Whatever the rules and the tree are, git gives the same verdict, by the same rule.
func TestOracle(t *testing.T) {
	o := newOracle(t)
	old := o.starsAfterName(t)
	queries := *oracleQueries
	if testing.Short() {
		queries = min(queries, 1000)
	}
	seed := *oracleSeed
	if seed < 0 {
		seed = time.Now().UnixNano() % 1_000_000_000
	}
	root := t.TempDir()
	var sum tally
	for ; sum.queries < queries && !t.Failed(); seed++ {
		dir := filepath.Join(root, strconv.FormatInt(seed, 10))
		check(t, os.Mkdir(dir, 0o777))
		w := newRandom(seed, old).world()
		w.build(t, o, dir)
		w.compare(t, o, dir, &sum)
		if t.Failed() {
			t.Errorf("-gitignore.seed=%d; core.excludesFile %q, info/exclude %q, .gitignore:", seed, w.excludesFile, w.exclude)
			for dir, text := range w.rules {
				t.Errorf("%q: %q", dir, text)
			}
		}
		check(t, os.RemoveAll(dir))
	}
	t.Logf("up to seed %d: %+v", seed, sum)
	// If nothing matches, or all, the test has lost its object.
	if !t.Failed() && queries >= 10_000 && (sum.own < sum.queries/20 || sum.above < sum.queries/20 || sum.negated < sum.queries/20 || sum.own+sum.above+sum.negated > sum.queries*9/10) {
		t.Error("too few of a kind to show anything")
	}
}

// random makes a world.
type random struct {
	*rand.Rand
	old bool // see oracle.starsAfterName
	w   *world
}

func newRandom(seed int64, old bool) *random {
	return &random{Rand: rand.New(rand.NewPCG(uint64(seed), 0)), old: old, w: &world{rules: make(map[string]string)}}
}

// chance is true in one of n cases.
func (r *random) chance(n int) bool { return r.IntN(n) == 0 }

func pick[T any](r *random, from []T) T { return from[r.IntN(len(from))] }

// atoms are what names are made of: few, so that patterns hit, and odd.
var atoms = []string{"a", "a", "a", "b", "b", "ab", "foo", ".", ".o", "c", "B", "-", " ", "  ", `\`, "[", "]", "!", "#", "*", "?", "^", ":", "~", "é", "\xff", "\xc3", "\t", "\r", "\n", "\"", "\x01", "1"}

func (r *random) name() string {
	for {
		n, most := 1+r.IntN(3), len(atoms)
		if !r.chance(3) {
			most = 8 // mostly plain
		}
		var name strings.Builder
		for range n {
			name.WriteString(atoms[r.IntN(most)])
		}
		switch s := name.String(); s {
		case ".", "..":
		default:
			return s
		}
	}
}

// world makes a tree, and rules for it.
func (r *random) world() *world {
	taken := make(map[string]bool)
	dirs := []string{""}
	for range 100 + r.IntN(500) {
		parent := pick(r, dirs)
		path := strings.TrimPrefix(parent+"/"+r.name(), "/")
		if taken[path] || strings.Count(path, "/") > 5 {
			continue
		}
		taken[path] = true
		e := entry{path: path, kind: '-'} // which is a file for git, and costs no time
		switch n := r.IntN(40); {
		case n < 7:
			e.kind, e.dir = 'd', true
			dirs = append(dirs, path)
		case n == 7:
			e.kind = 'l'
		case n < 10:
			e.kind = 'f'
		}
		r.w.entries = append(r.w.entries, e)
	}
	for _, dir := range dirs {
		if dir == "" || r.chance(3) {
			r.w.rules[dir] = r.text(dir, 12)
		}
	}
	if r.chance(2) {
		r.w.exclude = r.text("", 5)
	}
	if r.chance(3) {
		r.w.excludesFile = r.text("", 5)
	}
	return r.w
}

// text makes the text of a rule file for a directory.
func (r *random) text(dir string, most int) string {
	var text strings.Builder
	if r.chance(10) {
		text.WriteString("\xef\xbb\xbf")
	}
	end := "\n"
	if r.chance(4) {
		end = "\r\n"
	}
	for n := r.IntN(most) + 1; n > 0; n-- {
		line := r.line(dir)
		if n == 1 && r.chance(2) {
			line = "!*/" // so that not all is below an ignored directory
		}
		for r.old && afterName(line) {
			line = r.line(dir)
		}
		text.WriteString(line)
		switch {
		case n == 1 && r.chance(3):
		case r.chance(20):
			text.WriteString("\r\n")
		default:
			text.WriteString(end)
		}
	}
	return text.String()
}

// line makes a line of it.
func (r *random) line(dir string) string {
	var line string
	switch n := r.IntN(30); {
	case n == 0:
		return pick(r, []string{"", "# a", "#", "  ", "\r", "!", "/", "!/", "//", `\`, " # a", "\x00a", "a\x00b", "\t", "/*/", "!*", "!*/", "*/", "!**", "**/", "!.gitignore", "!#a"})
	case n < 8:
		line = r.tokens()
	default:
		line = r.derived(dir)
	}
	if r.chance(2) {
		line = "!" + line
	}
	switch r.IntN(24) {
	case 0:
		line += " "
	case 1:
		line += "  "
	case 2:
		line += `\ `
	case 3:
		line += `\  `
	case 4:
		line += pick(r, []string{"\t", `\\ `, `\`, "\r", "//", "\x00x", " \t "})
	}
	return line
}

// tokens are what a pattern can be made of.
var tokens = []string{"a", "a", "b", "ab", ".o", "/", "/", "*", "*", "**", "**/", "/**", "/**/", "***", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "[[:alpha:]]", "[[:upper:]a]", "[^[:space:]]",
	"[", "]", "[]a]", "[]-a]", "[!]]", "[a", "[[:x:]]", "[[:alpha]", "[:alpha:]", "[[a]", "[a-", "[a-]", "[-a]", "[--a]", `[\]]`, `[\a-\c]`, `[a-\`, `[\`, "[c-a]", "[a/b]", "[/]", "[[:]", "[[::]]", "[[:alpha:]-z]", "[a-[:alpha:]]", "[a-c-e]", "[\x01-\xff]",
	`\`, `\\`, `\*`, `\/`, `\a`, `\ `, " ", "!", "#", "-", "é", "\xff", "\xc3", "foo", "B", "\r", ":", "^", "."}

// tokens makes a pattern of tokens alone.
func (r *random) tokens() string {
	var line strings.Builder
	for range 1 + r.IntN(5) {
		line.WriteString(pick(r, tokens))
	}
	return line.String()
}

// derived makes a pattern of a path below a directory, so that it probably hits it, or
// just misses.
func (r *random) derived(dir string) string {
	path := ""
	for range 20 {
		rest, ok := strings.CutPrefix(pick(r, r.w.entries).path, dir)
		if ok && (dir == "" || strings.HasPrefix(rest, "/")) {
			path = strings.TrimPrefix(rest, "/")
			break
		}
	}
	if path == "" {
		path = r.name()
	}
	names := strings.Split(path, "/")
	switch r.IntN(4) {
	case 0: // the name
		names = names[len(names)-1:]
	case 1: // a directory above
		names = names[:1+r.IntN(len(names))]
	case 2: // a part without its beginning
		names = names[r.IntN(len(names)):]
	}
	parts := make([]string, len(names))
	for i, name := range names {
		switch r.IntN(8) {
		case 0:
			parts[i] = pick(r, []string{"*", "**", "?", "***", "**"})
		case 1, 2, 3:
			parts[i] = r.blur(name)
		default:
			parts[i] = quote(name, r)
		}
	}
	if len(parts) > 1 && r.chance(6) { // any number of names in place of some
		i := r.IntN(len(parts))
		j := i + r.IntN(len(parts)-i)
		parts = append(append(parts[:i:i], "**"), parts[j:]...)
	}
	line := strings.Join(parts, "/")
	switch r.IntN(12) {
	case 0, 1:
		line = "/" + line
	case 2:
		line = "**/" + line
	case 3:
		line += "/**"
	case 4:
		line += "/*"
	case 5, 6:
		line += "/"
	}
	return line
}

// quote quotes what has a meaning in patterns, mostly.
func quote(name string, r *random) string {
	var quoted strings.Builder
	for i := range len(name) {
		if strings.IndexByte(`\*?[!# `, name[i]) >= 0 && !r.chance(8) || r.chance(40) {
			quoted.WriteByte('\\')
		}
		quoted.WriteByte(name[i])
	}
	return quoted.String()
}

// blur makes a pattern that a name, and others, match.
func (r *random) blur(name string) string {
	var line strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i : i+1]
		switch r.IntN(8) {
		case 0:
			line.WriteByte('?')
		case 1:
			line.WriteByte('*')
			i += r.IntN(3) - 1 // before it, or in place of some
			if i < 0 || i >= len(name) {
				return line.String()
			}
		case 2:
			line.WriteString("[" + pick(r, []string{"", "", "!", "^", "x", "]"}) + pick(r, []string{c, `\` + c, "x" + c, c + "-" + c, "a-z", "[:alnum:]", "[:punct:]", "\x01-\xfe"}) + "]")
		default:
			line.WriteString(quote(c, r))
		}
	}
	return line.String()
}
