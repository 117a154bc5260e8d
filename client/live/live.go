// Package live is what the live views of the status, on a terminal and in a browser, have in
// common: what they show, what they ask for, and how they stay up to date.
package live

import (
	"context"
	"time"

	"wsync/daemon/api"
)

// A Board is a status in words for people. Nothing in it can steer a terminal, and nothing
// but a row's details has more than one line.
type Board struct {
	// Summary is how all remotes stand, Notes are what is wrong with the daemon itself.
	Summary string   `json:"summary"`
	Notes   []string `json:"notes,omitempty"`
	// Rows has one for each remote, and for each workspace without any, the worst first.
	Rows []Row `json:"rows"`
}

// A Row is a remote, or a workspace without any, whose Remote is "".
type Row struct {
	Workspace   string `json:"workspace"`
	Remote      string `json:"remote"`
	Destination string `json:"destination"`
	// Standing is the word of a report.Standing, and Level what to make of it.
	Standing string `json:"standing"`
	Level    Level  `json:"level"`
	// State says what it is doing, and Since for how long.
	State string `json:"state"`
	Since string `json:"since"`
	// Pending is how much is not there yet, and Rate how much goes there in a second; ""
	// for nothing.
	Pending string `json:"pending,omitempty"`
	Rate    string `json:"rate,omitempty"`
	// Latencies are report.RemoteStatus.Latencies.
	Latencies []time.Duration `json:"latencies,omitempty"`
	// Problem is what is wrong, and Hint what to do.
	Problem string `json:"problem,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// ErrorPath is the path that the problem is about, as it is.
	ErrorPath string `json:"-"`
	// Held is the report.Held.ID of what waits for approval, "" for nothing. Halted: nothing
	// of the whole workspace is sent.
	Held   string `json:"held,omitempty"`
	Halted bool   `json:"halted,omitempty"`
	// Details are the lines of all that there is to say.
	Details func() []string `json:"-"`
}

// Key is whose row it is.
func (r Row) Key() Key { return Key{r.Workspace, r.Remote} }

// A Key names a remote of a workspace or, if Remote is "", a workspace.
type Key struct {
	Workspace string `json:"workspace"`
	Remote    string `json:"remote"`
}

// String is the name as people write it.
func (k Key) String() string {
	if k.Remote == "" {
		return k.Workspace
	}
	return k.Workspace + "/" + k.Remote
}

// Level is what to make of how a remote stands.
type Level string

// The levels.
const (
	Good Level = "good" // in sync
	Busy Level = "busy" // changes are on their way, or something is to be looked at
	Bad  Level = "bad"  // it fails, or waits for a person
	Off  Level = "off"  // paused, or nothing is attached
)

// A Backend is whom a view asks. All that it returns is in words for people.
type Backend interface {
	// Board words a status as of now.
	Board(status *api.Status, now time.Time) Board
	// Follow tells of each status until ctx is done, as Follow does.
	Follow(ctx context.Context, tell func(Update)) error
	// Events tells of what has happened to a remote lately, and of what happens until ctx is
	// done, a line each, also when the daemon is another one by then.
	Events(ctx context.Context, of Key, line func(string)) error
	// Act carries out an action, and says what was done. An approval is for the set held only.
	Act(ctx context.Context, action api.Action, of Key, held string) (said string, err error)
	// Held lists all that is held of a remote.
	Held(ctx context.Context, of Key, out Output) error
	// Verify compares all contents of a remote, and lists what differs.
	Verify(ctx context.Context, of Key, out Output) error
	// Explain says what is known of a path of a workspace on a remote.
	Explain(ctx context.Context, of Key, path string, out Output) error
}

// Output is where an answer in lines goes.
type Output struct {
	Line     func(string)
	Progress func(string) // how far it is, which takes the place of what was said before
}
