package report

import (
	"path/filepath"
	"time"
	"unicode/utf8"
)

// Comparison asks for a comparison of the workspace with a remote, which changes
// nothing on either side. It is carried out once, and given up when it is no longer in
// the Definition.
type Comparison struct {
	ID string `json:"id"`
	// Remote is the identity of the remote, config.Remote.ID.
	Remote string `json:"remote"`
	// Checksum: contents are compared, too, not only sizes and times.
	Checksum bool `json:"checksum,omitempty"`
	// Repair: what is found to be Drift is dirty from then on, and goes the way of all
	// changes.
	Repair bool `json:"repair,omitempty"`
	// Suspended: nobody waits for it now, but somebody may do so again. No step is begun,
	// and what was found stays.
	Suspended bool `json:"suspended,omitempty"`
}

// ComparisonPath is the file with what a comparison has found, a Difference in JSON a
// line, in the run directory of its monitor. It is there from the end of the comparison
// until this is no longer in the Definition.
func ComparisonPath(runDirectory, id string) string {
	return filepath.Join(runDirectory, ComparisonDirectory, id)
}

// ComparisonDirectory is where these files are.
const ComparisonDirectory = "comparisons"

// ComparisonState is how far a comparison is.
type ComparisonState string

// The states of a comparison.
const (
	ComparisonWaiting ComparisonState = "waiting" // for a transfer that is under way
	ComparisonRunning ComparisonState = "running"
	ComparisonDone    ComparisonState = "done"
	ComparisonFailed  ComparisonState = "failed"
)

// Ended reports whether nothing more is to come.
func (s ComparisonState) Ended() bool { return s == ComparisonDone || s == ComparisonFailed }

// ComparisonStatus says how far a comparison is.
type ComparisonStatus struct {
	ID    string          `json:"id"`
	State ComparisonState `json:"state"`
	// Files and Bytes are how much of the workspace was compared by its contents so
	// far, if that was asked for, and TotalFiles and TotalBytes how much there is, 0 as
	// long as that is not known.
	Files      int   `json:"files,omitempty"`
	Bytes      int64 `json:"bytes,omitempty"`
	TotalFiles int   `json:"total_files,omitempty"`
	TotalBytes int64 `json:"total_bytes,omitempty"`
	// Rate and Remaining are as those of a Transfer.
	Rate      int64         `json:"rate,omitempty"`
	Remaining time.Duration `json:"remaining,omitempty"`
	// Error is why it has failed or, while it is running, why it does not go on right now,
	// and Hint a next step or "".
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	// Summary is what one that is done has found.
	Summary *ComparisonSummary `json:"summary,omitempty"`
}

// ComparisonSummary is what a comparison has found, in numbers.
type ComparisonSummary struct {
	// Differences is the number of entries that differ, and Kinds how many they are of
	// each kind.
	Differences int                    `json:"differences"`
	Kinds       map[DifferenceKind]int `json:"kinds,omitempty"`
	// Drift, Pending, Held and Failing are how many of them are so; see DifferenceState.
	Drift   int `json:"drift"`
	Pending int `json:"pending"`
	Held    int `json:"held"`
	Failing int `json:"failing"`
	// Postponed is how many entries are to be deleted later. They are none of the Differences.
	Postponed int `json:"postponed,omitempty"`
	// Files and Bytes are how much was compared by its contents, where both sides have a
	// file.
	Files int   `json:"files,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`
	// Repair is how many of the differences are being repaired.
	Repair int `json:"repair,omitempty"`
	// Send is the number of bytes of the files that would be sent, at most.
	Send int64 `json:"send_bytes"`
	// Skipped is how many entries are not on the remote, and not among the differences,
	// because options of the remote say that nobody waits for them.
	Skipped int `json:"skipped,omitempty"`
	// Unreachable are the paths at which something was mounted that is not any more:
	// they were not compared.
	Unreachable []string `json:"unreachable,omitempty"`
	// Notes are sentences about what could not be compared.
	Notes []string `json:"notes,omitempty"`
}

// Add counts a difference.
func (s *ComparisonSummary) Add(d Difference) {
	if d.State == StatePostponed {
		s.Postponed++
		return
	}
	if s.Kinds == nil {
		s.Kinds = make(map[DifferenceKind]int)
	}
	s.Differences++
	s.Kinds[d.Kind]++
	switch d.State {
	case StateDrift:
		s.Drift++
	case StatePending:
		s.Pending++
	case StateHeld:
		s.Held++
	case StateFailing:
		s.Failing++
	}
	if d.Sends && d.Here != nil && d.Here.Kind == File {
		s.Send += d.Here.Size
	}
}

// DifferenceKind is what there is to be done about an entry.
type DifferenceKind string

// The kinds of differences, what matters most first: of one that differs in several ways
// the first counts.
const (
	DiffNew     DifferenceKind = "new"     // only the workspace has it
	DiffDelete  DifferenceKind = "delete"  // only the remote has it
	DiffKind    DifferenceKind = "kind"    // one side has a file, and the other a directory, for example
	DiffContent DifferenceKind = "content" // the contents of a file, or its size
	DiffTarget  DifferenceKind = "target"  // where a link leads
	DiffTime    DifferenceKind = "time"    // of a file of the same size, whose contents may differ too unless they were compared
	DiffMode    DifferenceKind = "mode"
	DiffOwner   DifferenceKind = "owner"
	DiffGroup   DifferenceKind = "group"
	DiffACL     DifferenceKind = "acl"
	DiffXattrs  DifferenceKind = "xattrs"
	DiffLink    DifferenceKind = "link"    // another file there, and another name of one here
	DiffDevice  DifferenceKind = "device"  // which one it is
	DiffUnknown DifferenceKind = "unknown" // it could not be compared; see Difference.Problem
)

// DifferenceState is what wsync knew of a difference.
type DifferenceState string

// The states of a difference.
const (
	// StateDrift: wsync thinks that both sides are equal there.
	StateDrift DifferenceState = "drift"
	// StatePending: something has changed here, and has not arrived or not been verified, or
	// a full pass is due.
	StatePending DifferenceState = "pending"
	// StateHeld: a guard holds it, until it is approved.
	StateHeld DifferenceState = "held"
	// StateFailing: it was tried, and fails.
	StateFailing DifferenceState = "failing"
	// StatePostponed: it is to be deleted there, and is not due yet.
	StatePostponed DifferenceState = "postponed"
	// StateSkipped: nobody waits for it, as options of the remote say. It is not told.
	StateSkipped DifferenceState = "skipped"
	// StateRepaired: it was found by a verification, and went the way of changes then.
	StateRepaired DifferenceState = "repaired"
)

// Difference is an entry that differs.
type Difference struct {
	// Path is relative to the workspace. One that is not UTF-8 is in PathBytes, and Path
	// only looks like it.
	Path      string         `json:"path"`
	PathBytes []byte         `json:"path_bytes,omitempty"`
	Kind      DifferenceKind `json:"kind"`
	// Differs is all that differs of one that both sides have, in the order of the kinds.
	Differs []DifferenceKind `json:"differs,omitempty"`
	State   DifferenceState  `json:"state"`
	// Due is when it is to be deleted that is postponed.
	Due *time.Time `json:"due,omitempty"`
	// Problem is why it fails, or could not be compared.
	Problem string `json:"problem,omitempty"`
	// Sends: a file's contents would be sent.
	Sends bool `json:"sends,omitempty"`
	// Here is the workspace's entry, and There that of the remote; nil for one that is
	// not there, or of which nothing is known.
	Here  *Entry `json:"here,omitempty"`
	There *Entry `json:"there,omitempty"`
}

// SetName sets the path.
func (d *Difference) SetName(name string) {
	d.Path, d.PathBytes = name, nil
	if !utf8.ValidString(name) {
		d.PathBytes = []byte(name)
	}
}

// Name is the path as it is.
func (d *Difference) Name() string {
	if d.PathBytes != nil {
		return string(d.PathBytes)
	}
	return d.Path
}

// Entry is one side of a difference.
type Entry struct {
	Kind string `json:"kind"` // File, Directory, Link or Special
	// Size is in bytes, of a file.
	Size int64 `json:"size"`
	// ModTime is to the second for a remote's.
	ModTime time.Time `json:"mod_time"`
	// Mode is as ls(1) has it, without the first letter.
	Mode string `json:"mode"`
	// Target is where a link leads.
	Target string `json:"target,omitempty"`
	// Owner are the numbers of owner and group, "0:0" for example, where that is told: only
	// of what a Look finds on this machine.
	Owner string `json:"owner,omitempty"`
}
