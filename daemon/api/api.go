// Package api is the language between the client and the daemon: HTTP with
// JSON bodies over a unix socket. It holds the paths, the types and the kinds
// of errors, and nothing that does anything.
package api

import (
	"net/url"
	"time"

	"wsync/config"
	"wsync/monitor/report"
)

// The routes. Names in braces are path segments of config.ValidateName's form.
//
//	GET    /v1/status                                     Status; ?workspace=NAME for one, ?remote=NAME for one of it, ?after=REVISION to wait for a newer one (30 s at most)
//	GET    /v1/events                                     lines of Happened, by time; ?workspace=NAME for one, and the others of EventsQuery
//	GET    /v1/workspaces                                 list of config.Workspace, as they are defined; it waits for no monitor
//	POST   /v1/workspaces                                 AddWorkspace -> WorkspaceStatus
//	GET    /v1/workspaces/{workspace}                     WorkspaceStatus
//	DELETE /v1/workspaces/{workspace}
//	POST   /v1/workspaces/{workspace}/ignore              ChangeIgnore -> WorkspaceStatus
//	POST   /v1/workspaces/{workspace}/rename              Rename -> WorkspaceStatus
//	POST   /v1/workspaces/{workspace}/options             SetOptions -> WorkspaceStatus; ?remote=NAME for those of a remote
//	POST   /v1/workspaces/{workspace}/remotes             AttachRemote -> WorkspaceStatus
//	POST   /v1/workspaces/{workspace}/look                AttachRemote -> report.Held
//	POST   /v1/workspaces/{workspace}/explain             Explain -> WorkspaceStatus
//	POST   /v1/workspaces/{workspace}/open                ListOpen -> lines of Open
//	POST   /v1/workspaces/{workspace}/compare             Compare -> lines of Compared
//	DELETE /v1/workspaces/{workspace}/remotes/{remote}
//	POST   /v1/workspaces/{workspace}/remotes/{remote}/destination  AttachRemote -> WorkspaceStatus; the same remote, elsewhere
//	POST   /v1/workspaces/{workspace}/path                SetPath -> WorkspaceStatus
//	POST   /v1/workspaces/{workspace}/{action}            ?remote=NAME for one; pause, resume, resync, approve, restart (no remote); approve with ?held=ID that set only
//	POST   /v1/actions/{action}                           Acted: the action for all workspaces; pause, resume, resync, approve
//	POST   /v1/wait                                       Wait -> WaitResult
//	POST   /v1/stop
//	POST   /v1/reload                                     Reloaded
//	GET    /v1/health                                     answered as soon as the state is free
//	GET    /metrics                                       the metrics, in the text format of Prometheus
const (
	StatusPath     = "/v1/status"
	EventsPath     = "/v1/events"
	WorkspacesPath = "/v1/workspaces"
	ActionsPath    = "/v1/actions"
	WaitPath       = "/v1/wait"
	StopPath       = "/v1/stop"
	ReloadPath     = "/v1/reload"
	HealthPath     = "/v1/health"
	MetricsPath    = "/metrics"
)

// Headers of requests and responses.
const (
	// AuthSockHeader carries the client's SSH_AUTH_SOCK.
	AuthSockHeader = "Wsync-Ssh-Auth-Sock"
	// VersionHeader of a response carries the daemon's version.
	VersionHeader = "Wsync-Version"
	// RequestIDHeader of a response names the request in the daemon's log.
	RequestIDHeader = "Wsync-Request-Id"
)

// Action is what can be asked of a workspace or of one of its remotes.
type Action string

// The actions.
const (
	Pause   Action = "pause"
	Resume  Action = "resume"
	Resync  Action = "resync"
	Approve Action = "approve"
	Restart Action = "restart"
)

// Acted says what became of an action that was asked of all workspaces. Those for which
// it has no meaning, such as a pass of one without remotes, are in none of the lists.
type Acted struct {
	Done    []WorkspaceStatus `json:"done"`
	Refused []Refused         `json:"refused,omitempty"`
}

// Refused is a workspace for which an action was refused, and why.
type Refused struct {
	Workspace string `json:"workspace"`
	Error     *Error `json:"error"`
}

// Approved is what Approve has approved: the deletions that were held of a remote, or,
// with Directory, the directory that took the place of the workspace's.
type Approved struct {
	Remote    string       `json:"remote,omitempty"`
	Held      *report.Held `json:"held,omitempty"`
	Directory string       `json:"directory,omitempty"`
}

// AddWorkspace asks to add a workspace. LocalPath must be absolute.
type AddWorkspace struct {
	Name      string `json:"name"`
	LocalPath string `json:"local_path"`
	OnEmpty   string `json:"on_empty,omitempty"`
	// These are as in config.Workspace.
	SkipGit          bool     `json:"skip_git,omitempty"`
	GitIgnore        bool     `json:"gitignore,omitempty"`
	Ignore           []string `json:"ignore,omitempty"`
	NoDefaultIgnores bool     `json:"no_default_ignores,omitempty"`
	IgnoreTagged     []string `json:"ignore_tagged,omitempty"`
}

// ChangeIgnore asks to change what a workspace ignores. It is in force at once, and what
// is not set stays as it is. The names are those of config.Workspace.
type ChangeIgnore struct {
	// Ignore are patterns to put behind those that are there, in their order. One that is
	// there already moves, as the last that matches counts. IgnoreTagged are names to add.
	Ignore       []string `json:"ignore,omitempty"`
	IgnoreTagged []string `json:"ignore_tagged,omitempty"`
	// Remove: they are taken away instead. It is an error if none of them is there.
	Remove bool `json:"remove,omitempty"`

	SkipGit          *bool `json:"skip_git,omitempty"`
	GitIgnore        *bool `json:"gitignore,omitempty"`
	NoDefaultIgnores *bool `json:"no_default_ignores,omitempty"`
}

// Rename asks to give a workspace, or with Remote that one of its remotes, the name New.
type Rename struct {
	Remote string `json:"remote,omitempty"`
	New    string `json:"new"`
}

// SetOptions asks to change options of a workspace or of a remote, all of them or none.
// They are in force at once.
type SetOptions struct {
	Options []config.Assignment `json:"options"`
}

// SetPath asks to mirror the directory at LocalPath, an absolute path, as the workspace's
// from now on. What the remotes have and it does not is held, to be approved.
type SetPath struct {
	LocalPath string `json:"local_path"`
}

// AttachRemote asks to attach a remote to a workspace. Remote.AdoptionPending
// is the daemon's to set.
type AttachRemote struct {
	Remote config.Remote `json:"remote"`
	// DeleteExisting allows the first pass to delete what the destination
	// holds and the workspace does not.
	DeleteExisting bool `json:"delete_existing,omitempty"`
	// OverwriteExisting allows the first pass to overwrite what both have, with
	// other contents.
	OverwriteExisting bool `json:"overwrite_existing,omitempty"`
	// Offline attaches a remote to which no connection can be made, too.
	Offline bool `json:"offline,omitempty"`
	// Settle is how long the daemon waits before it answers, until it is clear how
	// the remote fares; in nanoseconds, 0 answers at once. As long as it is not known
	// whether the destination is in use, it waits for some more seconds. One that
	// turns out meanwhile to be in use is refused, with an error of kind Held, and
	// nothing is attached; one that does so later is attached, and halted. One that
	// cannot be reached or used is refused with an error of kind Failed, unless it is to
	// be attached Offline.
	Settle time.Duration `json:"settle,omitempty"`
}

// Explain asks what is known of a path of a workspace, relative to that, on a remote of it
// or, if Remote is "", on all. One that is not UTF-8 is in PathBytes. The answer is a
// WorkspaceStatus, in which RemoteStatus.Paths has an element for each remote whose
// monitor runs.
type Explain struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"`
	Remote    string `json:"remote,omitempty"`
	// Ask has the remotes asked what they have there, too: PathStatus.Look.
	Ask bool `json:"ask,omitempty"`
}

// Compare asks what differs between a workspace and a remote of it, or all of its remotes
// if Remote is "": what the next full pass would send, delete and change. Nothing is
// changed. It is given up when the client leaves.
type Compare struct {
	Remote string `json:"remote,omitempty"`
	// Checksum: contents are compared, not only sizes and times.
	Checksum bool `json:"checksum,omitempty"`
	// Repair has what differs though nothing was known of that sent, or deleted there, as
	// a change would be: by the guards, and in its turn. It is refused while that is paused.
	Repair bool `json:"repair,omitempty"`
}

// Compared is a line of the answer to Compare. Of each remote, one after the other, there
// may be lines with Progress, one a second; then there is one for each Difference, and at
// last one with the Result. The last line of all has End.
type Compared struct {
	Remote     string                   `json:"remote,omitempty"`
	Progress   *report.ComparisonStatus `json:"progress,omitempty"`
	Resumed    bool                     `json:"resumed,omitempty"`  // it goes on where it was interrupted, which Progress tells
	Transfer   *report.Transfer         `json:"transfer,omitempty"` // that is under way, beside Progress
	Difference *report.Difference       `json:"difference,omitempty"`
	Result     *ComparisonResult        `json:"result,omitempty"`
	End        bool                     `json:"end,omitempty"`
}

// ComparisonResult is how the comparison with a remote ended.
type ComparisonResult struct {
	// State is that of the remote.
	State report.State `json:"state"`
	// Error is why there is no Summary, and Hint a next step or "".
	Error   string                    `json:"error,omitempty"`
	Hint    string                    `json:"hint,omitempty"`
	Summary *report.ComparisonSummary `json:"summary,omitempty"`
}

// ListOpen asks for all paths that a remote of a workspace lacks, or all of its remotes if
// Remote is "", as far as their monitor knows.
type ListOpen struct {
	Remote string `json:"remote,omitempty"`
}

// Open is a line of the answer to ListOpen. Of each remote, one after the other, there is
// one with the Status, then one for each Path or, if the monitor does not answer, one with
// the Error. The last line of all has End.
type Open struct {
	Remote string               `json:"remote,omitempty"`
	Status *report.RemoteStatus `json:"status,omitempty"`
	Path   *report.OpenPath     `json:"path,omitempty"`
	Error  string               `json:"error,omitempty"`
	End    bool                 `json:"end,omitempty"`
}

// EventsQuery asks for events, those that are on disk or, with Follow, also those that come
// until the client leaves. All is optional.
type EventsQuery struct {
	// Workspace and Remote are names. What happened is told by the names of now.
	Workspace, Remote string
	// Since and Until bound the time, in RFC 3339.
	Since, Until time.Time
	// Deleted: deletions only. Path is one, with all below it, or a pattern as of
	// path.Match, one without a slash for a name anywhere: what names no such path is left
	// out, and of what does, other paths are.
	Deleted bool
	Path    string
	Follow  bool
}

// Values are the parameters of the query.
func (q EventsQuery) Values() url.Values {
	values := make(url.Values)
	set := func(name, value string, is bool) {
		if is {
			values.Set(name, value)
		}
	}
	set("workspace", q.Workspace, q.Workspace != "")
	set("remote", q.Remote, q.Remote != "")
	set("since", q.Since.Format(time.RFC3339Nano), !q.Since.IsZero())
	set("until", q.Until.Format(time.RFC3339Nano), !q.Until.IsZero())
	set("deleted", "1", q.Deleted)
	set("path", q.Path, q.Path != "")
	set("follow", "1", q.Follow)
	return values
}

// Happened is a line of the answer to EventsQuery: an event, or the End, which comes when
// there is nothing more to tell.
type Happened struct {
	report.Event
	End bool `json:"end,omitempty"`
}

// Wait asks to return when everything that changed before is on the remotes.
// An empty Workspace is all, an empty Remote all of the workspace's.
type Wait struct {
	Workspace string        `json:"workspace,omitempty"`
	Remote    string        `json:"remote,omitempty"`
	Timeout   time.Duration `json:"timeout"` // in nanoseconds; 0 waits for ever
	// Confirmed waits for until rsync has verified it, too, which does not wait for a
	// quiet moment then.
	Confirmed bool `json:"confirmed,omitempty"`
}

// WaitResult says how a wait ended.
type WaitResult struct {
	Version int `json:"version"` // JSONVersion
	// InSync: every remote asked for has everything that changed before.
	InSync bool `json:"in_sync"`
	// TimedOut: the timeout ended the wait. When neither it nor InSync is set,
	// a remote can get in sync only if somebody does something: it is paused, halted or
	// failed, or what it fails at does not heal by itself (report.RemoteStatus.Attention).
	TimedOut bool `json:"timed_out"`
	// Behind are the remotes that are not in sync.
	Behind []BehindRemote `json:"behind,omitempty"`
}

// BehindRemote is a remote that a wait found not in sync.
type BehindRemote struct {
	Workspace string              `json:"workspace"`
	Remote    report.RemoteStatus `json:"remote"`
}

// Reloaded says what became of settings that were read anew: the keys that have changed
// and are in force, and those that need a restart of the daemon.
type Reloaded struct {
	Applied     []string `json:"applied,omitempty"`
	NeedRestart []string `json:"need_restart,omitempty"`
}

// JSONVersion is the version of what --json prints. It grows when a field goes, or means
// something else; fields that come leave it as it is.
const JSONVersion = 1

// Status is the status of the daemon and of workspaces.
type Status struct {
	Version    int               `json:"version"` // JSONVersion
	Daemon     DaemonStatus      `json:"daemon"`
	Workspaces []WorkspaceStatus `json:"workspaces"`
	// Revision grows with every change of the status.
	Revision uint64 `json:"revision"`
}

// DaemonStatus describes the daemon.
type DaemonStatus struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	// LogDirectory is where it logs; LogProblem why it cannot, or "".
	LogDirectory string `json:"log_directory"`
	LogProblem   string `json:"log_problem,omitempty"`
	// NotifyProblem is why NotifyCommand cannot be run, or "".
	NotifyProblem string `json:"notify_problem,omitempty"`
	// JournalProblem is why events, of the daemon or of a monitor, cannot be written to a
	// journal, or "".
	JournalProblem string `json:"journal_problem,omitempty"`
	// MetricsAddress is where the metrics are served by HTTP, too, "" for nowhere;
	// MetricsProblem why they are not, or "".
	MetricsAddress string `json:"metrics_address,omitempty"`
	MetricsProblem string `json:"metrics_problem,omitempty"`
}

// WorkspaceStatus describes a workspace: its definition, its monitor's
// process, and what the monitor last reported.
type WorkspaceStatus struct {
	Workspace config.Workspace `json:"workspace"`
	Monitor   MonitorStatus    `json:"monitor"`
	Watch     report.Watch     `json:"watch"`
	Halted    *report.Halt     `json:"halted,omitempty"`
	// Remotes has one element per remote, in the order of Workspace.Remotes.
	Remotes []report.RemoteStatus `json:"remotes"`
	// Notes are sentences that whoever adds a workspace, or changes what it ignores or an
	// option, should know; in no other answer.
	Notes []string `json:"notes,omitempty"`
	// Approved is what Approve has approved; in no other answer.
	Approved []Approved `json:"approved,omitempty"`
}

// MonitorStatus describes the process of a workspace's monitor.
type MonitorStatus struct {
	// State is a state of watchdog.Supervisor: "stopped" (also when the
	// workspace has no remote), "starting", "running", "backing off",
	// "stopping" or "failed".
	State string `json:"state"`
	PID   int    `json:"pid,omitempty"`
	// Restarts counts the restarts since the daemon started or `wsync restart`;
	// LastExit says how the monitor ended last, with its last words in one line.
	Restarts  int        `json:"restarts"`
	LastExit  string     `json:"last_exit,omitempty"`
	NextStart *time.Time `json:"next_start,omitempty"`
	// Crashes are those of the last hour, nil if there were none.
	Crashes *Crashes `json:"crashes,omitempty"`
	// SilentSince is when a question was asked that the monitor has not answered;
	// nil if there is none.
	SilentSince *time.Time `json:"silent_since,omitempty"`
}

// Crashes are the ends of a monitor that nobody had asked for, since the daemon started.
type Crashes struct {
	Count int `json:"count"`
	// Last is when the last was, and LastExit how it ended then.
	Last     time.Time `json:"last"`
	LastExit string    `json:"last_exit"`
}

// ErrorKind classifies an error for the client.
type ErrorKind string

// The kinds of errors, with the HTTP status they come with.
const (
	Invalid  ErrorKind = "invalid"   // 400: the request makes no sense
	NotFound ErrorKind = "not found" // 404: no such workspace or remote
	Exists   ErrorKind = "exists"    // 409: the name or the directory is taken
	Held     ErrorKind = "held"      // 409: a guard against deletion
	Conflict ErrorKind = "conflict"  // 409: the request makes sense, but not as things are
	Failed   ErrorKind = "failed"    // 502: a remote cannot be reached, or used
	Internal ErrorKind = "internal"  // 500: the daemon's own trouble
	Unknown  ErrorKind = "unknown"   // 501: another version may know the request, or a field of it
)

// Error is the body of every response that is not a success.
type Error struct {
	Kind    ErrorKind `json:"kind"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	// Held are the deletions that led to a refusal, nil for another one.
	Held *report.Held `json:"held,omitempty"`
}

// Error makes Error an error.
func (e *Error) Error() string { return e.Message }
