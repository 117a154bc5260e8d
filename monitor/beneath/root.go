package beneath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// openInRoot is Open where the kernel cannot be told to follow no link at all. Those within
// root are followed.
func openInRoot(root, name string) (*os.File, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, cause(err)
	}
	defer r.Close()
	local := filepath.FromSlash(name)
	file, err := r.OpenFile(local, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cause(err)
	}
	// A root follows a link at the end, too.
	before, err := r.Lstat(local)
	if err == nil && before.Mode()&fs.ModeSymlink != 0 {
		err = syscall.ELOOP
	}
	if err != nil {
		file.Close()
		return nil, cause(err)
	}
	return file, nil
}

// readlinkInRoot is the same of Readlink.
func readlinkInRoot(root, name string) (string, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return "", cause(err)
	}
	defer r.Close()
	target, err := r.Readlink(filepath.FromSlash(name))
	return target, cause(err)
}

// cause is what a path error is about, which is made anew with the whole path.
func cause(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
