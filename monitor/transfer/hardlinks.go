package transfer

import (
	"io/fs"
	"syscall"
)

// rsync makes names of one file of those that it is told of in one run. So wherever one of
// them is sent, all that are known go along.

// withOthers adds the other names of each file that has several, if they are to be names
// of one file on the remote.
func (t *transfer) withOthers(names []string) []string {
	if !t.Remote.HardLinks {
		return names
	}
	rules := t.excluded()
	seen := make(map[string]bool, len(names))
	var all []string
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	for _, name := range names {
		add(name)
		for _, other := range t.lane.links.Others(name) {
			if !rules.Excludes(other, false) && !t.excepted(other) {
				add(other)
			}
		}
	}
	return all
}

// isLinked reports whether a file of the workspace has several names.
func isLinked(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && st.Nlink > 1
}
