package report

import (
	"time"
	"unicode/utf8"
)

// Event is something that happened. The journals keep those of the last days, one in JSON
// a line.
type Event struct {
	Time time.Time `json:"time"`
	// Workspace and Remote are the names of what it is about, "" where it is about more.
	// RemoteID is config.Remote.ID, which stays when the name changes.
	Workspace string    `json:"workspace,omitempty"`
	Remote    string    `json:"remote,omitempty"`
	RemoteID  string    `json:"remote_id,omitempty"`
	Kind      EventKind `json:"kind"`
	PathList
	// Files and Bytes are how much was sent, and Took is for how long, in nanoseconds.
	Files int           `json:"files,omitempty"`
	Bytes int64         `json:"bytes,omitempty"`
	Took  time.Duration `json:"took,omitempty"`
	// Unsure: the remote has not said that it is done, and may have done it.
	Unsure bool `json:"unsure,omitempty"`
	// State is what a remote is doing now: that of its status, though InSync stands for
	// Confirming, and Syncing for Pending, too. Error, ErrorPath and Hint are as in
	// RemoteStatus.
	State     State  `json:"state,omitempty"`
	Error     string `json:"error,omitempty"`
	ErrorPath string `json:"error_path,omitempty"`
	Hint      string `json:"hint,omitempty"`
	// Detail is what else there is to say: options that were set, the name or the place
	// from now on, how a process ended.
	Detail string `json:"detail,omitempty"`
	PID    int    `json:"pid,omitempty"`
}

// EventKind is what has happened.
type EventKind string

// What monitors tell of.
const (
	// EventSent: Count paths were sent; Paths are the first MaxSentPaths of them.
	EventSent EventKind = "sent"
	// EventDeleted: Count entries were deleted on the remote, all of which are named up
	// to MaxDeletedPaths, or MaxPathBytes of names.
	EventDeleted EventKind = "deleted"
	// EventRenamed: it was repeated on the remote that entries have other names.
	EventRenamed EventKind = "renamed"
	// EventFullPass: all was compared, and Count entries had to be sent. EventRepaired is
	// one that has found Count entries to differ of which nothing had told.
	EventFullPass EventKind = "full_pass"
	EventRepaired EventKind = "repaired"
	// EventFailing: paths fail for the first time, each with its Problem.
	EventFailing EventKind = "failing"
	// EventHookFailed: a command of on-sync or on-sync-remote failed, Error says how.
	EventHookFailed EventKind = "hook_failed"
	// EventLost: changes were missed, and a full pass follows.
	EventLost EventKind = "events_lost"
	// EventOmitted: Count events could not be written to the journal.
	EventOmitted EventKind = "omitted"
)

// What the daemon tells of.
const (
	// EventState: a remote is in another State.
	EventState EventKind = "state"
	// EventHeld: deletions are held, of which Paths are a sample; or, without a Count,
	// something else waits for approval.
	EventHeld      EventKind = "held"
	EventApproved  EventKind = "approved"
	EventAttached  EventKind = "attached"
	EventDetached  EventKind = "detached"
	EventElsewhere EventKind = "elsewhere" // Detail is the destination, or the directory, from now on
	EventSet       EventKind = "set"
	EventIgnore    EventKind = "ignore"
	EventName      EventKind = "name" // Detail is the name from now on
	EventPaused    EventKind = "paused"
	EventResumed   EventKind = "resumed"
	EventResync    EventKind = "resync"
	EventRestart   EventKind = "restart"
	EventAdded     EventKind = "added"
	EventRemoved   EventKind = "removed"

	EventMonitorStarted EventKind = "monitor_started"
	EventMonitorEnded   EventKind = "monitor_ended" // though nobody had asked it to
	EventDaemonStarted  EventKind = "daemon_started"
	EventDaemonStopped  EventKind = "daemon_stopped"

	// EventVerified: a remote was compared by contents, and Count entries differ.
	// EventDifference names them, each with its Kind.
	EventVerified   EventKind = "verified"
	EventDifference EventKind = "difference"
)

// The bounds of the paths of one event.
const (
	MaxSentPaths    = 100
	MaxDeletedPaths = 10000
	MaxPathBytes    = 1 << 20 // of all names together
	MaxLoggedPaths  = 50      // of which a line of a log has the names
)

// PathList is a number of paths, of which the first are named.
type PathList struct {
	Count int         `json:"count,omitempty"`
	Paths []EventPath `json:"paths,omitempty"`

	bytes int // of the names in Paths
}

// EventPath is a path that an event is about, relative to the workspace. One that is not
// UTF-8 is in PathBytes, and Path only looks like it.
type EventPath struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"`
	// From is the name that it had before; FromBytes is as PathBytes.
	From      string `json:"from,omitempty"`
	FromBytes []byte `json:"from_bytes,omitempty"`
	// Problem is why it fails.
	Problem string `json:"problem,omitempty"`
	// Kind is in what it differs.
	Kind DifferenceKind `json:"kind,omitempty"`
}

// NewEventPath returns the EventPath of a name; from is the name before, or "".
func NewEventPath(name, from string) EventPath {
	p := EventPath{Path: name, From: from}
	if !utf8.ValidString(name) {
		p.PathBytes = []byte(name)
	}
	if !utf8.ValidString(from) {
		p.FromBytes = []byte(from)
	}
	return p
}

// Name is Path as it is.
func (p EventPath) Name() string {
	if p.PathBytes != nil {
		return string(p.PathBytes)
	}
	return p.Path
}

// Before is From as it is.
func (p EventPath) Before() string {
	if p.FromBytes != nil {
		return string(p.FromBytes)
	}
	return p.From
}

// Add counts a path, and names it unless there are most already, or MaxPathBytes.
func (l *PathList) Add(p EventPath, most int) {
	l.Count++
	n := len(p.Path) + len(p.From) + len(p.Problem)
	if len(l.Paths) >= most || l.bytes+n > MaxPathBytes {
		return
	}
	l.bytes += n
	l.Paths = append(l.Paths, p)
}

// Join adds the paths of another list, and those that it does not name.
func (l *PathList) Join(other PathList, most int) {
	for _, p := range other.Paths {
		l.Add(p, most)
	}
	l.Count += other.Unnamed()
}

// Names are the first MaxLoggedPaths of the paths that are named; of a rename it is both
// names.
func (l PathList) Names() (names []string) {
	for _, p := range l.Paths[:min(len(l.Paths), MaxLoggedPaths)] {
		name := p.Name()
		if before := p.Before(); before != "" {
			name = before + " -> " + name
		}
		if p.Problem != "" {
			name += ": " + p.Problem
		}
		names = append(names, name)
	}
	return names
}

// First is the list with no more than so many names.
func (l PathList) First(most int) PathList {
	if len(l.Paths) > most {
		l.Paths = l.Paths[:most:most]
	}
	return l
}

// Unnamed is how many paths are not named.
func (l PathList) Unnamed() int { return max(l.Count-len(l.Paths), 0) }
