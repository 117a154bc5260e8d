package sftp

import (
	"io/fs"
	"math"
	"time"
)

// The flags that say which attributes are present, and the kinds of entries in
// the mode (draft-ietf-secsh-filexfer-02, section 5; stat(2)).
const (
	attrSize        = 0x00000001
	attrOwner       = 0x00000002
	attrPermissions = 0x00000004
	attrTimes       = 0x00000008
	attrExtended    = 0x80000000

	modeKind      = 0o170000
	modeDirectory = 0o040000
	modeRegular   = 0o100000
	modeSymlink   = 0o120000
)

// Attrs are attributes of an entry (draft-ietf-secsh-filexfer-02, section 5). A
// nil pointer is one that is not present, or not to be changed.
type Attrs struct {
	// Size is in bytes. To set it truncates or extends.
	Size *uint64
	// Owner has user and group: the protocol knows them together only.
	Owner *Owner
	// Mode has the kind and the permissions, in Unix's bits. Of a mode to be
	// set the kind is ignored.
	Mode *uint32
	// Times are those of access and modification.
	Times *Times
}

// Owner has the numbers of a user and a group on the server.
type Owner struct{ UID, GID uint32 }

// Times are the times of an entry, in seconds since 1970: the protocol has no
// fractions.
type Times struct{ Access, Modification uint32 }

// SetMode returns attributes that set permissions (with setuid, setgid and
// sticky) and modification time, the latter without its fraction; it is the
// access time, too. A time that the protocol cannot express, one before 1970 or
// after 2106, becomes the nearest that it can.
func SetMode(mode fs.FileMode, modified time.Time) Attrs {
	bits := uint32(mode.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if mode&b.mode != 0 {
			bits |= b.bit
		}
	}
	seconds := uint32(min(max(modified.Unix(), 0), math.MaxUint32))
	return Attrs{Mode: &bits, Times: &Times{seconds, seconds}}
}

// IsDirectory, IsRegular and IsSymlink tell the kind, if it is present.
func (a Attrs) IsDirectory() bool { return a.Mode != nil && *a.Mode&modeKind == modeDirectory }
func (a Attrs) IsRegular() bool   { return a.Mode != nil && *a.Mode&modeKind == modeRegular }
func (a Attrs) IsSymlink() bool   { return a.Mode != nil && *a.Mode&modeKind == modeSymlink }

func (a Attrs) append(b []byte) []byte {
	var flags uint32
	if a.Size != nil {
		flags |= attrSize
	}
	if a.Owner != nil {
		flags |= attrOwner
	}
	if a.Mode != nil {
		flags |= attrPermissions
	}
	if a.Times != nil {
		flags |= attrTimes
	}
	b = appendUint32(b, flags)
	if a.Size != nil {
		b = appendUint64(b, *a.Size)
	}
	if a.Owner != nil {
		b = appendUint32(appendUint32(b, a.Owner.UID), a.Owner.GID)
	}
	if a.Mode != nil {
		b = appendUint32(b, *a.Mode)
	}
	if a.Times != nil {
		b = appendUint32(appendUint32(b, a.Times.Access), a.Times.Modification)
	}
	return b
}

// attrs reads attributes. Extended ones, which no server is known to send, are
// skipped.
func (p *parser) attrs() Attrs {
	var a Attrs
	flags := p.uint32()
	if flags&attrSize != 0 {
		size := p.uint64()
		a.Size = &size
	}
	if flags&attrOwner != 0 {
		a.Owner = &Owner{p.uint32(), p.uint32()}
	}
	if flags&attrPermissions != 0 {
		mode := p.uint32()
		a.Mode = &mode
	}
	if flags&attrTimes != 0 {
		a.Times = &Times{p.uint32(), p.uint32()}
	}
	if flags&attrExtended != 0 {
		for n := p.uint32(); n > 0 && p.err == nil; n-- {
			p.string()
			p.string()
		}
	}
	return a
}
