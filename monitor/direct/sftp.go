package direct

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"wsync/monitor/sftp"
)

// remote is a directory of an sftp server as a target.
type remote struct {
	client *sftp.Client
	dir    string
	// maker is the user of the server. If that may give files to anybody, nobody's files
	// may become the superuser's by accident.
	maker Maker
}

// NewSFTP returns the target at dir of a server, which several targets may
// share. ok is false when the server cannot do what is needed, or does not see
// the file that is at witness there and was written by other means: then dir
// is not for it what it is for rsync.
//
// Requests that overtake each other would put half a file into place. OpenSSH's
// server carries them out one by one, and lsetstat@openssh.com is the mark of
// it: others do not have that.
func NewSFTP(client *sftp.Client, dir, witness string) (t Target, ok bool) {
	if !client.HasPosixRename() || !client.HasLsetstat() {
		return nil, false
	}
	r := &remote{client: client, dir: strings.TrimRight(dir, "/")}
	seen := client.Lstat(r.path(witness))
	// Whose the witness is, rsync was told.
	own := r.path(path.Dir(witness) + "-sftp")
	made := client.Mkdir(own, sftp.Attrs{})
	mine := client.Lstat(own)
	removed := client.Rmdir(own)
	is, err := mine.Wait()
	_, notSeen := seen.Wait()
	if errors.Join(made.Wait(), err, notSeen, removed.Wait()) != nil || is.Owner == nil {
		return nil, false
	}
	r.maker = Maker{Owner: Owner(*is.Owner), Superuser: is.Owner.UID == 0}
	return r, true
}

func (r *remote) path(name string) string {
	if name == "" && r.dir != "" {
		return r.dir
	}
	return r.dir + "/" + name
}

func (r *remote) Mkdir(path string, mode fs.FileMode) Reply {
	// The rest of the attributes follow when the directory has its entries.
	private := uint32(mode.Perm()) | 0o700
	return r.client.Mkdir(r.path(path), sftp.Attrs{Mode: &private})
}

func (r *remote) Symlink(target, path string) Reply { return r.client.Symlink(target, r.path(path)) }
func (r *remote) Rename(from, to string) Reply {
	return r.client.PosixRename(r.path(from), r.path(to))
}
func (r *remote) Place(from, to string) Reply { return r.client.Rename(r.path(from), r.path(to)) }
func (r *remote) Remove(path string) Reply    { return r.client.Remove(r.path(path)) }
func (r *remote) Rmdir(path string) Reply     { return r.client.Rmdir(r.path(path)) }
func (r *remote) Flush()                      { r.client.Flush() }
func (r *remote) Piece() int                  { return r.client.MaxWrite() }
func (r *remote) Pipelines() bool             { return true }
func (r *remote) Err() error                  { return r.client.Err() }

func (r *remote) Maker() Maker { return r.maker }

func (r *remote) Owner(path string) (Owner, error) {
	is, err := r.client.Lstat(r.path(path)).Wait()
	switch {
	case err != nil:
		return Owner{}, err
	case is.Owner == nil:
		return Owner{}, fs.ErrInvalid
	}
	return Owner(*is.Owner), nil
}

func (r *remote) SetAttributes(path string, a Attributes) Reply {
	rest := sftp.SetMode(a.Mode, a.Modified)
	if a.Lenient {
		return lenient(rest, func(a sftp.Attrs) Reply { return r.client.Setstat(r.path(path), a) })
	}
	if a.Owner == nil {
		return r.client.Setstat(r.path(path), rest)
	}
	// OpenSSH sets the owner last, which clears setuid and setgid.
	return replies{r.client.Setstat(r.path(path), owned(a)), r.client.Setstat(r.path(path), rest)}
}

// owned sets the owner alone.
func owned(a Attributes) sftp.Attrs { return sftp.Attrs{Owner: (*sftp.Owner)(a.Owner)} }

// lenient sets the times, and the mode if that can be.
func lenient(a sftp.Attrs, set func(sftp.Attrs) Reply) Reply {
	set(sftp.Attrs{Mode: a.Mode}) // whatever comes of it
	a.Mode = nil
	return set(a)
}

// replies are those to several requests that belong together.
type replies []Reply

func (rs replies) Wait() error {
	var failures []error
	for _, r := range rs {
		failures = append(failures, r.Wait())
	}
	return errors.Join(failures...)
}

func (r *remote) SetLinkAttributes(path string, a Attributes) Reply {
	attrs := sftp.SetMode(0, a.Modified)
	attrs.Mode = nil // a link has none of its own
	if a.Owner != nil && *a.Owner != r.maker.Owner {
		attrs.Owner = owned(a).Owner
	}
	return r.client.Lsetstat(r.path(path), attrs)
}

// remoteType is the answer to Type.
type remoteType struct{ sftp.AttrsReply }

func (r remoteType) Wait() (fs.FileMode, error) {
	a, err := r.AttrsReply.Wait()
	switch {
	case err != nil:
		return 0, err
	case a.IsDirectory():
		return fs.ModeDir, nil
	case a.IsRegular():
		return 0, nil
	case a.IsSymlink():
		return fs.ModeSymlink, nil
	}
	return fs.ModeIrregular, nil
}

func (r *remote) Type(path string) TypeReply { return remoteType{r.client.Lstat(r.path(path))} }

// remoteTime is the answer to Modified.
type remoteTime struct{ sftp.AttrsReply }

func (r remoteTime) Wait() (time.Time, error) {
	a, err := r.AttrsReply.Wait()
	switch {
	case err != nil:
		return time.Time{}, err
	case a.Times == nil:
		return time.Time{}, fs.ErrInvalid
	}
	return time.Unix(int64(a.Times.Modification), 0), nil
}

func (r *remote) Modified(path string) TimeReply {
	if path == "" {
		path = "." // it may be a symbolic link
	}
	return remoteTime{r.client.Lstat(r.path(path))}
}

func (r *remote) Names(path string) ([]string, error) {
	entries, err := r.client.ReadDir(r.path(path))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names, nil
}

// remoteRoom is the answer to Room.
type remoteRoom struct{ sftp.FilesystemReply }

func (r remoteRoom) Wait() (uint64, error) {
	system, err := r.FilesystemReply.Wait()
	return system.Available, err
}

func (r *remote) Room() RoomReply {
	if !r.client.HasStatvfs() {
		return roomReply{err: fs.ErrInvalid}
	}
	return remoteRoom{r.client.Statvfs(r.path(""))}
}

// remoteTemp is a file that is being made.
type remoteTemp struct {
	remote *remote
	open   sftp.OpenReply
	handle sftp.Handle
}

func (r *remote) Temp(path string) Temp {
	return &remoteTemp{remote: r, open: r.client.Create(r.path(path))}
}

func (t *remoteTemp) Ready() (err error) {
	if t.handle == "" {
		t.handle, err = t.open.Wait()
	}
	return err
}

func (t *remoteTemp) Write(offset int64, data []byte) Reply {
	return t.remote.client.Write(t.handle, uint64(offset), data)
}

// SetAttributes leaves the owner as it is where it is the one who made the file.
func (t *remoteTemp) SetAttributes(a Attributes) Reply {
	set := func(a sftp.Attrs) Reply { return t.remote.client.Fsetstat(t.handle, a) }
	attrs := sftp.SetMode(a.Mode, a.Modified)
	if a.Size != nil {
		size := uint64(*a.Size)
		attrs.Size = &size
	}
	var first replies
	if a.Owner != nil && *a.Owner != t.remote.maker.Owner {
		first = replies{set(owned(a))}
	}
	if a.Lenient {
		return append(first, lenient(attrs, set))
	}
	if first == nil {
		return set(attrs)
	}
	return append(first, set(attrs))
}

func (t *remoteTemp) Close() Reply { return t.remote.client.CloseHandle(t.handle) }
