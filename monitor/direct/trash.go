package direct

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config"
	"wsync/monitor/relpath"
	"wsync/monitor/sftp"
)

// A lane may keep what it removes or replaces: in a directory of each flight below
// the trash, under the path that it had, as rsync's --backup-dir does. It is there
// before anything takes its place. Requests travel together, and those that follow are
// carried out whether it could be kept or not; so what takes its place replaces
// nothing. By sftp a file that is replaced is missing between two requests for that.

// KeepTrash makes the lane keep what it removes or replaces. newDirectory returns the
// path of a directory that nobody has had before.
func (l *Lane) KeepTrash(newDirectory func() string) { l.trash = newDirectory }

// trash is a directory of a flight in the trash.
type trash struct {
	dir string
	// names are what is to be kept in it, dirs the directories in it, and itself, "".
	names, dirs map[string]bool
	// used are those of dirs in which something was kept, once that is known.
	used map[string]bool
}

// fits reports whether nothing that is kept is in the way of a path.
func (t *trash) fits(path string) bool {
	return !t.dirs[path] && !isWithin(path, t.names)
}

// keeps reports whether what is at path has to be kept before it is replaced.
func (f *flight) keeps(path string) bool {
	return f.lane.trash != nil && !isWithin(path, f.made)
}

// keep keeps what is at path.
func (f *flight) keep(path string, replaced bool) KeepReply {
	reply, _ := f.keepIn(path, replaced)
	return reply
}

// keepIn is keep, and says where.
func (f *flight) keepIn(path string, replaced bool) (KeepReply, *trash) {
	t := f.trashFor(path)
	for _, dir := range missing(t.dirs, relpath.Parent(path)) {
		f.lane.target.Mkdir(t.dir+"/"+dir, f.lane.trashMode(dir))
	}
	t.names[path] = true
	reply := f.lane.target.Keep(path, t.dir+"/"+path, replaced)
	f.then(nil, func() {
		if kept, _ := reply.Wait(); kept {
			for dir := relpath.Parent(path); !t.used[dir]; dir = relpath.Parent(dir) {
				t.used[dir] = true
			}
		}
	})
	return reply, t
}

// trashFor returns a directory of the flight that has room for a path. A second one is
// needed where renames have put something else into a place.
func (f *flight) trashFor(path string) *trash {
	for _, t := range f.trashes {
		if t.fits(path) {
			return t
		}
	}
	t := &trash{dir: f.lane.trash(), names: make(map[string]bool), dirs: map[string]bool{"": true}, used: make(map[string]bool)}
	target := f.lane.target
	if len(f.trashes) == 0 {
		f.newTrash = target.Mkdir(relpath.Parent(t.dir), 0o700)
	}
	target.Mkdir(t.dir, 0o700)
	f.trashes = append(f.trashes, t)
	return t
}

// missing are the directories that lead to dir and are not in dirs, to which they are
// added, from the top.
func missing(dirs map[string]bool, dir string) (new []string) {
	for ; !dirs[dir]; dir = relpath.Parent(dir) {
		dirs[dir] = true
		new = append(new, dir)
	}
	slices.Reverse(new)
	return new
}

// trashMode is the mode of a directory in the trash: that which it has in the workspace.
func (l *Lane) trashMode(dir string) fs.FileMode {
	if info, err := os.Lstat(filepath.Join(l.root, filepath.FromSlash(dir))); err == nil && info.IsDir() {
		return info.Mode().Perm()
	}
	return 0o755
}

// What is sent again is mostly the same: a file is sent when it is written and when it
// is closed. Nobody can tell before; so it is looked at when there is time.

// replaced is a file in the trash that has the size of what took its place.
type replaced struct {
	// path is where it is, with the directory of the flight, and size how long.
	path, dir string
	size      int64
	// by is the sum of what took its place.
	by [sha256.Size]byte
}

// How many such files are remembered, and how long it takes at most to look at them.
const (
	maxReplaced  = 1000
	replacedTime = time.Second
)

// compareLater remembers a file that was kept in the directory t, and replaced by data,
// if they may be the same.
func (f *flight) compareLater(t *trash, path string, data []byte) {
	l := f.lane
	if len(l.replaced)+f.sizes >= maxReplaced {
		return
	}
	f.sizes++
	at := t.dir + "/" + path
	reply := l.target.Size(at)
	f.then(sizeWait{reply}, func() {
		f.sizes--
		if size, err := reply.Wait(); err == nil && size == int64(len(data)) {
			l.replaced = append(l.replaced, replaced{at, t.dir, size, sha256.Sum256(data)})
		}
	})
}

// sizeWait is a SizeReply for whoever only waits.
type sizeWait struct{ SizeReply }

func (r sizeWait) Wait() error {
	_, err := r.SizeReply.Wait()
	return err
}

// ClearTrash removes from the trash what was replaced by the same, as far as it finds
// the time. It waits for the target.
func (l *Lane) ClearTrash() {
	begun := time.Now()
	for _, r := range l.replaced {
		if time.Since(begun) > replacedTime || l.target.Err() != nil {
			break
		}
		content, err := l.target.Content(r.path, r.size)
		if err != nil || sha256.Sum256(content) != r.by {
			continue
		}
		l.target.Remove(r.path)
		for dir := relpath.Parent(r.path); relpath.Within(dir, r.dir); dir = relpath.Parent(dir) {
			l.target.Rmdir(dir) // unless there is more
		}
	}
	l.replaced = nil
	l.target.Flush()
}

// tidyTrash removes the directories in the trash in which nothing was kept.
func (f *flight) tidyTrash() {
	target := f.lane.target
	for _, t := range f.trashes {
		var dirs []string
		for dir := range t.dirs {
			if !t.used[dir] {
				dirs = append(dirs, strings.TrimSuffix(t.dir+"/"+dir, "/"))
			}
		}
		slices.Sort(dirs)
		for _, dir := range slices.Backward(dirs) {
			target.Rmdir(dir)
		}
	}
	if f.newTrash != nil && f.newTrash.Wait() == nil {
		target.Rmdir(config.TrashDirectory) // unless there is something in it
		f.lane.restoreTime()
	}
}

// hasFailed reports whether something is there that could not be kept.
func hasFailed(r KeepReply) bool {
	_, err := r.Wait()
	return err != nil
}

// keptRemoval is a removal of what is kept.
type keptRemoval struct{ KeepReply }

func (r keptRemoval) Wait() error {
	kept, err := r.KeepReply.Wait()
	if err == nil && !kept {
		return fs.ErrNotExist
	}
	return err
}

// rmdirReply is the reply to Target.Rmdir, for a path that may be no directory: that a
// server says as if there were nothing.
type rmdirReply struct {
	rmdir Reply
	was   TypeReply
}

func (r rmdirReply) Wait() error {
	err := r.rmdir.Wait()
	if kind, failure := r.was.Wait(); isGone(err) && failure == nil && kind != fs.ModeDir {
		return errors.New("it is no directory")
	}
	return err
}

// keptReply is the answer to a Keep that was carried out at once.
type keptReply struct {
	kept bool
	err  error
}

func (r keptReply) Wait() (bool, error) { return r.kept, r.err }

func (l local) Keep(path, to string, replaced bool) KeepReply {
	from, at := l.abs(path), l.abs(to)
	info, err := os.Lstat(from)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
		return keptReply{}
	case err == nil && info.IsDir():
		err = unix.EISDIR
	case err == nil && replaced:
		// So it is never missing. Not every file can have a second name.
		if err = unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, at, 0); err != nil && !errors.Is(err, unix.EEXIST) {
			err = unix.Rename(from, at)
		}
	case err == nil:
		err = unix.Rename(from, at)
	}
	return keptReply{err == nil, notGone(err)}
}

// sizeReply is the answer to a Size that was carried out at once.
type sizeReply struct {
	size int64
	err  error
}

func (r sizeReply) Wait() (int64, error) { return r.size, r.err }

func (l local) Size(path string) SizeReply {
	info, err := os.Lstat(l.abs(path))
	switch {
	case err != nil:
		return sizeReply{err: err}
	case !info.Mode().IsRegular():
		return sizeReply{err: fs.ErrInvalid}
	}
	return sizeReply{size: info.Size()}
}

func (l local) Content(path string, _ int64) ([]byte, error) { return os.ReadFile(l.abs(path)) }

// notGone is the error of something that is there, which may be that it could not be
// kept because something else is not.
func notGone(err error) error {
	if err != nil {
		return fmt.Errorf("cannot keep it in the trash: %v", err) // and wraps nothing
	}
	return nil
}

// remoteKept is the answer to Keep.
type remoteKept struct {
	remote          *remote
	path, to        string
	replaced        bool
	obstacle, moved *sftp.Reply

	answered bool
	kept     bool
	err      error
}

// Keep puts a symbolic link in the way of a directory: only what is none takes its
// place.
func (r *remote) Keep(path, to string, replaced bool) KeepReply {
	return &remoteKept{remote: r, path: path, to: to, replaced: replaced,
		obstacle: r.client.Symlink("-", r.path(to)), moved: r.client.PosixRename(r.path(path), r.path(to))}
}

func (r *remoteKept) Wait() (kept bool, err error) {
	if !r.answered {
		r.kept, r.err = r.answer()
		r.answered = true
	}
	return r.kept, r.err
}

func (r *remoteKept) answer() (kept bool, err error) {
	blocked, err := r.obstacle.Wait(), r.moved.Wait()
	if err == nil {
		return true, nil
	}
	if blocked != nil {
		return false, notGone(blocked)
	}
	r.remote.client.Remove(r.remote.path(r.to)) // the link
	switch {
	case !isGone(err):
		return false, notGone(err)
	case r.replaced:
		return false, nil // what is to take its place will find out
	}
	// Of a directory it says the same.
	if _, look := r.remote.Type(r.path).Wait(); !isGone(look) {
		return false, notGone(err)
	}
	return false, nil
}

// remoteSize is the answer to Size.
type remoteSize struct{ sftp.AttrsReply }

func (r remoteSize) Wait() (int64, error) {
	a, err := r.AttrsReply.Wait()
	switch {
	case err != nil:
		return 0, err
	case a.Size == nil || !a.IsRegular():
		return 0, fs.ErrInvalid
	}
	return int64(*a.Size), nil
}

func (r *remote) Size(path string) SizeReply { return remoteSize{r.client.Lstat(r.path(path))} }

func (r *remote) Content(path string, size int64) ([]byte, error) {
	handle, err := r.client.Open(r.path(path)).Wait()
	if err != nil {
		return nil, err
	}
	var replies []sftp.DataReply
	for at := int64(0); at < size; at += sftp.MaxRead {
		replies = append(replies, r.client.Read(handle, uint64(at), int(min(size-at, sftp.MaxRead))))
	}
	r.client.CloseHandle(handle)
	var content []byte
	for _, reply := range replies {
		data, err := reply.Wait()
		if err != nil {
			return nil, err
		}
		content = append(content, data...)
	}
	return content, nil
}
