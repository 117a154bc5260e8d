package report

import (
	"time"
	"unicode/utf8"
)

// Listing asks for a list of all paths that are open on a remote. It is made once, and
// given up when it is no longer in the Definition. The list is at ComparisonPath, an
// OpenPath in JSON a line, from when RemoteStatus.Listings has the ID until then.
type Listing struct {
	ID string `json:"id"`
	// Remote is the identity of the remote, config.Remote.ID.
	Remote string `json:"remote"`
}

// ListingStatus says that a list was made.
type ListingStatus struct {
	ID string `json:"id"`
	// Error is why there is none, "" if there is one.
	Error string `json:"error,omitempty"`
}

// OpenPath is a path that a remote lacks, as far as is known, or of which it cannot hold
// what is here.
type OpenPath struct {
	// Path is relative to the workspace, "" for its directory. One that is not UTF-8 is in
	// PathBytes, and Path only looks like it.
	Path      string    `json:"path"`
	PathBytes []byte    `json:"path_bytes,omitempty"`
	State     PathState `json:"state"`
	// Everything: it is no path, but a full pass. Tree: it is about all that is below it,
	// too. Window: it waits for the window of the remote.
	Everything bool `json:"everything,omitempty"`
	Tree       bool `json:"tree,omitempty"`
	Window     bool `json:"window,omitempty"`
	// From is the name that the path has on the remote until a rename is repeated there,
	// and FromBytes is as PathBytes.
	From      string `json:"from,omitempty"`
	FromBytes []byte `json:"from_bytes,omitempty"`
	// Since is when it was changed, the oldest of the changes that are open.
	Since *time.Time `json:"since,omitempty"`
	// Problem, Hint and Attempts are as in PathStatus. NextTry is when it is tried again,
	// for what is tried with full passes only when the next one is due, nil for as soon as
	// the remote takes something.
	Problem  string     `json:"problem,omitempty"`
	Hint     string     `json:"hint,omitempty"`
	Attempts int        `json:"attempts,omitempty"`
	NextTry  *time.Time `json:"next_try,omitempty"`
}

// SetName sets the path.
func (p *OpenPath) SetName(name string) { p.Path, p.PathBytes = textAndBytes(name) }

// SetFrom sets the name before a rename.
func (p *OpenPath) SetFrom(name string) { p.From, p.FromBytes = textAndBytes(name) }

// Name is the path as it is, and Before the name before a rename.
func (p OpenPath) Name() string   { return nameOf(p.Path, p.PathBytes) }
func (p OpenPath) Before() string { return nameOf(p.From, p.FromBytes) }

// textAndBytes are the two fields of a name: it as text, and its bytes if it is none.
func textAndBytes(name string) (text string, bytes []byte) {
	if !utf8.ValidString(name) {
		bytes = []byte(name)
	}
	return name, bytes
}

// nameOf is the name with these fields.
func nameOf(text string, bytes []byte) string {
	if bytes != nil {
		return string(bytes)
	}
	return text
}
