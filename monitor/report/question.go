package report

import "time"

// Question asks what is known of a path on each remote. It is answered by every Report
// for as long as it is in the Definition.
type Question struct {
	ID string `json:"id"`
	// Path is relative to the workspace; one that is not UTF-8 is in PathBytes.
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"`
}

// Name is the path as it is.
func (q Question) Name() string {
	if q.PathBytes != nil {
		return string(q.PathBytes)
	}
	return q.Path
}

// PathState is what is the matter with a path on a remote.
type PathState string

// The states of a path.
const (
	// PathEqual: the remote has it as it is here, as far as is known.
	PathEqual PathState = "equal"
	// PathAcknowledged: the remote's server has said so, and rsync's comparison follows.
	PathAcknowledged PathState = "acknowledged"
	// PathSending: a transfer is under way for it.
	PathSending PathState = "sending"
	// PathPending: it waits for one.
	PathPending PathState = "pending"
	// PathPostponed: it is gone here, and is to be deleted there later.
	PathPostponed PathState = "postponed"
	// PathKept: it is a directory that is gone here, and stays there for what is ignored
	// in it.
	PathKept PathState = "kept"
	// PathFailing: it was tried, and fails.
	PathFailing PathState = "failing"
	// PathHeld: a guard holds it, until it is approved.
	PathHeld PathState = "held"
	// PathUnreachable: it was on a file system that is not mounted any more.
	PathUnreachable PathState = "unreachable"
	// PathSkipped: it is not there, and nobody waits for it, as options of the remote say.
	PathSkipped PathState = "skipped"
)

// PathStatus is what is known of a path on a remote.
type PathStatus struct {
	ID    string    `json:"id,omitempty"` // of the Question
	State PathState `json:"state"`
	// Above is the directory above it, with all below that, that the state is about;
	// "" if it is the path itself. Everything: it is about the whole workspace, of
	// which a full pass is due.
	Above      string `json:"above,omitempty"`
	Everything bool   `json:"everything,omitempty"`
	// Since is when it was changed that is pending or being sent, or the oldest of that.
	Since *time.Time `json:"since,omitempty"`
	// Due is when it is to be deleted that is postponed.
	Due *time.Time `json:"due,omitempty"`
	// Problem is why it fails or is held, and Hint a next step; Attempts counts the
	// failures in a row, and NextTry is when it is tried again, nil for not before the
	// next full pass or a change.
	Problem  string     `json:"problem,omitempty"`
	Hint     string     `json:"hint,omitempty"`
	Attempts int        `json:"attempts,omitempty"`
	NextTry  *time.Time `json:"next_try,omitempty"`
	// Sent is the last time that it was sent, or what is above it, nil if that is not
	// remembered; of what full passes send it is not.
	Sent *PathSent `json:"sent,omitempty"`
	// Look is what the remote has, nil if it was not asked.
	Look *Look `json:"look,omitempty"`
}

// Plain returns the status without what only the daemon and its monitors have to say to each
// other.
func (s PathStatus) Plain() PathStatus {
	s.ID = ""
	return s
}

// PathSent says how a path was sent.
type PathSent struct {
	At time.Time `json:"at"`
	// With is the directory with which it was sent, "" if it was sent by itself.
	With string `json:"with,omitempty"`
	// Way is "rsync", or "direct" for what went without: by sftp, or on this machine.
	Way string `json:"way"`
	// ComparedAt is when rsync has compared what went without it, nil if it has not yet.
	ComparedAt *time.Time `json:"compared_at,omitempty"`
}

// The ways.
const (
	WayRsync  = "rsync"
	WayDirect = "direct"
)
