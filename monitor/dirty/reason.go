package dirty

// Reason is why a path cannot be on a remote however often it is tried, until
// it or the remote is another; "" is that it may succeed the next time. It is in
// words for people.
type Reason string

// The reasons.
const (
	// TooLong: the path, or a name in it, has more bytes than rsync or the
	// remote takes.
	TooLong Reason = "path too long"
	// BadName: the remote's file system has no such names.
	BadName Reason = "name not possible there"
	// TooLarge: the remote's file system has no files of this size.
	TooLarge Reason = "file too large"
	// BadKind: the remote's file system, or its user, cannot make entries of
	// this kind: devices, pipes, sockets or symbolic links.
	BadKind Reason = "kind not possible there"
	// LeftOut: the options of the remote leave entries of this kind out, and nobody
	// waits for it.
	LeftOut Reason = "left out"
	// Meets: another name, which is kept, is the same file on the remote's file
	// system.
	Meets Reason = "another name is the same file there"
	// Excluded: the rsync daemon is told to take nothing of this name.
	Excluded Reason = "excluded by the rsync daemon"
	// BadAttribute: the remote's file system cannot keep this mode, owner or
	// time. The contents are there.
	BadAttribute Reason = "mode, owner or time not possible there"
)
