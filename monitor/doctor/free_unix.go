//go:build unix

package doctor

import "golang.org/x/sys/unix"

// freeIn is how many bytes may be written to the file system that a path is on.
func freeIn(path string) (available uint64, ok bool) {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return 0, false
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), true
}
