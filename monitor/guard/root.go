// Package guard decides what may be deleted on a remote. It knows the workspace's
// directory again, judges deletions, and keeps the names of those that are held. It
// deletes nothing itself, and knows no remote.
package guard

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"wsync/config"
)

// CheckRoot says why the workspace's directory must not be mirrored now, or "".
// expected is its identity as the workspace file has it, nil when unknown.
func CheckRoot(path string, expected *config.RootIdentity) string {
	found, err := config.IdentifyRoot(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s is gone", path)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Sprintf("%s is not a directory any more", path)
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	case expected != nil && !found.SameFileSystem(*expected):
		return fmt.Sprintf("%s is on another file system than when it was added: a disk was mounted or unmounted there", path)
	case expected != nil && !found.Same(*expected):
		return fmt.Sprintf("%s is another directory than the one that was added: it was replaced", path)
	}
	d, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	}
	defer d.Close()
	if _, err := d.Readdirnames(1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	}
	return ""
}
