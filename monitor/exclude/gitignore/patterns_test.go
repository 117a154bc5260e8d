package gitignore

import (
	"fmt"
	"strings"
	"testing"
)

// What the tables expect is what git does.
func TestPatternsByGit(t *testing.T) {
	o := newOracle(t)
	old := o.starsAfterName(t)
	w := &world{rules: make(map[string]string)}
	for i, test := range patternTests {
		if old && afterName(test.line) {
			continue
		}
		// A name can be one of a file and of a directory here.
		files, dirs := fmt.Sprintf("%d-files", i), fmt.Sprintf("%d-dirs", i)
		w.entries = append(w.entries, entry{files, true, 'd'}, entry{dirs, true, 'd'})
		w.rules[files], w.rules[dirs] = test.line, test.line
		for path := range strings.SplitSeq(test.in+"|"+test.out, "|") {
			if name, dir := strings.CutSuffix(path, "/"); dir {
				w.entries = append(w.entries, entry{dirs + "/" + name, true, 'd'})
			} else if name != "" {
				w.entries = append(w.entries, entry{files + "/" + name, false, '-'})
			}
		}
	}
	w.run(t, o)
}

// Each class has the bytes that it has for git.
func TestClassesByGit(t *testing.T) {
	o := newOracle(t)
	w := &world{rules: make(map[string]string)}
	for i, class := range []string{"[:alnum:]", "[:alpha:]", "[:blank:]", "[:cntrl:]", "[:digit:]", "[:graph:]", "[:lower:]", "[:print:]", "[:punct:]", "[:space:]", "[:upper:]", "[:xdigit:]", "!a", "^[:alpha:]", "+-9", "\x80-\xc0", "a-b-d", "z-a", "]-b", `\!-\?`} {
		dir := fmt.Sprint(i)
		w.entries = append(w.entries, entry{dir, true, 'd'})
		w.rules[dir] = "[" + class + "]\n?/[" + class + "]\n"
		for b := 1; b < 256; b++ {
			if b != '/' && b != '.' {
				w.entries = append(w.entries, entry{dir + "/" + string([]byte{byte(b)}), false, '-'}, entry{dir + "/x/" + string([]byte{byte(b)}), false, '-'})
			}
		}
	}
	w.run(t, o)
}

// run asks git and us about a world that is made for it.
func (w *world) run(t *testing.T, o *oracle) {
	t.Helper()
	root := t.TempDir()
	w.build(t, o, root)
	var sum tally
	w.compare(t, o, root, &sum)
	t.Logf("%+v", sum)
}
