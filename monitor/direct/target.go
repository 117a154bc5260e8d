// Package direct brings small changes to a remote without rsync: by requests to
// the remote's file system itself, over sftp or, for a local path, through the
// operating system. A change is visible there after one flight of requests.
//
// Deciding is apart from doing: MakePlan turns dirty paths into steps, and Lane
// carries them out on a Target. Whatever the lane cannot do, or the target
// refuses, is left to rsync, which can say why.
package direct

import (
	"io/fs"
	"math"
	"time"

	"wsync/config"
)

// TempDir is the directory of wsync's own at a destination that is reached by
// sftp. What is written there takes its place in the tree by a rename. It is
// never mirrored, and no full pass sees it.
const TempDir = config.TempDirectory

// Target is the file system of a remote. Its requests are carried out in the
// order in which they are made, whether their replies are waited for or not.
// Paths are relative to the destination, "" is the destination itself.
//
// A Target is used by one goroutine at a time.
type Target interface {
	// Temp begins to make a private file for writing.
	Temp(path string) Temp
	Mkdir(path string, mode fs.FileMode) Reply
	Symlink(target, path string) Reply
	// Rename replaces what is at to, at once for everybody.
	Rename(from, to string) Reply
	// Place is like Rename for what is a regular file or a directory, and replaces
	// nothing, if that takes no wait.
	Place(from, to string) Reply
	// Keep moves anything but a directory to a new name. Where it is to be replaced it
	// may be at its old one as well.
	Keep(path, to string, replaced bool) KeepReply
	// Remove removes anything but a directory, Rmdir an empty directory.
	Remove(path string) Reply
	Rmdir(path string) Reply
	// SetAttributes sets those of a file or directory, SetLinkAttributes time and owner
	// of a symbolic link itself.
	SetAttributes(path string, a Attributes) Reply
	SetLinkAttributes(path string, a Attributes) Reply
	// Type begins to ask what is at path itself.
	Type(path string) TypeReply
	// Modified begins to ask when a directory was changed last.
	Modified(path string) TimeReply
	// Size begins to ask for the size of a file.
	Size(path string) SizeReply
	// Content reads a file of so many bytes; it waits for that.
	Content(path string, size int64) ([]byte, error)
	// Names lists a directory; it waits for that.
	Names(path string) ([]string, error)
	// Room begins to ask how many bytes can still be written.
	Room() RoomReply
	// Flush lets requests go whose replies nobody waits for yet.
	Flush()
	// Piece is how many bytes one Write takes.
	Piece() int
	// Pipelines reports whether requests travel: waiting for each reply costs a
	// round trip.
	Pipelines() bool
	// Maker says who makes what is made there.
	Maker() Maker
	// Owner asks whose something is, and waits for the answer.
	Owner(path string) (Owner, error)
	// Err says why the target cannot be used any more, nil while it can.
	Err() error
}

// Reply is the reply to a request. Its error is the target's, about this
// request, unless Target.Err says that there is no target any more.
type Reply interface{ Wait() error }

// KeepReply is the reply to Target.Keep.
type KeepReply interface {
	// Wait reports whether something was kept. If nothing was and there is no error,
	// there was nothing; where it is to be replaced there may still be a directory.
	Wait() (kept bool, err error)
}

// TypeReply is the reply to Target.Type: the type bits of the mode.
type TypeReply interface{ Wait() (fs.FileMode, error) }

// SizeReply is the reply to Target.Size: the size if it is a regular file.
type SizeReply interface{ Wait() (int64, error) }

// TimeReply is the reply to Target.Modified: the time as far as the target tells it,
// which may be without its fraction.
type TimeReply interface{ Wait() (time.Time, error) }

// RoomReply is the reply to Target.Room.
type RoomReply interface {
	Wait() (bytes uint64, err error)
}

// Temp is a file that is being made. Ready must be waited for before anything
// else.
type Temp interface {
	Ready() error
	Write(offset int64, data []byte) Reply
	SetAttributes(a Attributes) Reply
	Close() Reply
}

// Attributes are what a file or directory is given.
type Attributes struct {
	Mode     fs.FileMode // permissions, with setuid, setgid and sticky
	Modified time.Time
	// Owner is nil where it is right already.
	Owner *Owner
	// Size is that of a file which ends with a hole, or has nothing but holes, nil
	// for others.
	Size *int64
	// Lenient: the mode is set if that can be, and it is no failure if it cannot.
	Lenient bool
}

// Owner has the numbers of a user and a group. Where a target allows for it, either can
// be unset.
type Owner struct{ UID, GID uint32 }

// unset is no number of a user or a group: it stays as it is.
const unset = math.MaxUint32

// Maker is who makes what is made on a target.
type Maker struct {
	// Owner is whose that is, without a word.
	Owner
	// Superuser: it may be given to anybody. Here: the names of users and groups are
	// those of this machine, and one may be set without the other.
	Superuser, Here bool
}
