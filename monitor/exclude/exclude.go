// Package exclude says what of a workspace is not mirrored. All that look at a
// tree ask it: the watcher, its sink, listings, plans, full passes, guards and
// searches. What it says is decided by names alone, as gitignore(5) has it, and never
// by a second interpretation: rsync gets names that were decided here.
//
// Rules are what is in force at a moment, Live is how they change.
package exclude

import (
	"fmt"
	"strings"

	"wsync/config"
	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/watch"
)

// The names of the files in a tree that have rules.
const (
	FileName    = ".wsyncignore"
	GitFileName = ".gitignore" // if the workspace has GitIgnore
)

// The sources of rules that are in no file of the tree.
const (
	SourceDefault   = "default"
	SourceSkipGit   = "--skip-git"
	SourceTagged    = "--ignore-tagged"
	SourceWorkspace = "workspace"
	SourceGit       = ".git/info/exclude"
)

// Rules say what is neither sent nor deleted. They are a value, and never change. The
// zero value excludes nothing.
type Rules struct {
	own Own
	now *ruleSet // nil for none
	// before is what is to be replaced when the new text of a file is known to be all
	// of it, nil for nothing: until then what it ignores is ignored, too.
	before *ruleSet
}

// At returns the rules for a remote of the workspace: what is wsync's own there is
// not mirrored from here.
func (r Rules) At(remote config.Remote) Rules {
	r.own = OwnOf(remote)
	return r
}

// Excludes reports whether a path of the workspace, relative to its root and
// slash-separated, is excluded, or lies in a directory that is. dir says that it is a
// directory, which a link to one is not.
func (r Rules) Excludes(path string, dir bool) bool {
	return r.own.Excludes(path) || r.now.check(path, dir).Ignored || r.before != nil && r.before.check(path, dir).Ignored
}

// Stays reports whether an entry of a destination is excluded, and is not deleted there.
func (r Rules) Stays(path string, dir bool) bool {
	return r.own.Stays(path) || r.now.check(path, dir).Ignored || r.before != nil && r.before.check(path, dir).Ignored
}

// Check returns the verdict of the rules about a path, and by which of them.
func (r Rules) Check(path string, dir bool) gitignore.Verdict {
	v := r.now.check(path, dir)
	if v.Ignored || r.before == nil {
		return v
	}
	if before := r.before.check(path, dir); before.Ignored {
		return before
	}
	return v
}

// check returns the verdict about a path. What no rule decides about is decided by the
// tags.
func (s *ruleSet) check(path string, dir bool) gitignore.Verdict {
	if s == nil || path == "" {
		return gitignore.Verdict{}
	}
	v := s.tree.Check(path, dir)
	if len(s.tagged) == 0 {
		return v
	}
	for at := range above(path) {
		if v.Ignored && len(at) >= len(v.Entry) {
			break
		}
		if rule := s.tagged[at]; rule != nil && (at != path || dir) && s.tree.CheckEntry(at, true).Rule == nil {
			return gitignore.Verdict{Ignored: true, Rule: rule, Entry: at}
		}
	}
	return v
}

// above calls yield with each directory that leads to path, beginning at the top, and
// with path itself.
func above(path string) func(yield func(at string) bool) {
	return func(yield func(at string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i]) {
				return
			}
		}
		yield(path)
	}
}

// Depends reports whether what is said of a path depends on whether it is a directory.
func (r Rules) Depends(path string) bool { return r.Excludes(path, true) != r.Excludes(path, false) }

// Any reports whether there may be anything that is excluded, but for wsync's own.
func (r Rules) Any() bool { return r.now.any() || r.before.any() }

func (s *ruleSet) any() bool {
	if s == nil {
		return false
	}
	if len(s.tagged) > 0 {
		return true
	}
	for _, f := range s.tree.Above() {
		if len(f.Rules()) > 0 {
			return true
		}
	}
	for range s.tree.All {
		return true
	}
	return false
}

// Alike reports whether a directory can be renamed, where nothing is known of what is in
// it: what is excluded below the one name is by the other. It may report false where it
// is so.
func (r Rules) Alike(from, to string) bool { return r.now.alike(from, to) && r.before.alike(from, to) }

func (s *ruleSet) alike(from, to string) bool {
	if s == nil {
		return true
	}
	return s.tree.Alike(from, to) // tags go with the directories
}

// Change returns what is left of a change when what is excluded is not mirrored;
// change is 0 if nothing is. An entry that comes or goes also changes the times of
// its directory, which are mirrored if it is. Where a change does not tell whether it
// is one of a directory, it is kept if it may be mirrored.
func (r Rules) Change(path string, change watch.Change) (string, watch.Change) {
	excluded := r.Excludes(path, change&watch.Tree != 0)
	return left(path, change, excluded, func(dir string) bool { return r.Excludes(dir, true) })
}

// List returns the rules, but for wsync's own, in the order in which they are read: of
// two that match, the later decides.
func (r Rules) List() (all []*gitignore.Rule) {
	r.files(func(f *gitignore.File) {
		rules := f.Rules()
		for i := range rules {
			all = append(all, &rules[i])
		}
	})
	return all
}

// Problems returns what is wrong with the files.
func (r Rules) Problems() (all []gitignore.Problem) {
	r.files(func(f *gitignore.File) { all = append(all, f.Problems()...) })
	return all
}

func (r Rules) files(visit func(f *gitignore.File)) {
	if r.now == nil {
		return
	}
	for _, f := range r.now.tree.Above() {
		visit(f)
	}
	for dir, files := range r.now.tree.All {
		if r.now.check(dir, true).Ignored {
			continue // it was read before it was, or because it may hold a tag
		}
		for _, f := range files {
			visit(f)
		}
	}
}

// CleanPattern returns a pattern of a workspace as it is kept, without what counts for
// nothing, such as spaces at its end. It refuses one that can match nothing.
func CleanPattern(pattern string) (string, error) {
	if err := config.ValidateIgnore(pattern); err != nil {
		return "", err
	}
	f := gitignore.Parse("", []byte(pattern))
	reason := "it is empty"
	switch {
	case len(f.Rules()) > 0:
		return f.Rules()[0].Pattern, nil
	case len(f.Problems()) > 0:
		reason = f.Problems()[0].Reason
	case strings.HasPrefix(pattern, "#"):
		reason = `a line that begins with # is a comment; \# stands for the sign`
	}
	return "", fmt.Errorf("the pattern %q can match nothing: %s", pattern, reason)
}

// isRoot reports whether a path is the root, about which there are no rules.
func isRoot(path string) bool { return path == "" }
