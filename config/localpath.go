package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// CheckLocalPath says whether path is a directory that can be read. The error
// says what is there instead.
func CheckLocalPath(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the directory %s does not exist", path)
	case err != nil:
		return fmt.Errorf("cannot look at the directory %s: %w", path, cause(err))
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	}
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the directory %s: %w", path, cause(err))
	}
	defer dir.Close()
	if _, err := dir.Readdirnames(1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read the directory %s: %w", path, cause(err))
	}
	return nil
}

// cause is err without the name of the system call and the path, which the
// sentence around it has.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// CheckAgainst refuses a local destination that would destroy something of the
// user's when localPath is mirrored to it: localPath itself, a directory in or
// above it, and home or a directory above home. Symbolic links, and where
// they exist other names of the same directory, are seen through. home may be
// "" for none. Remotes that are not local are always accepted.
func (r Remote) CheckAgainst(localPath, home string) error {
	if r.Connection.Kind() != KindLocal {
		return nil
	}
	if err := checkApart(r.RemotePath, localPath, reaches); err != nil {
		return fmt.Errorf("remote %q: %w", r.Name, err)
	}
	if home != "" && reaches(r.RemotePath, home) {
		return fmt.Errorf("remote %q: the destination %s is or holds the home directory %s, which mirroring would empty", r.Name, r.RemotePath, home)
	}
	return nil
}

// checkApart refuses a local destination and a source of which one is inside
// the other, as holds(parent, path) tells.
func checkApart(dest, source string, holds holdsFunc) error {
	inside, around := holds(source, dest), holds(dest, source)
	switch {
	case inside && around:
		return fmt.Errorf("the destination %s is the workspace's own directory", dest)
	case inside:
		return fmt.Errorf("the destination %s is inside the workspace's directory %s, which would mirror it into itself", dest, source)
	case around:
		return fmt.Errorf("the workspace's directory %s is inside the destination %s, where mirroring would delete it", source, dest)
	}
	return nil
}
