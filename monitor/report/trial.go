package report

import "wsync/config"

// Trial asks a remote something, beside all else: whether it can be served as it is to be or,
// with Looks, what it has at a path. It is answered by every Report for as long as it is in
// the Definition.
type Trial struct {
	ID string `json:"id"`
	// Remote is one of the workspace's, by its ID, with other options than it has.
	Remote config.Remote `json:"remote"`
	// Looks: what is asked is what there is at Path, a path as in a Question.
	Looks     bool   `json:"looks,omitempty"`
	Path      string `json:"path,omitempty"`
	PathBytes []byte `json:"path_bytes,omitempty"`
}

// TrialStatus says how a trial ended.
type TrialStatus struct {
	ID string `json:"id"` // of the Trial
	// Refused is why the remote cannot be served so, "" if it can, and Hint a next step.
	Refused string `json:"refused,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// Unknown is why nobody knows, "" if the trial could be made.
	Unknown string `json:"unknown,omitempty"`
	// Look is the answer to one with Looks, which has no other.
	Look *Look `json:"look,omitempty"`
}
