//go:build unix

package doctor

import "golang.org/x/sys/unix"

// roomIn is what there is left of the file system that a path is on.
func roomIn(path string) (r room, ok bool) {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return room{}, false
	}
	return room{bytes: uint64(max(fs.Bavail, 0)) * uint64(fs.Bsize), files: uint64(fs.Ffree), allFiles: uint64(fs.Files)}, true
}
