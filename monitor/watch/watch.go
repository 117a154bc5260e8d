// Package watch says how it is told what may have changed below a directory,
// whichever mechanism of the operating system does the watching. The backends, which
// are packages of their own below this one, differ in speed and in what they may
// miss, never in how they are used: one suite of tests, watchtest, holds them all to
// it.
package watch

import (
	"context"
	"time"
)

// Change says what about a path may have changed. A backend sets more bits
// than necessary rather than fewer: the receiver looks at the file itself.
type Change uint8

const (
	// Content: the bytes of a file.
	Content Change = 1 << iota
	// Meta: mode, owner, times or extended attributes.
	Meta
	// Entry: the path was created, removed, renamed or replaced.
	Entry
	// Tree: the path was or is a directory, and all below it may differ.
	Tree
	// Open: the file is still being made or written; another Change without
	// this bit follows when it is closed. It comes with Entry or Content. There
	// are rare ways to change a file without closing it (truncate(2), mknod(2)),
	// so the receiver waits for that a little only.
	Open
)

// Sink receives what a watcher sees. All calls come from one goroutine, in the
// order of the kernel's queue as far as the backend keeps it, and must return
// quickly: while they run, the kernel's queue fills.
//
// Paths are relative to the root, slash-separated, raw bytes as the file
// system has them; "" is the root itself.
type Sink interface {
	// Changed: path may differ from what it was.
	Changed(path string, change Change)
	// Moved: an entry of the tree was renamed within it. The receiver treats
	// from as removed and to as new if it cannot do better. To do better it has
	// to know that what it holds of from is what was renamed: what it looked at
	// meanwhile may be newer than the rename, and of a changed path below from
	// it may not have been told yet.
	Moved(from, to string, dir bool)
	// Lost: events were lost, and anything below the root may differ.
	Lost(reason string)
	// RootGone: the root was removed, renamed, replaced or unmounted, or is not
	// there yet; nothing follows but answers to barriers, and Lost when it comes.
	RootGone(reason string)
	// Barrier: every change made before Watcher.Barrier(n) was called has been
	// reported by the calls before this one.
	Barrier(n uint64)
}

// Watcher watches one directory tree.
type Watcher interface {
	// Run watches until ctx is done. It arms the whole tree first, calling
	// armed once when every directory is watched or known to be unwatchable: if
	// the root is gone, when it has come back. Changes are reported from the
	// first directory on. Run returns early only
	// when watching is impossible altogether (no inotify instance left, for
	// example): with an error, and the sink is not called any more.
	Run(ctx context.Context, armed func()) error
	// Barrier asks for Sink.Barrier(n) once everything that changed before the
	// call has been reported. Barriers may be merged: the answer to a later
	// one also answers the earlier. It may be called from any goroutine, also
	// before Run has armed the tree (it is then answered after, or while the
	// root is gone).
	Barrier(n uint64)
	// Events is a Barrier to whom it is enough that the events have been reported
	// of what changed before the call: directories that are polled need not be
	// looked at. The numbers of both are one sequence.
	Events(n uint64)
	// Look has the watcher look at directories, and at what is below them, anew
	// because what Options.Enter says of them may have changed. What is not to be
	// watched any more is forgotten, and not reported. What was not watched, or only
	// Alone, and is to be now is watched and reported as Changed(path, Entry|Tree),
	// once for the topmost such directory. Look may be called from any goroutine,
	// by the sink's methods too, and before Run has armed the tree. A Barrier or
	// Events asked for after Look is answered after its reports, and so is one that
	// is not answered yet when the sink, told of a change, calls Look.
	//
	// The watcher asks Enter later than Look is called. What was kept out for so short
	// a time that it was not asked meanwhile has stayed watched, and is not reported:
	// who drops what is kept out, and changes his mind twice, waits for Events in between.
	Look(dirs []string)
	// Stats may be called from any goroutine.
	Stats() Stats
}

// Stats describes a watcher at one moment.
type Stats struct {
	// Backend is "inotify" or "notify".
	Backend string `json:"backend"`
	// Lossless: no change that the operating system reports is ever missed without
	// a Lost call. Behind a watcher that is not lossless, each
	// burst of changes must be followed by a full pass.
	Lossless bool `json:"lossless"`
	// Directories is the number of watched directories. Those that Options.Enter
	// keeps out count here and below as little as if they were not there.
	Directories int `json:"directories"`
	// Polled is the number of directories that cannot be watched and are
	// compared with a snapshot every few seconds instead.
	Polled int `json:"polled,omitempty"`
	// Silent is the number of watched directories that are compared with a snapshot
	// every PollInterval as well, because they may change without an event, and
	// SilentTypes why: the types of their file systems, separated by commas.
	Silent       int           `json:"silent,omitempty"`
	SilentTypes  string        `json:"silent_types,omitempty"`
	PollInterval time.Duration `json:"poll_interval,omitempty"`
	// Problem says why directories are polled, with the remedy; "" if none is.
	Problem string `json:"problem,omitempty"`
}

// Depth is how much of a directory is watched.
type Depth int

const (
	// Whole: the directory and all below it.
	Whole Depth = iota
	// Alone: the directory itself, but no directory in it. It is ignored because of
	// a file in it, whose going must be seen.
	Alone
	// Nothing: it is neither watched, nor listed, nor polled. What happens to the
	// directory itself is an event of the one it is in, and reported; what happens
	// in it is not.
	Nothing
)

// Options are the settings of a watcher.
type Options struct {
	// Backend is "auto", "inotify" or "notify"; "" is "auto".
	Backend string
	// CookieDir is an existing directory outside the root, of the watcher's
	// own, in which it makes and removes files to implement Barrier. The
	// inotify backend does not need it.
	CookieDir string
	// MaxWatches bounds the number of watched directories; 0 means that only
	// the operating system's limit applies. The rest is polled.
	MaxWatches int
	// PollInterval is the least time between two looks at directories that may
	// change without an event; 0 is ten seconds.
	PollInterval time.Duration
	// MountsChanged, if set, is called when something was mounted or unmounted
	// below the root, before that is watched anew and reported: as the sink's
	// methods are, by the same goroutine.
	MountsChanged func()
	// Enter, if set, says how much of a directory is watched. It is called, by the
	// watcher's goroutine, each time before the watcher looks at a directory that it
	// may have to watch or to forget (so that the caller can read the rule files in it
	// before what is in it is asked about), and of nothing whose parent is not watched
	// as a whole; not for the root, which is always watched, and not for each round of
	// polling. A path may be gone, or be no directory, by then.
	//
	// A directory is watched only after Enter has been called for it. What Enter has
	// read may therefore be out of date when the tree is armed, and where Entry|Tree
	// or Lost is reported, without another word about it.
	Enter func(dir string) Depth
}
