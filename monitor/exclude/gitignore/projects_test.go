package gitignore

import (
	"math/rand/v2"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// The rules of projects of many kinds give git's verdicts about names that hit them, or
// just miss.
func TestProjectsByGit(t *testing.T) {
	o := newOracle(t)
	archives, err := filepath.Glob("testdata/projects/*.txtar")
	check(t, err)
	if len(archives) < 30 {
		t.Errorf("there are %d projects", len(archives))
	}
	p := &projects{Rand: rand.New(rand.NewPCG(1, 1)), w: &world{rules: make(map[string]string)}, taken: make(map[string]bool)}
	for i, file := range archives {
		archive, err := txtar.ParseFile(file)
		check(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		p.add(name, archive)
		if i%3 > 0 {
			continue
		}
		for j, f := range archive.Files { // as an editor on Windows leaves it
			archive.Files[j].Data = []byte("\xef\xbb\xbf" + strings.ReplaceAll(string(f.Data), "\n", "\r\n"))
		}
		p.add(name+"-crlf", archive)
	}
	root := t.TempDir()
	p.w.build(t, o, root)
	var sum tally
	p.w.compare(t, o, root, &sum)
	t.Logf("%+v", sum)

	// Each rule must have been met by something, unless a later one always wins.
	tree, met, rules := p.w.tree(o), make(map[*Rule]bool), 0
	for _, e := range p.w.entries {
		met[tree.Check(e.path, e.dir).Rule] = true
	}
	for dir, files := range tree.All {
		for _, f := range files {
			for _, problem := range f.Problems() {
				t.Error(problem)
			}
			for i := range f.Rules() {
				rules++
				if !met[&f.Rules()[i]] {
					t.Logf("%s: nothing meets %s", dir, &f.Rules()[i])
				}
			}
		}
	}
	if delete(met, nil); len(met) < rules*95/100 {
		t.Errorf("only %d of %d rules are met", len(met), rules)
	}
}

// projects make a world of projects, each in a directory of its own.
type projects struct {
	*rand.Rand
	w     *world
	taken map[string]bool // by the path of an entry: it is a directory
}

// add adds a project: its rule files, and names for all of their rules.
func (p *projects) add(name string, archive *txtar.Archive) {
	for _, f := range archive.Files {
		dir := path.Join(name, path.Dir(f.Name))
		p.put(dir, true)
		p.w.rules[dir] = string(f.Data)
	}
	for _, f := range archive.Files {
		dir := path.Join(name, path.Dir(f.Name))
		for line := range strings.Lines(string(f.Data)) {
			line = strings.TrimRight(strings.TrimPrefix(line, "\xef\xbb\xbf"), "\r\n")
			if line == "" || line[0] == '#' {
				continue
			}
			p.meet(dir, line)
		}
	}
}

// meet adds entries that a line meets, and some that it just misses.
func (p *projects) meet(dir, line string) {
	text, isDir := strings.CutSuffix(strings.TrimPrefix(line, "!"), "/")
	sample := strings.Trim(p.sample(text), "/")
	hits := []string{
		sample,
		p.sample(text),
		"sub/" + sample, // not if it is anchored
	}
	for _, hit := range hits {
		full := dir + "/" + strings.Trim(hit, "/")
		if p.put(full, isDir || p.IntN(4) == 0) && p.taken[full] {
			p.put(full+"/child.c", false)
			p.put(full+"/.gitkeep", false)
		}
	}
	misses := []string{
		"deep/er/" + path.Base(sample), // not if it has no slash
		sample + "x",
		"x" + sample,
		sample[:len(sample)-1],
		strings.ToUpper(sample),
		strings.Replace(sample, "/", "/x/", 1),
		"as-file/" + sample, // where the rule may be for directories
	}
	for range 3 {
		p.put(dir+"/"+strings.Trim(misses[p.IntN(len(misses))], "/"), p.IntN(16) == 0)
	}
}

// put adds an entry with the directories above it. It reports whether it is new.
func (p *projects) put(full string, dir bool) bool {
	if _, taken := p.taken[full]; taken {
		return false
	}
	if parent := path.Dir(full); parent != "." {
		if isDir, taken := p.taken[parent]; taken && !isDir || !taken && !p.put(parent, true) {
			return false
		}
	}
	for name := range strings.SplitSeq(full, "/") {
		if name == "" || name == "." || name == ".." || name == ".git" {
			return false
		}
	}
	e := entry{full, dir, '-'}
	if dir {
		e.kind = 'd'
	}
	p.taken[full] = dir
	p.w.entries = append(p.w.entries, e)
	return true
}

// sample returns a path that a pattern matches. It reads it on its own, so that what is
// read wrong is not also sampled wrong.
func (p *projects) sample(text string) string {
	var s strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			i++
			s.WriteByte(text[i])
		case '*':
			some := []string{"x", "some.name", "1"}
			if i+1 < len(text) && text[i+1] == '*' {
				some = []string{"x", "x/y", "x/y/z"}
				i++
			}
			s.WriteString(some[p.IntN(len(some))])
		case '?':
			s.WriteString("q")
		case '[':
			end := i + 2 + strings.IndexByte(text[i+2:], ']')
			class := text[i+1 : end]
			switch {
			case class[0] == '!':
				s.WriteByte('Z')
			case strings.HasSuffix(class[:len(class)-1], "-"): // the last byte of its last range
				s.WriteByte(class[len(class)-1])
			default:
				s.WriteByte(class[0])
			}
			i = end
		default:
			s.WriteByte(c)
		}
	}
	return s.String()
}
