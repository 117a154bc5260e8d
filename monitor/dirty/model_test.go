package dirty

import (
	"maps"
	"slices"
	"strings"

	"wsync/monitor/relpath"
)

// tree is a model of a directory tree: what is at each path.
type tree map[string]node

// node is an entry of a model. Its id stands for all that a file is: content,
// mode, times.
type node struct {
	dir bool
	id  int
}

func (t tree) isDir(p string) bool { return p == "" || t[p].dir }

// remove removes an entry with all below it.
func (t tree) remove(p string) {
	maps.DeleteFunc(t, func(q string, _ node) bool { return q == p || relpath.Below(q, p) })
}

// holds reports whether there is something below p.
func (t tree) holds(p string) bool {
	for q := range t {
		if relpath.Below(q, p) {
			return true
		}
	}
	return false
}

// canRename tells what rename(2) would: whether it does anything.
func (t tree) canRename(from, to string) bool {
	a, ok := t[from]
	if !ok || from == to || relpath.Below(to, from) || !t.isDir(relpath.Parent(to)) {
		return false
	}
	b, replaces := t[to]
	return !replaces || a.dir == b.dir && !t.holds(to)
}

// rename is rename(2).
func (t tree) rename(from, to string) bool {
	if !t.canRename(from, to) {
		return false
	}
	moved := make(tree)
	for p, n := range t {
		if p == from || relpath.Below(p, from) {
			moved[to+p[len(from):]] = n
		}
	}
	t.remove(from)
	maps.Copy(t, moved)
	return true
}

// send brings t in line with from for one dirty path: what the path is at this
// moment decides. A directory without Entry and Tree is sent without what is in
// it, and behind a parent that is no directory the parent is meant.
func (t tree) send(from tree, e *Entry) {
	name, change := e.Path, e.Change
	for i := range len(name) {
		if name[i] == '/' && !from.isDir(name[:i]) {
			name, change = name[:i], change|stateChange
			break
		}
	}
	n, ok := from[name]
	if !ok {
		t.remove(name)
		return
	}
	for i := range len(name) { // as rsync makes what leads to a path
		if up := name[:i]; name[i] == '/' && !t[up].dir {
			t.remove(up)
			t[up] = node{dir: true}
		}
	}
	switch {
	case !n.dir:
		t.remove(name)
		t[name] = n
	case change&stateChange == 0 && t[name].dir:
		t[name] = n
	default:
		t.remove(name)
		for p, n := range from {
			if p == name || relpath.Below(p, name) {
				t[p] = n
			}
		}
	}
}

// differences are the paths at which two models differ.
func differences(a, b tree) string {
	var all []string
	for p, n := range a {
		if m, ok := b[p]; !ok {
			all = append(all, p+" is missing")
		} else if n != m {
			all = append(all, p+" differs")
		}
	}
	for p := range b {
		if _, ok := a[p]; !ok {
			all = append(all, p+" is too much")
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
