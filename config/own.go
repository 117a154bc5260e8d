package config

import "strings"

// The names that wsync uses for itself at a destination.
const (
	// TempDirectory is the directory, at the top of the destination, in which
	// small changes are made ready where sftp carries them, and in which the marks
	// are; see Mark. It is never mirrored, whatever directory it is in: there may be
	// the destination of another mirror.
	TempDirectory = ".wsync-tmp"
	// DelayDirectory is the name of the directories in which the remote's rsync
	// keeps the files of a run until its end; see Remote.DelayUpdates.
	DelayDirectory = ".wsync-delayed"
	// TrashDirectory is the directory, at the top of the destination, that
	// keeps what was deleted or overwritten; see Remote.Trash.
	TrashDirectory = ".wsync-trash"
)

// IsOwn tells that a path, relative to the destination and slash-separated, is
// wsync's own there, so that what the workspace has of that name is not
// mirrored.
func (r Remote) IsOwn(path string) bool {
	if top, _, _ := strings.Cut(path, "/"); r.Trash != 0 && top == TrashDirectory {
		return true
	}
	return hasName(path, TempDirectory) || r.DelayUpdates && hasName(path, DelayDirectory)
}

// hasName tells that one of the names in path is name.
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
