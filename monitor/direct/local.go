package direct

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config"
)

// local is a directory of this machine as a target.
type local struct {
	dir string
	// was is the directory as it was found; nil if it was not.
	was fs.FileInfo
}

// NewLocal returns the target at dir, which must exist.
func NewLocal(dir string) Target {
	info, _ := os.Stat(dir) // its absence shows in Err
	return local{dir, info}
}

// errReplaced is that a local destination was removed, or mounted over.
var errReplaced = errors.New("the destination is not the directory that it was")

// Err reports whether the directory is still the one that it was: a disk that is
// mounted there may have gone.
func (l local) Err() error {
	info, err := os.Stat(l.dir)
	if err != nil || l.was == nil || !os.SameFile(info, l.was) {
		return errReplaced
	}
	return nil
}

// replied is the reply to a request that was carried out at once.
type replied struct{ err error }

func (r replied) Wait() error { return r.err }

func (l local) abs(path string) string { return filepath.Join(l.dir, filepath.FromSlash(path)) }

func (l local) Mkdir(path string, mode fs.FileMode) Reply {
	// The rest of the attributes follow when the directory has its entries.
	return replied{os.Mkdir(l.abs(path), mode.Perm()|0o700)}
}
func (l local) Symlink(target, path string) Reply { return replied{os.Symlink(target, l.abs(path))} }
func (l local) Rename(from, to string) Reply      { return replied{unix.Rename(l.abs(from), l.abs(to))} }
func (l local) Place(from, to string) Reply       { return l.Rename(from, to) } // who comes here has waited
func (l local) Remove(path string) Reply          { return replied{unix.Unlink(l.abs(path))} }
func (l local) Rmdir(path string) Reply           { return replied{unix.Rmdir(l.abs(path))} }
func (l local) Flush()                            {}
func (l local) Piece() int                        { return 1 << 20 }
func (l local) Pipelines() bool                   { return false }

func (l local) Maker() Maker {
	uid := os.Geteuid()
	return Maker{Owner: Owner{uint32(uid), uint32(os.Getegid())}, Superuser: uid == 0, Here: true}
}

func (l local) Owner(path string) (Owner, error) {
	info, err := os.Lstat(l.abs(path))
	if err != nil {
		return Owner{}, err
	}
	owner, _ := ownerOf(info)
	return owner, nil
}

func (l local) SetAttributes(path string, a Attributes) Reply {
	name := l.abs(path)
	// The owner first: a change of it clears setuid and setgid.
	if err := own(a, func(uid, gid int) error { return os.Lchown(name, uid, gid) }); err != nil {
		return replied{err}
	}
	if err := unix.Fchmodat(unix.AT_FDCWD, name, config.UnixMode(a.Mode), 0); err != nil && !a.Lenient {
		return replied{err}
	}
	return replied{setTime(name, a.Modified)}
}

func (l local) SetLinkAttributes(path string, a Attributes) Reply {
	name := l.abs(path)
	if err := own(a, func(uid, gid int) error { return os.Lchown(name, uid, gid) }); err != nil {
		return replied{err}
	}
	return replied{setTime(name, a.Modified)}
}

// setTime sets the time of name itself.
func setTime(name string, modified time.Time) error {
	m := unix.NsecToTimespec(modified.UnixNano())
	return unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{m, m}, unix.AT_SYMLINK_NOFOLLOW)
}

// own gives owner and group as far as this process may: rsync's --owner and
// --group do the same.
func own(a Attributes, chown func(uid, gid int) error) error {
	if a.Owner == nil {
		return nil
	}
	number := func(id uint32) int {
		if id == unset {
			return -1
		}
		return int(id)
	}
	if err := chown(number(a.Owner.UID), number(a.Owner.GID)); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	return nil
}

// typeReply is the answer to Type.
type typeReply struct {
	kind fs.FileMode
	err  error
}

func (r typeReply) Wait() (fs.FileMode, error) { return r.kind, r.err }

func (l local) Type(path string) TypeReply {
	info, err := os.Lstat(l.abs(path))
	if err != nil {
		return typeReply{err: err}
	}
	return typeReply{kind: info.Mode().Type()}
}

// timeReply is the answer to Modified.
type timeReply struct {
	at  time.Time
	err error
}

func (r timeReply) Wait() (time.Time, error) { return r.at, r.err }

func (l local) Modified(path string) TimeReply {
	stat := os.Lstat
	if path == "" {
		stat = os.Stat // it may be a symbolic link
	}
	info, err := stat(l.abs(path))
	if err != nil {
		return timeReply{err: err}
	}
	return timeReply{at: info.ModTime()}
}

func (l local) Names(path string) ([]string, error) {
	d, err := os.Open(l.abs(path))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// roomReply is the answer to Room.
type roomReply struct {
	bytes uint64
	err   error
}

func (r roomReply) Wait() (uint64, error) { return r.bytes, r.err }

func (l local) Room() RoomReply {
	var st unix.Statfs_t
	err := unix.Statfs(l.dir, &st)
	return roomReply{uint64(max(st.Bavail, 0)) * uint64(st.Bsize), err} // below zero where only root has any left
}

// localTemp is a file that is being made.
type localTemp struct {
	file *os.File
	err  error
}

func (l local) Temp(path string) Temp {
	file, err := os.OpenFile(l.abs(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return &localTemp{file, err}
}

func (t *localTemp) Ready() error { return t.err }

func (t *localTemp) Write(offset int64, data []byte) Reply {
	_, err := t.file.WriteAt(data, offset)
	return replied{err}
}

func (t *localTemp) SetAttributes(a Attributes) Reply {
	if a.Size != nil {
		if err := t.file.Truncate(*a.Size); err != nil {
			return replied{err}
		}
	}
	if err := own(a, t.file.Chown); err != nil {
		return replied{err}
	}
	if err := unix.Fchmod(int(t.file.Fd()), config.UnixMode(a.Mode)); err != nil && !a.Lenient {
		return replied{fmt.Errorf("cannot set the mode: %w", err)}
	}
	return replied{setTime(t.file.Name(), a.Modified)}
}

func (t *localTemp) Close() Reply { return replied{t.file.Close()} }
