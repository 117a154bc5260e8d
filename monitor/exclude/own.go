package exclude

import (
	"strings"

	"wsync/config"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Own are the names of what wsync itself keeps at a destination: it is not mirrored
// from here, and stays there. It is a value, and pure. The zero value has none.
type Own struct {
	temp    bool // config.TempDirectory, at any level
	delayed bool // config.DelayDirectory, at any level
	trash   bool // config.TrashDirectory, at the top
}

// OwnOf returns the names for a remote.
func OwnOf(remote config.Remote) Own {
	return Own{temp: true, delayed: remote.DelayUpdates, trash: remote.Trash != 0 || remote.TrashLeft}
}

// Excludes reports whether a path of the workspace, relative to its root and
// slash-separated, is one of them, or lies in a directory that is.
func (o Own) Excludes(path string) bool {
	if o.trash {
		if top, _, _ := strings.Cut(path, "/"); top == config.TrashDirectory {
			return true
		}
	}
	return o.temp && hasName(path, config.TempDirectory) || o.delayed && hasName(path, config.DelayDirectory)
}

// Stays reports whether a path of the destination is excluded and stays there. What does
// not is what another mirror has left in a directory, whose marks are looked at before,
// and what a run that was killed has: that keeps no directory from being deleted.
func (o Own) Stays(path string) bool {
	top, below, _ := strings.Cut(path, "/")
	switch {
	case !o.Excludes(path):
		return false
	case o.temp && top == config.TempDirectory || o.trash && top == config.TrashDirectory:
		return true
	}
	return !(o.temp && hasName(below, config.TempDirectory) || o.delayed && hasName(path, config.DelayDirectory))
}

// hasName reports whether one of the names in path is name.
func hasName(path, name string) bool {
	if !strings.Contains(path, name) {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == name {
			return true
		}
	}
	return false
}

// Change returns what is left of a change when what is excluded is not mirrored;
// change is 0 if nothing is. An entry that comes or goes also changes the times of
// its directory, which are mirrored if it is.
func (o Own) Change(path string, change watch.Change) (string, watch.Change) {
	return left(path, change, o.Excludes(path), o.Excludes)
}

// left is what is left of a change of a path that is excluded or not.
func left(path string, change watch.Change, excluded bool, excludes func(dir string) bool) (string, watch.Change) {
	if !excluded {
		return path, change
	}
	dir := relpath.Parent(path)
	if change&watch.Entry == 0 || excludes(dir) {
		return "", 0
	}
	return dir, watch.Meta
}

// Filters returns the names as options of rsync. They stand before any other, as
// the first that matches counts. basic: it is an openrsync, which knows no
// modifiers.
func (o Own) Filters(basic bool) []string {
	var filters []string
	if o.temp {
		filters = append(filters, "--exclude=/"+config.TempDirectory)
		if !basic {
			// Nor is what another mirror has in a directory of the workspace; at the
			// destination it tells of another mirror there.
			filters = append(filters, "--filter=H "+config.TempDirectory+"/")
		}
	}
	if o.delayed && !basic {
		// Perishable: it keeps no directory from being deleted.
		filters = append(filters, "--filter=-p "+config.DelayDirectory+"/")
	}
	if o.trash && !basic {
		filters = append(filters, "--exclude=/"+config.TrashDirectory)
	}
	return filters
}
