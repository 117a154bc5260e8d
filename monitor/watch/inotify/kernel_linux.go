package inotify

import (
	"encoding/binary"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"wsync/monitor/watch/directory"
)

const (
	// dirMask is what is watched of every directory. IN_MASK_ADD keeps the
	// bits that a directory got in another role (the root's). There is no
	// IN_EXCL_UNLINK: a file that is written by a name that is gone may have
	// another one, which nothing else would tell of.
	dirMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
		unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB |
		unix.IN_ONLYDIR | unix.IN_MASK_ADD

	// rootMask adds what only matters for the root: of any other directory its
	// parent tells as much.
	rootMask = dirMask | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF

	// parentMask is for the root's parent, while the root is away.
	parentMask = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR | unix.IN_MASK_ADD

	// maxEventSize is the size of the largest event: header, NAME_MAX, and NULs.
	maxEventSize = unix.SizeofInotifyEvent + unix.NAME_MAX + 1
)

// survey is what was found at the path of a directory.
type survey struct {
	// err says why the directory could not be opened or read.
	err error
	// id is the directory's identity; zero if it could not even be looked at.
	id directory.Identity
	// wd is its watch, 0 if there is none: watchErr says why.
	wd       int32
	watchErr error
	// dirs are the names of its subdirectories, if it could be read.
	dirs []string
}

// errNotAllowed is the watchErr of a survey that was not to add a watch.
var errNotAllowed = errors.New("no watch is left")

// lookAt watches the directory at path and then lists it. Both are done on one
// descriptor: whatever is renamed meanwhile, watch and listing are those of the
// same directory. The listing is read into buf. It may be called by several
// goroutines at a time.
func lookAt(inotify int, path string, mask uint32, watch bool, buf []byte) survey {
	fd, err := directory.Open(path)
	if err != nil {
		s := survey{err: err, watchErr: err}
		if !directory.Gone(err) {
			s.id, _ = directory.Identify(path)
		}
		return s
	}
	defer unix.Close(fd)
	var s survey
	var st unix.Stat_t
	if s.err = unix.Fstat(fd, &st); s.err != nil {
		s.watchErr = s.err
		return s
	}
	s.id = directory.IdentityOf(&st)
	s.watchErr = errNotAllowed
	if watch {
		s.wd, s.watchErr = addWatch(inotify, fd, path, mask)
	}
	s.err = eachEntry(fd, buf, func(name []byte, kind byte) error {
		if isDir(fd, name, kind) {
			s.dirs = append(s.dirs, string(name))
		}
		return nil
	})
	return s
}

// addWatch watches the directory that fd is open on. The name below /proc
// leads to exactly that directory; path serves where /proc is not mounted.
func addWatch(inotify, fd int, path string, mask uint32) (int32, error) {
	wd, err := unix.InotifyAddWatch(inotify, "/proc/self/fd/"+strconv.Itoa(fd), mask)
	if err == unix.ENOENT {
		wd, err = unix.InotifyAddWatch(inotify, path, mask|unix.IN_DONT_FOLLOW)
	}
	if err != nil {
		return 0, err
	}
	return int32(wd), nil
}

// eachEntry calls f for each entry of the directory fd is open on, but "." and
// "..". The name is in buf and valid only during the call. It differs from
// os.ReadDir in that it makes no garbage for files.
func eachEntry(fd int, buf []byte, f func(name []byte, kind byte) error) error {
	// struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
	const lengthAt, typeAt, nameAt = 16, 18, 19
	for {
		var n int
		err := ignoringEINTR(func() (err error) {
			n, err = unix.Getdents(fd, buf)
			return err
		})
		if err != nil {
			return err
		}
		if n <= 0 {
			return nil
		}
		for rest := buf[:n]; len(rest) > nameAt; {
			length := int(binary.NativeEndian.Uint16(rest[lengthAt:]))
			if length <= nameAt || length > len(rest) {
				return unix.EIO
			}
			name := untilNUL(rest[nameAt:length])
			if s := string(name); s != "." && s != ".." {
				if err := f(name, rest[typeAt]); err != nil {
					return err
				}
			}
			rest = rest[length:]
		}
	}
}

// isDir reports whether the entry is a directory. Some file systems do not say
// so in their listing and must be asked.
func isDir(fd int, name []byte, kind byte) bool {
	if kind != unix.DT_UNKNOWN {
		return kind == unix.DT_DIR
	}
	var st unix.Stat_t
	err := unix.Fstatat(fd, string(name), &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// untilNUL cuts b before its first NUL.
func untilNUL(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// ignoringEINTR repeats a system call that a signal interrupted.
func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
