// Package directory is what the backends of watch share: which directory the root
// is, what is mounted below it, and what has changed in those that are polled.
package directory

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Identity tells one directory from another while both exist.
type Identity struct {
	Dev, Ino uint64
}

// IdentityOf returns the identity of what st describes.
func IdentityOf(st *unix.Stat_t) Identity {
	return Identity{Dev: uint64(st.Dev), Ino: st.Ino}
}

// Identify returns the identity of what is at path, which must be a directory.
func Identify(path string) (Identity, error) {
	var st unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Lstat(path, &st) }); err != nil {
		return Identity{}, err
	}
	if uint32(st.Mode)&unix.S_IFMT != unix.S_IFDIR {
		return Identity{}, unix.ENOTDIR
	}
	return IdentityOf(&st), nil
}

// Gone reports whether an error means that there is no directory of this name.
// With any other one, nobody knows.
func Gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}

// Explain says what an error that a directory cannot be watched or read with means
// where the system's words do not.
func Explain(err error) error {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case slices.ContainsFunc(absent, is):
		return fmt.Errorf("the file system that is mounted there does not answer (%w)", err)
	case slices.ContainsFunc(broken, is):
		return fmt.Errorf("the disk or its file system does not work (%w)", err)
	}
	return err
}

// ignoringEINTR repeats a system call that a signal interrupted.
func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
