package directory

import "golang.org/x/sys/unix"

// absent are errors of file systems that another machine or program serves and that
// do not answer, broken those of disks, and of file systems on them.
var (
	absent = []error{unix.ENOTCONN, unix.ESTALE, unix.EHOSTDOWN, unix.EHOSTUNREACH, unix.ETIMEDOUT, unix.ECONNABORTED}
	broken = []error{unix.EIO, unix.EBADMSG, unix.EUCLEAN, unix.EREMOTEIO, unix.ENXIO, unix.ENODEV}
)

const openFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK

// Open opens a directory without following a symbolic link anywhere in its path,
// where the kernel can be told so, and otherwise at its end.
func Open(path string) (fd int, err error) {
	err = ignoringEINTR(func() (err error) {
		fd, err = unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{
			Flags:   openFlags,
			Resolve: unix.RESOLVE_NO_SYMLINKS,
		})
		return err
	})
	// Kernels before 5.6 lack openat2; container runtimes deny it.
	if err == unix.ENOSYS || err == unix.EPERM {
		err = ignoringEINTR(func() (err error) {
			fd, err = unix.Open(path, openFlags, 0)
			return err
		})
	}
	return fd, err
}

// statAfresh is fstatat(2) that does not believe what the kernel remembers of a
// file that is elsewhere.
func statAfresh(fd int, name string, st *unix.Stat_t) error {
	var x unix.Statx_t
	err := unix.Statx(fd, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_FORCE_SYNC, unix.STATX_BASIC_STATS, &x)
	switch err {
	case nil:
	case unix.ENOSYS, unix.EPERM: // an old kernel, or a container that denies it
		return unix.Fstatat(fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
	default:
		return err
	}
	// It is known now, so that this is the same.
	return unix.Fstatat(fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
}
