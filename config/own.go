package config

import "strings"

// The names that wsync uses for itself at a destination.
const (
	// TempDirectory is the directory, at the top of the destination, in which
	// small changes are made ready where sftp carries them.
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
	if top, _, _ := strings.Cut(path, "/"); top == TempDirectory || r.Trash != 0 && top == TrashDirectory {
		return true
	}
	if r.DelayUpdates && strings.Contains(path, DelayDirectory) {
		for part := range strings.SplitSeq(path, "/") {
			if part == DelayDirectory {
				return true
			}
		}
	}
	return false
}
