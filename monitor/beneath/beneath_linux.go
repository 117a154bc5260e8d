package beneath

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// open is Open; see openat2(2).
func open(root, name string) (*os.File, error) {
	fd, err := openat2(root, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if isDenied(err) {
		return openInRoot(root, name)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(root, filepath.FromSlash(name))), nil
}

// readlink is Readlink.
func readlink(root, name string) (string, error) {
	fd, err := openat2(root, name, unix.O_PATH|unix.O_NOFOLLOW)
	if isDenied(err) {
		return readlinkInRoot(root, name)
	}
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", target)
	if err != nil {
		return "", err
	}
	return string(target[:n]), nil
}

// isDenied reports whether there is no openat2: kernels before 5.6 lack it, and container
// runtimes deny it.
func isDenied(err error) bool { return err == unix.ENOSYS || err == unix.EPERM }

// openat2 opens name below root.
func openat2(root, name string, flags int) (fd int, err error) {
	at, err := again(func() (int, error) { return unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC | unix.O_LARGEFILE),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	return again(func() (int, error) { return unix.Openat2(at, name, &how) })
}

// again repeats what a signal has interrupted.
func again(open func() (int, error)) (fd int, err error) {
	for {
		if fd, err = open(); err != unix.EINTR {
			return fd, err
		}
	}
}
