package config

import "strings"

// DelayDirectory is the name of the directories in which the remote's rsync
// keeps the files of a run until its end; see Remote.DelayUpdates.
const DelayDirectory = ".wsync-delayed"

// IsOwn tells that a path, relative to the destination and slash-separated, is
// wsync's own there, so that what the workspace has of that name is not
// mirrored.
func (r Remote) IsOwn(path string) bool {
	if r.DelayUpdates && strings.Contains(path, DelayDirectory) {
		for part := range strings.SplitSeq(path, "/") {
			if part == DelayDirectory {
				return true
			}
		}
	}
	return false
}
