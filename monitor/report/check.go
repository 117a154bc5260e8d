package report

import "wsync/config"

// CheckStatus is how a check ended.
type CheckStatus string

// The ends of a check, the worst last.
const (
	CheckOK   CheckStatus = "ok"
	CheckWarn CheckStatus = "warn" // it works, but not as well as it could
	CheckFail CheckStatus = "fail" // something does not work
)

// Check is one thing that an examination has looked at.
type Check struct {
	// Workspace and Remote are what it is about; both are "" for this machine.
	Workspace string `json:"workspace,omitempty"`
	Remote    string `json:"remote,omitempty"`
	// Name is what was looked at, in a word or two, and Found what was found.
	Name   string      `json:"name"`
	Status CheckStatus `json:"status"`
	Found  string      `json:"found"`
	// Remedy is what to do about it, "" if there is nothing.
	Remedy string `json:"remedy,omitempty"`
}

// Examination is what is to be examined.
type Examination struct {
	Settings   config.Settings
	Workspaces []config.Workspace
	// All are the workspaces that the daemon has, those that are not examined included.
	All []config.Workspace
	// Known is what the daemon knows of the workspaces, by name; nil if none runs.
	Known map[string]Report
	// Daemon is the process ID of the daemon, 0 if none runs.
	Daemon int
}
