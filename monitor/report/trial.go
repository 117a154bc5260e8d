package report

import "wsync/config"

// Trial asks whether a remote can be served as it is to be. It is answered by every Report
// for as long as it is in the Definition.
type Trial struct {
	ID string `json:"id"`
	// Remote is one of the workspace's, by its ID, with other options than it has.
	Remote config.Remote `json:"remote"`
}

// TrialStatus says how a trial ended.
type TrialStatus struct {
	ID string `json:"id"` // of the Trial
	// Refused is why the remote cannot be served so, "" if it can, and Hint a next step.
	Refused string `json:"refused,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// Unknown is why nobody knows, "" if the trial could be made.
	Unknown string `json:"unknown,omitempty"`
}
