package gitignore

import (
	"slices"
	"strings"
)

// A Verdict says whether a path is ignored, and why.
type Verdict struct {
	Ignored bool
	Rule    *Rule  // the rule that has decided; nil if none matches, so that nothing is ignored
	Entry   string // what the rule matches: the path, or the highest directory above it that is ignored
}

// A Tree is rule files, each for the directory that it stands in. It is immutable; With
// and Without return other ones, which share what they have in common. The zero value
// has no rules.
type Tree struct {
	above []*File // for the whole tree, read before those in it, the weakest first
	root  *node
}

// A node is a directory that has rule files in it or below it.
type node struct {
	name     string
	files    []*File // in the order in which they are read
	children []*node // ordered by name
}

// NewTree returns a tree without rule files in its directories. Those above are read
// before any of them, and the later of two wins: patterns of a user's, say, and then
// .git/info/exclude.
func NewTree(above ...*File) *Tree { return &Tree{above: slices.Clone(above)} }

// With returns the tree with files as the rule files of a directory, in place of those it
// had; none take them away. dir is slash-separated, clean, and relative to the root, which
// is "". Where both match, a later file wins over an earlier one, and each over those of
// the directories above.
func (t *Tree) With(dir string, files ...*File) *Tree {
	return &Tree{t.above, t.root.with(dir, slices.Clone(files))}
}

// WithAbove returns the tree with other files for the whole tree; see NewTree.
func (t *Tree) WithAbove(above ...*File) *Tree { return &Tree{slices.Clone(above), t.root} }

// Files returns the rule files of a directory. They must not be changed.
func (t *Tree) Files(dir string) []*File {
	n := t.root.find(dir)
	if n == nil {
		return nil
	}
	return n.files
}

// Below calls yield like All for a directory and all below it.
func (t *Tree) Below(dir string, yield func(dir string, files []*File) bool) {
	t.root.find(dir).all(dir, yield)
}

// Without returns the tree without the rule files of a directory and of all below it.
func (t *Tree) Without(dir string) *Tree {
	return &Tree{t.above, t.root.without(dir)}
}

// Above returns the files for the whole tree, the weakest first. They must not be changed.
func (t *Tree) Above() []*File { return t.above }

// All calls yield with each directory that has rule files, and these, until it returns
// false; a directory comes before what is in it. The files must not be changed.
func (t *Tree) All(yield func(dir string, files []*File) bool) {
	t.root.all("", yield)
}

// Check returns the verdict about a path. It asks about the directories above the path
// first, beginning at the root: what is below an ignored one is ignored with it. path is
// slash-separated, clean, and relative to the root; dir says that it is a directory,
// which a link to one is not. The root itself, "", is never ignored.
func (t *Tree) Check(path string, dir bool) Verdict { return t.check(path, dir, true) }

// CheckEntry returns the verdict about a path like Check for one who knows that no
// directory above is ignored, as in a walk that leaves out those that are.
func (t *Tree) CheckEntry(path string, dir bool) Verdict { return t.check(path, dir, false) }

// A level is a directory above an entry whose rules are in force for it.
type level struct {
	start int // where in the path begins what is relative to the directory
	node  *node
}

// check is Check; parents: it asks about the directories above, too.
func (t *Tree) check(path string, dir, parents bool) Verdict {
	var buffer [16]level // so that nothing is allocated
	levels := append(buffer[:0], level{0, t.root})
	for start, n := 0, t.root; ; {
		end := endOfName(path, start)
		last := end == len(path)
		if last || parents {
			rule := t.decide(levels, path[:end], path[start:end], dir || !last)
			if rule != nil && (last || !rule.Negated) {
				return Verdict{!rule.Negated, rule, path[:end]}
			}
		}
		if last {
			return Verdict{}
		}
		n = n.child(path[start:end])
		start = end + 1
		if n != nil && len(n.files) > 0 {
			levels = append(levels, level{start, n})
		}
	}
}

// decide returns the rule for an entry, by the files of levels, the nearest first.
func (t *Tree) decide(levels []level, path, name string, dir bool) *Rule {
	for _, level := range slices.Backward(levels) {
		if level.node == nil {
			continue
		}
		for _, f := range slices.Backward(level.node.files) {
			if rule := f.match(path[level.start:], name, dir); rule != nil {
				return rule
			}
		}
	}
	for _, f := range slices.Backward(t.above) {
		if rule := f.match(path, name, dir); rule != nil {
			return rule
		}
	}
	return nil
}

// find returns the node of a directory below n, nil if there is none.
func (n *node) find(dir string) *node {
	for dir != "" {
		var name string
		name, dir, _ = strings.Cut(dir, "/")
		n = n.child(name)
	}
	return n
}

// place returns where the child of a name is, or would be.
func (n *node) place(name string) (int, bool) {
	return slices.BinarySearchFunc(n.children, name, func(child *node, name string) int {
		return strings.Compare(child.name, name)
	})
}

// child returns the child of a name, nil if there is none.
func (n *node) child(name string) *node {
	if n == nil || len(n.children) == 0 {
		return nil
	}
	if i, ok := n.place(name); ok {
		return n.children[i]
	}
	return nil
}

// with returns n with files for a directory below it; nil if nothing is left.
func (n *node) with(dir string, files []*File) *node {
	if dir == "" {
		return n.changed(func(n *node) { n.files = files })
	}
	name, rest, _ := strings.Cut(dir, "/")
	child := n.child(name).with(rest, files)
	return n.changed(func(n *node) { n.replace(name, child) })
}

// without returns n without a directory below it; nil if nothing is left.
func (n *node) without(dir string) *node {
	if n == nil || dir == "" {
		return nil
	}
	name, rest, _ := strings.Cut(dir, "/")
	child := n.child(name).without(rest)
	return n.changed(func(n *node) { n.replace(name, child) })
}

// changed returns a copy of n, changed, or nil if there is nothing in it.
func (n *node) changed(change func(n *node)) *node {
	var other node
	if n != nil {
		other = *n
	}
	change(&other)
	if len(other.files) == 0 && len(other.children) == 0 {
		return nil
	}
	return &other
}

// replace puts child in the place of the child of a name; nil takes it away. The slice
// of children is another one afterwards.
func (n *node) replace(name string, child *node) {
	i, found := n.place(name)
	switch {
	case child == nil && found:
		n.children = slices.Concat(n.children[:i], n.children[i+1:])
	case child == nil:
	case found:
		child.name = name
		n.children = slices.Clone(n.children)
		n.children[i] = child
	default:
		child.name = name
		n.children = slices.Insert(slices.Clip(n.children), i, child)
	}
}

// all is Tree.All below n, which is dir.
func (n *node) all(dir string, yield func(dir string, files []*File) bool) bool {
	if n == nil {
		return true
	}
	if len(n.files) > 0 && !yield(dir, n.files) {
		return false
	}
	for _, child := range n.children {
		path := child.name
		if dir != "" {
			path = dir + "/" + path
		}
		if !child.all(path, yield) {
			return false
		}
	}
	return true
}
