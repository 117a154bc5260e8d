package exclude

import (
	"maps"
	"slices"

	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/relpath"
)

// ruleSet are rules as they were read.
type ruleSet struct {
	tree *gitignore.Tree
	// tagged are the directories that hold a tag, with the rule that says so.
	tagged map[string]*gitignore.Rule
}

// with returns the set with what a directory says.
func (s ruleSet) with(dir string, d found) ruleSet {
	files := d.files
	if len(files) > 0 || s.tree.Files(dir) != nil {
		s.tree = s.tree.With(dir, files...)
	}
	if s.tagged[dir] != d.tag {
		s.tagged = maps.Clone(s.tagged)
		if d.tag == nil {
			delete(s.tagged, dir)
		} else {
			if s.tagged == nil {
				s.tagged = make(map[string]*gitignore.Rule)
			}
			s.tagged[dir] = d.tag
		}
	}
	return s
}

// take returns the set with what another one has for a directory.
func (s ruleSet) take(dir string, other ruleSet) ruleSet {
	if dir == SourceGit {
		s.tree = s.tree.WithAbove(other.tree.Above()...)
		return s
	}
	return s.with(dir, found{files: other.tree.Files(dir), tag: other.tagged[dir]})
}

// withoutProblems returns the set without what is wrong with the files of a directory.
func (s ruleSet) withoutProblems(dir string) ruleSet {
	files := slices.Clone(s.tree.Files(dir))
	for i, f := range files {
		files[i] = f.WithoutProblems()
	}
	if len(files) > 0 {
		s.tree = s.tree.With(dir, files...)
	}
	return s
}

// keeps reports whether all that an earlier set ignores because of a directory, the set
// does, too.
func (s ruleSet) keeps(earlier ruleSet, dir string) bool {
	if dir == SourceGit {
		return keepsAll(earlier.tree.Above(), s.tree.Above())
	}
	return earlier.tagged[dir] == s.tagged[dir] && keepsAll(earlier.tree.Files(dir), s.tree.Files(dir))
}

// keepsAll reports whether each of the earlier files is kept by one in its place.
func keepsAll(earlier, files []*gitignore.File) bool {
	for _, f := range files {
		i := slices.IndexFunc(earlier, func(e *gitignore.File) bool { return e.Source() == f.Source() })
		before := new(gitignore.File)
		if i >= 0 {
			before = earlier[i]
		}
		if !f.Keeps(before) {
			return false
		}
	}
	return !slices.ContainsFunc(earlier, func(e *gitignore.File) bool {
		return len(e.Rules()) > 0 && !slices.ContainsFunc(files, func(f *gitignore.File) bool { return f.Source() == e.Source() })
	})
}

// has reports whether the set has anything of a directory.
func (s ruleSet) has(dir string) bool { return s.tagged[dir] != nil || s.tree.Files(dir) != nil }

// moved returns the set after a rename.
func (s ruleSet) moved(from, to string) ruleSet {
	tree := s.tree.Without(to) // and from says what it said, until there is a directory again
	s.tree.Below(from, func(dir string, files []*gitignore.File) bool {
		at := to + dir[len(from):]
		moved := make([]*gitignore.File, len(files))
		for i, f := range files {
			moved[i] = f.At(relpath.Join(at, f.Name()))
		}
		tree = tree.With(at, moved...)
		return true
	})
	s.tree = tree
	if len(s.tagged) == 0 {
		return s
	}
	tagged := make(map[string]*gitignore.Rule, len(s.tagged))
	for dir, rule := range s.tagged {
		if relpath.Within(dir, from) {
			tagged[to+dir[len(from):]] = rule
		}
		if !relpath.Within(dir, to) {
			tagged[dir] = rule
		}
	}
	s.tagged = tagged
	return s
}

// lacks reports whether a later set has not all the files, and the tag, that the set has
// of a directory.
func (s ruleSet) lacks(dir string, later ruleSet) bool {
	if s.tagged[dir] != nil && later.tagged[dir] == nil {
		return true
	}
	return slices.ContainsFunc(s.tree.Files(dir), func(f *gitignore.File) bool {
		return !slices.ContainsFunc(later.tree.Files(dir), func(l *gitignore.File) bool { return l.Source() == f.Source() })
	})
}
