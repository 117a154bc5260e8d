// Package exclude says what of a workspace is not mirrored. All that look at a
// tree ask it: the watcher's sink, listings, plans, full passes, guards and
// searches; and it alone puts its answer into rsync's words.
package exclude

import (
	"strings"

	"wsync/config"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// gitName is the name of git's directories, and of the files that lead to them.
const gitName = ".git"

// Rules say what is neither sent nor deleted. They are a value, and pure. The zero
// value excludes nothing.
type Rules struct {
	git     bool // entries called .git, at any level
	temp    bool // config.TempDirectory, at any level
	delayed bool // config.DelayDirectory, at any level
	trash   bool // config.TrashDirectory, at the top
}

// Of returns the rules of a workspace, which hold for all of its remotes.
func Of(w config.Workspace) Rules { return Rules{git: w.SkipGit} }

// At returns the rules for a remote of the workspace: what is wsync's own there is
// not mirrored from here.
func (r Rules) At(remote config.Remote) Rules {
	r.temp, r.delayed, r.trash = true, remote.DelayUpdates, remote.Trash != 0
	return r
}

// Excludes reports whether a path of the workspace, relative to its root and
// slash-separated, is excluded, or lies in a directory that is.
func (r Rules) Excludes(path string) bool {
	if r.trash {
		if top, _, _ := strings.Cut(path, "/"); top == config.TrashDirectory {
			return true
		}
	}
	return r.git && hasName(path, gitName) || r.temp && hasName(path, config.TempDirectory) || r.delayed && hasName(path, config.DelayDirectory)
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

// Anywhere reports whether any directory may have something in it that the
// workspace's own rules exclude, so that it stays on a remote when it is deleted
// here.
func (r Rules) Anywhere() bool { return r.git }

// Change returns what is left of a change when what is excluded is not mirrored;
// change is 0 if nothing is. An entry that comes or goes also changes the times of
// its directory, which are mirrored if it is.
func (r Rules) Change(path string, change watch.Change) (string, watch.Change) {
	if !r.Excludes(path) {
		return path, change
	}
	dir := relpath.Parent(path)
	if change&watch.Entry == 0 || r.Excludes(dir) {
		return "", 0
	}
	return dir, watch.Meta
}

// Filters returns the rules as options of rsync. They stand before any other, as
// the first that matches counts. basic: it is an openrsync, which knows no
// modifiers.
func (r Rules) Filters(basic bool) []string {
	var filters []string
	if r.temp {
		filters = append(filters, "--exclude=/"+config.TempDirectory)
		if !basic {
			// Nor is what another mirror has in a directory of the workspace; at the
			// destination it tells of another mirror there.
			filters = append(filters, "--filter=H "+config.TempDirectory+"/")
		}
	}
	if r.delayed && !basic {
		// Perishable: it keeps no directory from being deleted.
		filters = append(filters, "--filter=-p "+config.DelayDirectory+"/")
	}
	if r.trash && !basic {
		filters = append(filters, "--exclude=/"+config.TrashDirectory)
	}
	if r.git {
		filters = append(filters, "--exclude="+gitName)
	}
	return filters
}
