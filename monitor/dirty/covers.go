package dirty

import (
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Covers reports whether a path is in the set, or a directory above it with which it may
// have come or gone.
func (s *Set) Covers(path string) bool {
	if s.everything != nil || s.entries[path] != nil {
		return true
	}
	for dir := path; dir != ""; {
		dir = relpath.Parent(dir)
		if e := s.entries[dir]; e != nil && e.Change&(watch.Tree|watch.Entry) != 0 {
			return true
		}
	}
	return false
}
