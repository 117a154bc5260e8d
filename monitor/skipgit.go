package monitor

import (
	"strings"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// A workspace with config.Workspace.SkipGit has no .git for its remotes, at
// any level: rsync is told to leave it alone on both sides, and what happens in
// it marks nothing.

// isGit tells that a path is, or lies in, an entry called .git.
func isGit(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == ".git" {
			return true
		}
	}
	return false
}

// skipping is the sink of the watcher of a workspace without its .git.
type skipping struct{ *mirror }

// Changed implements watch.Sink.
func (s skipping) Changed(path string, change watch.Change) {
	if path, change = besides(isGit, path, change); change != 0 {
		s.mirror.Changed(path, change)
	}
}

// besides is what is left of a change when the paths that skip tells of are not
// mirrored; change is 0 if nothing is. An entry that comes or goes also changes
// the times of its directory, which are mirrored if it is.
func besides(skip func(string) bool, name string, change watch.Change) (string, watch.Change) {
	if !skip(name) {
		return name, change
	}
	dir := dirty.Parent(name)
	if change&watch.Entry == 0 || skip(dir) {
		return "", 0
	}
	return dir, watch.Meta
}

// Moved implements watch.Sink. What was moved in or out of a .git was made, or
// is gone.
func (s skipping) Moved(from, to string, dir bool) {
	if !isGit(from) && !isGit(to) {
		s.mirror.Moved(from, to, dir)
		return
	}
	change := watch.Entry | watch.Content
	if dir {
		change |= watch.Tree
	}
	s.Changed(to, change)
	s.Changed(from, change)
}
