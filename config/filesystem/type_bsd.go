//go:build darwin || freebsd

package filesystem

import "golang.org/x/sys/unix"

// Of returns the type of the file system at path; the zero Type if that cannot be
// found out.
func Of(path string) Type {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return Type{}
	}
	return typeOfName(unix.ByteSliceToString(fs.Fstypename[:]))
}
