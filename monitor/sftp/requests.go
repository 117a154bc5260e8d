package sftp

import "fmt"

// Handle names an open file or directory of the server, until it is closed or
// the session ends.
type Handle string

// The flags of a request to open that are used (draft-ietf-secsh-filexfer-02,
// section 6.3).
const (
	openRead    = 0x01
	openWrite   = 0x02
	openCreate  = 0x08
	openExclude = 0x20
)

// OpenReply is the reply to Create.
type OpenReply struct{ *Reply }

// Wait returns the handle, which must be closed.
func (r OpenReply) Wait() (Handle, error) {
	p, err := r.wait(typeHandle)
	if err != nil {
		return "", err
	}
	h := Handle(p.string())
	return h, p.err
}

// Create queues the creation of a file that does not exist yet, for writing,
// with permissions that keep it private until they are set. If there is
// something at path already, even a symbolic link, it fails.
func (c *Client) Create(path string) OpenReply {
	mode := uint32(0o600)
	return OpenReply{c.request(typeOpen, func(b []byte) []byte {
		b = appendUint32(appendString(b, path), openWrite|openCreate|openExclude)
		return Attrs{Mode: &mode}.append(b)
	})}
}

// Open queues the opening of a file for reading.
func (c *Client) Open(path string) OpenReply {
	return OpenReply{c.request(typeOpen, func(b []byte) []byte {
		return Attrs{}.append(appendUint32(appendString(b, path), openRead))
	})}
}

// MaxRead is how many bytes one Read brings with every server, unless the file ends.
const MaxRead = 32 << 10

// DataReply is the reply to Read.
type DataReply struct{ *Reply }

// Wait returns what was read; the error is io.EOF where there is nothing any more.
func (r DataReply) Wait() ([]byte, error) {
	p, err := r.wait(typeData)
	if err != nil {
		return nil, err
	}
	data := p.string()
	return []byte(data), p.err
}

// Read queues a read of at most MaxRead bytes, at an offset in bytes.
func (c *Client) Read(h Handle, offset uint64, length int) DataReply {
	return DataReply{c.request(typeRead, func(b []byte) []byte {
		return appendUint32(appendUint64(appendString(b, h), offset), uint32(length))
	})}
}

// Write queues a write of at most Client.MaxWrite bytes, at an offset in bytes.
// data may be reused when it returns.
func (c *Client) Write(h Handle, offset uint64, data []byte) *Reply {
	return c.request(typeWrite, func(b []byte) []byte {
		return appendString(appendUint64(appendString(b, h), offset), data)
	})
}

// Fsetstat queues a change of an open file's attributes.
func (c *Client) Fsetstat(h Handle, a Attrs) *Reply {
	return c.request(typeFsetstat, func(b []byte) []byte { return a.append(appendString(b, h)) })
}

// CloseHandle queues the closing of a handle. The handle is gone whatever the
// reply is.
func (c *Client) CloseHandle(h Handle) *Reply {
	return c.request(typeClose, func(b []byte) []byte { return appendString(b, h) })
}

// Setstat queues a change of attributes; a symbolic link is followed.
func (c *Client) Setstat(path string, a Attrs) *Reply {
	return c.request(typeSetstat, func(b []byte) []byte { return a.append(appendString(b, path)) })
}

// Lsetstat queues a change of attributes of an entry that may be a symbolic
// link, which is not followed. The server must have it, see HasLsetstat.
func (c *Client) Lsetstat(path string, a Attrs) *Reply {
	return c.extended(extLsetstat, func(b []byte) []byte { return a.append(appendString(b, path)) })
}

// HasLsetstat reports whether Lsetstat works ("lsetstat@openssh.com").
func (c *Client) HasLsetstat() bool { return c.Has(extLsetstat, "1") }

// PosixRename queues a rename that replaces what is there, at once for
// everybody. The server must have it, see HasPosixRename.
func (c *Client) PosixRename(from, to string) *Reply {
	return c.extended(extPosixRename, func(b []byte) []byte { return appendString(appendString(b, from), to) })
}

// HasPosixRename reports whether PosixRename works ("posix-rename@openssh.com").
func (c *Client) HasPosixRename() bool { return c.Has(extPosixRename, "1") }

// Rename queues a rename that replaces nothing. OpenSSH's server makes a link of a file
// and removes the old name; of anything else it looks whether the new name leads to
// something, so that a dangling symbolic link is replaced.
func (c *Client) Rename(from, to string) *Reply {
	return c.request(typeRename, func(b []byte) []byte { return appendString(appendString(b, from), to) })
}

// Remove queues the removal of something that is no directory.
func (c *Client) Remove(path string) *Reply { return c.onPath(typeRemove, path) }

// Rmdir queues the removal of an empty directory.
func (c *Client) Rmdir(path string) *Reply { return c.onPath(typeRmdir, path) }

// Mkdir queues the creation of a directory. The server's umask applies to the
// mode; OpenSSH's server ignores all other attributes.
func (c *Client) Mkdir(path string, a Attrs) *Reply {
	return c.request(typeMkdir, func(b []byte) []byte { return a.append(appendString(b, path)) })
}

// Symlink queues the creation of a symbolic link. The arguments travel in the
// order that OpenSSH has, which is the reverse of the draft's (OpenSSH's
// PROTOCOL, section 4.1).
func (c *Client) Symlink(target, link string) *Reply {
	return c.request(typeSymlink, func(b []byte) []byte { return appendString(appendString(b, target), link) })
}

// AttrsReply is the reply to Lstat and Fstat.
type AttrsReply struct{ *Reply }

// Wait returns the attributes.
func (r AttrsReply) Wait() (Attrs, error) {
	p, err := r.wait(typeAttrs)
	if err != nil {
		return Attrs{}, err
	}
	a := p.attrs()
	if p.err != nil {
		return Attrs{}, p.err
	}
	return a, nil
}

// Lstat queues a look at an entry; a symbolic link is not followed.
func (c *Client) Lstat(path string) AttrsReply {
	return AttrsReply{c.onPath(typeLstat, path)}
}

// Fstat queues a look at an open file.
func (c *Client) Fstat(h Handle) AttrsReply {
	return AttrsReply{c.request(typeFstat, func(b []byte) []byte { return appendString(b, h) })}
}

// PathReply is the reply to Realpath.
type PathReply struct{ *Reply }

// Wait returns the path.
func (r PathReply) Wait() (string, error) {
	p, err := r.wait(typeName)
	if err != nil {
		return "", err
	}
	n, path := p.uint32(), p.string()
	if p.err == nil && n != 1 {
		return "", fmt.Errorf("%w: %d names, expected 1", errMalformed, n)
	}
	return path, p.err
}

// Realpath queues the question for the absolute path of what path leads to,
// from the directory in which the session began. Whether the last element must
// exist is up to the server; OpenSSH's does without.
func (c *Client) Realpath(path string) PathReply {
	return PathReply{c.onPath(typeRealpath, path)}
}

// onPath queues a request that has nothing but a path.
func (c *Client) onPath(kind byte, path string) *Reply {
	return c.request(kind, func(b []byte) []byte { return appendString(b, path) })
}

// extended queues a request of an extension.
func (c *Client) extended(name string, build func(b []byte) []byte) *Reply {
	return c.request(typeExtended, func(b []byte) []byte { return build(appendString(b, name)) })
}
