package exclude

import (
	"context"
	"io/fs"
	"os"

	"wsync/config"
	"wsync/monitor/relpath"
)

// Load returns the rules in force in a workspace's tree, all of which it looks through
// until ctx is done.
func Load(ctx context.Context, root string, w config.Workspace) Rules {
	l := NewLive(root, w)
	l.enterAll(ctx, "")
	return l.Rules()
}

// enterAll enters all directories below dir that are not ignored.
func (l *Live) enterAll(ctx context.Context, dir string) {
	entries, _ := os.ReadDir(abs(l.root, dir)) // what cannot be read has no rules
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		if e.IsDir() && l.Opens(relpath.Join(dir, e.Name())) {
			l.enterAll(ctx, relpath.Join(dir, e.Name()))
		}
	}
}

// Opens enters a directory unless it is ignored, and reports whether what is in it is
// to be looked at.
func (l *Live) Opens(dir string) bool {
	if l.Rules().Excludes(dir, true) {
		return false
	}
	l.Enter(dir)
	return len(l.Tags()) == 0 || !l.Rules().Excludes(dir, true)
}

// LoadFor returns the rules in force as far as they concern one path.
func LoadFor(root string, w config.Workspace, path string) Rules {
	l := NewLive(root, w)
	for at := range above(path) {
		if !l.Opens(at) {
			break
		}
	}
	return l.Rules()
}

// Difference is an entry about which two sets of rules say something else.
type Difference struct {
	Path     string
	Dir      bool // it is a directory
	Excluded bool // by the later rules
}

// Differences calls visit with the entries of the workspace about which the rules
// differ, or were others for a moment, the topmost of each, until ctx is done.
func (s Settled) Differences(ctx context.Context, root string, visit func(d Difference)) {
	for i, dir := range s.Dirs {
		below := false
		for _, other := range s.Dirs[:i] { // which are sorted
			below = below || isRoot(other) || relpath.Within(dir, other)
		}
		before, after := s.Before.Excludes(dir, true), s.After.Excludes(dir, true)
		switch {
		case below || before && after:
		case before != after || !after && !isRoot(dir) && s.passed.excluded(dir, true): // because of a tag
			visit(Difference{dir, true, after})
		default:
			s.differencesIn(ctx, root, dir, visit)
		}
	}
}

// differencesIn is Differences for what is in a directory.
func (s Settled) differencesIn(ctx context.Context, root, dir string, visit func(d Difference)) {
	entries, _ := os.ReadDir(abs(root, dir)) // what cannot be read is not sent anyway
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		path := relpath.Join(dir, e.Name())
		before, after := s.Before.Excludes(path, e.IsDir()), s.After.Excludes(path, e.IsDir())
		switch {
		case before != after || !after && s.passed.excluded(path, e.IsDir()):
			visit(Difference{path, e.IsDir(), after})
		case !before && e.Type() == fs.ModeDir:
			s.differencesIn(ctx, root, path, visit)
		}
	}
}
