package gitignore

import "strings"

// Alike reports whether a directory can be renamed without a word about what is below
// it: the same of it is ignored by both names. It may report false where that is so, and
// asks neither about the two directories themselves nor about those above. The rule
// files in the directory are taken to go with it.
func (t *Tree) Alike(from, to string) bool {
	for _, f := range t.above {
		if f.reaches(from) || f.reaches(to) {
			return false
		}
	}
	return t.root.alike(from, to)
}

// alike is Tree.Alike for paths below n, as far as the rule files of n and below tell.
func (n *node) alike(from, to string) bool {
	if n == nil {
		return true
	}
	for _, f := range n.files {
		if f.reaches(from) || f.reaches(to) {
			return false
		}
	}
	name, rest, deep := strings.Cut(from, "/")
	other, otherRest, otherDeep := strings.Cut(to, "/")
	if name == other && deep && otherDeep {
		return n.child(name).alike(rest, otherRest)
	}
	return (!deep || n.child(name).silent(rest)) && (!otherDeep || n.child(other).silent(otherRest))
}

// silent reports whether no rule file of n, or on the way from there to the directory
// that path is in, has a rule.
func (n *node) silent(path string) bool {
	for n != nil {
		for _, f := range n.files {
			if len(f.rules) > 0 {
				return false
			}
		}
		name, rest, deep := strings.Cut(path, "/")
		if !deep {
			return true
		}
		n, path = n.child(name), rest
	}
	return true
}

// reaches reports whether a pattern for paths may match something below a directory.
// Those for names match the same in all.
func (f *File) reaches(dir string) bool {
	for i := range f.patterns {
		p := &f.patterns[i]
		if p.kind < pathIs {
			continue
		}
		text, dir := strings.TrimSuffix(p.text, "/")+"/", dir+"/"
		if text == "/" || strings.HasPrefix(text, dir) || p.kind == pathMatches && strings.HasPrefix(dir, text) {
			return true
		}
	}
	return false
}
