// Package beneath opens what lies below a directory without following a symbolic link
// on the way there. Between the look that found a directory in a path and the opening of
// a file in it, somebody may have put a link in that directory's place, which leads to
// files that are none of the workspace's.
package beneath

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Open opens a file or directory for reading; its name is relative to root and has
// slashes. root itself may be a link. It does not wait for the writer of a pipe, and
// fails for what is a link, or lies behind one that leads out of root.
func Open(root, name string) (*os.File, error) {
	file, err := open(root, name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(root, filepath.FromSlash(name)), Err: err}
	}
	return file, nil
}

// Readlink returns where the symbolic link with a name below root leads.
func Readlink(root, name string) (string, error) {
	target, err := readlink(root, name)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: filepath.Join(root, filepath.FromSlash(name)), Err: err}
	}
	return target, nil
}
