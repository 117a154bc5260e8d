// Package directory is what the backends of watch share: which directory the root
// is, what is mounted below it, and what has changed in those that are polled.
package directory

import (
	"errors"

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

// ignoringEINTR repeats a system call that a signal interrupted.
func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
