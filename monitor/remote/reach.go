package remote

import (
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// reach is what a transfer may touch on the remote: its paths, what is below them,
// and the directories that lead there, of which it sets the times. The zero value is
// nothing.
type reach struct {
	paths, above map[string]bool
	all          bool
}

// reachOf is the reach of a batch.
func reachOf(b dirty.Batch) *reach {
	r := new(reach)
	r.add(b)
	return r
}

// add adds a batch.
func (r *reach) add(b dirty.Batch) {
	r.all = r.all || b.Everything != nil
	for _, e := range b.Entries {
		r.addPath(e.Path)
	}
	for _, m := range b.Moves {
		r.addPath(m.From)
		r.addPath(m.To)
	}
}

func (r *reach) addPath(path string) {
	if r.paths == nil {
		r.paths, r.above = make(map[string]bool), make(map[string]bool)
	}
	r.paths[path] = true
	for dir := path; dir != ""; {
		dir = relpath.Parent(dir)
		if r.above[dir] {
			return
		}
		r.above[dir] = true
	}
}

// holds reports whether a path, or what is below it, is in reach, so that no other
// transfer may have it at the same time. What is about the root is about the one
// directory.
func (r *reach) holds(path string) bool {
	if r.all || r.above[path] {
		return true
	}
	for p := path; ; p = relpath.Parent(p) {
		if r.paths[p] && (p != "" || path == "") {
			return true
		}
		if p == "" {
			return false
		}
	}
}

// setsTimes reports whether the transfer sets the times of a directory, of which it
// may have looked at an earlier state.
func (r *reach) setsTimes(dir string) bool { return r.all || r.above[dir] || r.paths[dir] }
