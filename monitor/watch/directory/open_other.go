//go:build !linux

package directory

import "golang.org/x/sys/unix"

// absent are errors of file systems that another machine or program serves and that
// do not answer, broken those of disks, and of file systems on them.
var (
	absent = []error{unix.ENOTCONN, unix.ESTALE, unix.EHOSTDOWN, unix.EHOSTUNREACH, unix.ETIMEDOUT}
	broken = []error{unix.EIO, unix.ENXIO, unix.ENODEV}
)

// Open opens a directory without following a symbolic link at the end of its path.
func Open(path string) (fd int, err error) {
	err = ignoringEINTR(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		return err
	})
	return fd, err
}

// statAfresh is fstatat(2), which cannot be told here not to believe what the kernel
// remembers of a file that is elsewhere.
func statAfresh(fd int, name string, st *unix.Stat_t) error {
	return unix.Fstatat(fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
}
