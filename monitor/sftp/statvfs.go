package sftp

import (
	"math"
	"math/bits"
)

// The flags of a file system (OpenSSH's PROTOCOL, section 4.4).
const (
	FilesystemReadOnly = 0x1
	FilesystemNoSetuid = 0x2
)

// Filesystem is what Statvfs tells.
type Filesystem struct {
	// Available is how many bytes users without privileges may still write.
	Available uint64
	// Files is how many files there can be in all, 0 where that is not limited, and
	// AvailableFiles how many users without privileges may still make.
	Files, AvailableFiles uint64
	// Flags are those above; there may be more.
	Flags uint64
}

// FilesystemReply is the reply to Statvfs.
type FilesystemReply struct{ *Reply }

// Wait returns what the server tells of the file system.
func (r FilesystemReply) Wait() (Filesystem, error) {
	p, err := r.wait(typeExtendedReply)
	if err != nil {
		return Filesystem{}, err
	}
	var fields [11]uint64
	for i := range fields {
		fields[i] = p.uint64()
	}
	if p.err != nil {
		return Filesystem{}, p.err
	}
	// f_bavail counts units of f_frsize.
	unit, available, flags := fields[1], fields[4], fields[9]
	high, low := bits.Mul64(unit, available)
	if high != 0 {
		low = math.MaxUint64
	}
	return Filesystem{Available: low, Files: fields[5], AvailableFiles: fields[7], Flags: flags}, nil
}

// Statvfs queues a look at the file system that path is on. The server must
// have it, see HasStatvfs.
func (c *Client) Statvfs(path string) FilesystemReply {
	return FilesystemReply{c.extended(extStatvfs, func(b []byte) []byte { return appendString(b, path) })}
}

// HasStatvfs reports whether Statvfs works ("statvfs@openssh.com").
func (c *Client) HasStatvfs() bool { return c.Has(extStatvfs, "2") }
