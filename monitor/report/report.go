// Package report is the language between the daemon and its monitors: one
// Definition a line down a monitor's standard input, one Report a line up its
// standard output. Both are whole states, not differences: the newest counts,
// and a line that was skipped is no loss.
package report

import (
	"io/fs"
	"time"

	"wsync/config"
)

// Version is the version of this protocol. A monitor states it in every
// Report; the daemon ends a monitor that speaks another one.
const Version = 1

// Definition is everything that a monitor needs to know. The daemon sends it
// at the start and again after each change.
type Definition struct {
	Workspace config.Workspace `json:"workspace"`
	Settings  Settings         `json:"settings"`
	// Sources are the directories of all workspaces, for the destinations of this
	// machine: none may be one of them, or hold one.
	Sources []string `json:"sources,omitempty"`
	// SSHAuthSock is the socket of the ssh agent for the monitor's children,
	// "" for none.
	SSHAuthSock string `json:"ssh_auth_sock,omitempty"`
	// Barrier counts the requests to wait. RemoteStatus.Barrier of each remote
	// follows it: see there.
	Barrier uint64 `json:"barrier"`
	// Verify is the last Barrier that somebody waits for to be verified, so that
	// it must not wait for a quiet moment.
	Verify uint64 `json:"proof,omitempty"`
	// Ping counts the questions whether the monitor is alive; Report.Pong follows
	// it.
	Ping uint64 `json:"ping,omitempty"`
	// Orders are one-time requests, by the remote's name.
	Orders map[string]Orders `json:"orders,omitempty"`
	// Questions are those that somebody waits for.
	Questions []Question `json:"questions,omitempty"`
	// Comparisons are those that somebody waits for.
	Comparisons []Comparison `json:"comparisons,omitempty"`
	// Listings are those that somebody waits for.
	Listings []Listing `json:"listings,omitempty"`
	// Trials are those that somebody waits for.
	Trials []Trial `json:"trials,omitempty"`
}

// Settings is the part of config.Settings that a monitor needs.
type Settings struct {
	// LogFile is where the monitor logs, rotated when it exceeds LogMaxSize
	// megabytes; LogLevel is "debug", "info", "warn" or "error".
	LogFile    string `json:"log_file"`
	LogLevel   string `json:"log_level"`
	LogMaxSize int    `json:"log_max_size"`
	// RunDirectory is the monitor's own (0700): cookies and ssh's sockets.
	RunDirectory string `json:"run_directory"`
	// Watcher and MaxWatches are watch.Options' Backend and MaxWatches.
	Watcher    string `json:"watcher"`
	MaxWatches int    `json:"max_watches"`
	// PollInterval is watch.Options.PollInterval, in nanoseconds.
	PollInterval time.Duration `json:"poll_interval"`
	// FullPassInterval is the time between two full passes, in nanoseconds;
	// each is shortened or lengthened by up to a tenth, so that monitors
	// spread out.
	FullPassInterval time.Duration `json:"full_pass_interval"`
	// VerifyInterval is the time between two verifications in the background, in
	// nanoseconds, 0 for none; it is spread like FullPassInterval.
	VerifyInterval time.Duration `json:"verify_interval,omitempty"`
	// HoldDeletionsShare and HoldDeletionsCount: deletions are held when they
	// exceed this share (0 to 1) of the known entries and this number.
	HoldDeletionsShare float64 `json:"hold_deletions_share"`
	HoldDeletionsCount int     `json:"hold_deletions_count"`
	// OnSyncTimeout is how long a command of on-sync or on-sync-remote may take, in
	// nanoseconds.
	OnSyncTimeout time.Duration `json:"on_sync_timeout,omitempty"`
}

// Orders counts one-time requests for a remote. A monitor carries out an order
// when its counter differs from the one it saw last; the counters of the
// first Definition are already carried out, because a monitor starts with a
// full pass.
type Orders struct {
	// Resync asks for a full pass now.
	Resync uint64 `json:"resync,omitempty"`
	// Retry asks to end a back-off now.
	Retry uint64 `json:"retry,omitempty"`
	// Approve names the RemoteStatus.Held.ID whose deletions are approved. It
	// is a state, not a counter: it never approves anything else.
	Approve string `json:"approve,omitempty"`
}

// Report is the status of a workspace as its monitor knows it.
type Report struct {
	Version int `json:"version"`
	PID     int `json:"pid"`
	// Pong is the last Definition.Ping that was answered. All changes from before
	// it are known, unless the watcher has to look for some or may miss them.
	Pong uint64 `json:"pong,omitempty"`
	// Journal says why events could not be written to the journal last, or is "".
	Journal string `json:"journal,omitempty"`
	// Watch describes the watcher; Watch.Armed is false while the tree is
	// still being armed after a start.
	Watch Watch `json:"watch"`
	// Halted says why nothing is deleted on any remote; nil when all is well.
	Halted *Halt `json:"halted,omitempty"`
	// Root is the identity of the directory that the monitor watches.
	Root *config.RootIdentity `json:"root_identity,omitempty"`
	// Remotes has one element per remote of the Definition, in its order.
	Remotes []RemoteStatus `json:"remotes"`
}

// Watch describes a monitor's watcher.
type Watch struct {
	Armed       bool   `json:"armed"`
	Backend     string `json:"backend"`
	Lossless    bool   `json:"lossless"`
	Directories int    `json:"directories"`
	Polled      int    `json:"polled,omitempty"`
	Problem     string `json:"problem,omitempty"`
	// Silent is the number of directories that may change without an event, and
	// are looked at every PollInterval, in nanoseconds, for that; SilentTypes are
	// the types of their file systems, separated by commas.
	Silent       int           `json:"silent,omitempty"`
	SilentTypes  string        `json:"silent_types,omitempty"`
	PollInterval time.Duration `json:"poll_interval,omitempty"`
	// LinkedOutside is the number of files that have names outside of the
	// workspace, too (hard links): a write by such a name is not noticed.
	LinkedOutside int `json:"linked_outside,omitempty"`
	// Overflows counts how often events were lost and a full pass followed.
	Overflows int `json:"overflows,omitempty"`
	// IgnoreProblems are the lines of rule files that cannot be read, and ignore
	// nothing: where they are, and why, of MaxIgnoreProblems at most.
	// IgnoreProblemCount is the number of all.
	IgnoreProblems     []string `json:"ignore_problems,omitempty"`
	IgnoreProblemCount int      `json:"ignore_problem_count,omitempty"`
}

// MaxIgnoreProblems is how many elements Watch.IgnoreProblems has at most, and MaxKept
// how many Kept.Sample has.
const (
	MaxIgnoreProblems = 10
	MaxKept           = 10
)

// Halt is an accident of the source that must not reach the remotes.
type Halt struct {
	// Reason is one sentence: what happened.
	Reason string `json:"reason"`
	// Since is when it was noticed.
	Since time.Time `json:"since"`
}

// State is what a remote is doing.
type State string

// The states of a remote. Only InSync and Confirming say that the remote is known
// to equal the workspace, and State.InSync says it of both.
const (
	Starting State = "starting" // no monitor yet, or no report from it
	InSync   State = "in sync"  // all that was observed is there, and verified by rsync
	// Confirming: all of it is acknowledged by the remote, and rsync's comparison
	// follows after a quiet moment.
	Confirming State = "in sync, confirming"
	Pending    State = "pending"  // changes wait for the next batch
	Syncing    State = "syncing"  // a transfer is running
	Retrying   State = "retrying" // the last transfer failed; another follows at NextRetry
	Offline    State = "offline"  // the remote cannot be reached; another try follows at NextRetry
	Paused     State = "paused"   // by the user
	Halted     State = "halted"   // held by a guard against deletion
	Failed     State = "failed"   // the monitor died too often and is not restarted
	Unknown    State = "unknown"  // the monitor does not answer
)

// InSync reports whether all changes are on the remote.
func (s State) InSync() bool { return s == InSync || s == Confirming }

// Well reports whether all is in sync, or about to be: as long as the monitor works.
func (s State) Well() bool { return s.InSync() || s == Pending || s == Syncing }

// RemoteStatus is the status of one remote.
type RemoteStatus struct {
	Name string `json:"name"`
	// Destination is where it is, as config.Remote.Destination writes it; the daemon says it.
	Destination string    `json:"destination"`
	State       State     `json:"state"`
	Since       time.Time `json:"since"` // of State

	// Pending is the number of paths that are not acknowledged by the remote,
	// those in a running transfer included; a directory with all below it
	// counts as one. PendingEverything: a full pass is due or running.
	Pending           int        `json:"pending"`
	PendingEverything bool       `json:"pending_everything,omitempty"`
	OldestPending     *time.Time `json:"oldest_pending,omitempty"`
	// NamesSought is the number of changed files that have names which nobody
	// knows yet: until these are found, changes may be missing under them.
	NamesSought int `json:"names_sought,omitempty"`

	// Transfer is the transfer that runs, nil if none does.
	Transfer *Transfer `json:"transfer,omitempty"`
	// Error is why the last transfer failed, in plain words and where possible
	// the words of ssh or rsync; "" when the last one succeeded. ErrorPath is the
	// path it is about, relative to the workspace, or "". Hint is a next step.
	Error     string     `json:"error,omitempty"`
	ErrorPath string     `json:"error_path,omitempty"`
	Hint      string     `json:"hint,omitempty"`
	NextRetry *time.Time `json:"next_retry,omitempty"`
	// Attention: somebody must do something before the remote can get in sync, because
	// what fails does not heal by itself; Error says what, and Hint what to do. Stuck is the
	// highest Definition.Barrier that cannot be reached for it, as was tried since.
	Attention bool   `json:"attention,omitempty"`
	Stuck     uint64 `json:"stuck,omitempty"`
	// Unsupported is the number of paths that the destination's file system cannot
	// hold, and UnsupportedPaths are the first of them. They are pending, unless
	// config.Remote.SkipUnsupported is set, and tried with full passes.
	Unsupported      int           `json:"unsupported,omitempty"`
	UnsupportedPaths []Unsupported `json:"unsupported_paths,omitempty"`
	// LeftOut is the number of FIFOs, sockets and devices that are left out because
	// config.Remote.Devices says so, and LeftOutPaths are the first of them. They are not
	// pending.
	LeftOut      int           `json:"left_out,omitempty"`
	LeftOutPaths []Unsupported `json:"left_out_paths,omitempty"`
	// Window is what waits for the remote's window, nil for nothing.
	Window *Window `json:"window,omitempty"`
	// Held are deletions that wait for approval, nil if none do.
	Held *Held `json:"held,omitempty"`
	// Kept are the directories that are gone here and were left there, because they hold
	// what is ignored; nil if there are none.
	Kept *Kept `json:"kept,omitempty"`
	// Postponed are deletions that are to come, nil for none: with delete-after, of what is
	// gone here and still there.
	Postponed *Postponed `json:"postponed,omitempty"`

	// LastSuccess is when a transfer last succeeded; LastFullPass when a full
	// pass did, and Drift how many entries it had to repair that no event
	// had announced.
	LastSuccess  *time.Time `json:"last_success,omitempty"`
	LastFullPass *time.Time `json:"last_full_pass,omitempty"`
	Drift        int        `json:"drift"`
	// Latencies are how long changes took, in nanoseconds: of each of the last batches of
	// which all has arrived, MaxLatencies at most and the newest last, from when its oldest
	// change was noticed until the remote had acknowledged all. Full passes are not among
	// them, and there are none of monitors that ran before.
	Latencies []time.Duration `json:"latencies,omitempty"`
	// Verified is what was found when all contents were compared last, nil if that is not
	// known; Verifying is a comparison in the background that has begun, nil for none, and
	// NextVerify when the next one begins, nil for never.
	Verified   *Verification `json:"verified,omitempty"`
	Verifying  *Verifying    `json:"verifying,omitempty"`
	NextVerify *time.Time    `json:"next_verify,omitempty"`
	// Totals are counts since the monitor began to serve the remote.
	Totals *Totals `json:"totals,omitempty"`
	// Hook is how the commands of on-sync and on-sync-remote fare, nil without any.
	Hook *HookStatus `json:"hook,omitempty"`
	// Adopted: since the remote was attached, the destination was found to hold
	// nothing foreign, or what it holds may be deleted.
	Adopted bool `json:"adopted"`

	// Asked is the highest Definition.Barrier all of whose earlier changes are
	// known, and Barrier the highest all of whose earlier changes are
	// acknowledged.
	Asked   uint64 `json:"asked,omitempty"`
	Barrier uint64 `json:"barrier,omitempty"`
	// Unconfirmed is the number of paths that are on the remote by its word and
	// not yet verified by rsync, and Confirmed the highest Definition.Barrier all
	// of whose earlier changes are.
	Unconfirmed int    `json:"unconfirmed,omitempty"`
	Confirmed   uint64 `json:"confirmed,omitempty"`
	// Strategy says how the remote is served and why, for `wsync info`.
	Strategy []string `json:"strategy,omitempty"`
	// Cannot are the options of config.Remote, by name, that the remote is not able to
	// follow, and why not, as far as is known.
	Cannot map[string]string `json:"cannot,omitempty"`
	// Paths answers the questions of the Definition.
	Paths []PathStatus `json:"paths,omitempty"`
	// Comparisons are those of the Definition that are about the remote.
	Comparisons []ComparisonStatus `json:"comparisons,omitempty"`
	// Listings are those of the Definition that were made.
	Listings []ListingStatus `json:"listings,omitempty"`
	// Trials are those of the Definition that are about the remote, and have ended.
	Trials []TrialStatus `json:"trials,omitempty"`
}

// Plain returns the status without what only the daemon and its monitors have to say to each
// other.
func (s RemoteStatus) Plain() RemoteStatus {
	s.Stuck, s.Asked, s.Barrier, s.Confirmed = 0, 0, 0, 0
	s.Paths, s.Comparisons, s.Listings, s.Trials = nil, nil, nil, nil
	return s
}

// OnlyUnsupported reports whether nothing but what the destination cannot hold
// keeps the remote from being in sync.
func (s RemoteStatus) OnlyUnsupported() bool {
	return s.Unsupported > 0 && s.Pending == s.Unsupported && !s.PendingEverything && s.Transfer == nil
}

// OnlyWindow reports whether nothing but the window keeps the remote from being in sync.
func (s RemoteStatus) OnlyWindow() bool {
	return s.Window != nil && s.Transfer == nil && (s.Window.All || s.Pending == s.Window.Paths && !s.PendingEverything)
}

// MaxLatencies is how many elements RemoteStatus.Latencies has at most.
const MaxLatencies = 16

// Window is what waits until the window of the remote opens.
type Window struct {
	// Until is when that is.
	Until time.Time `json:"until"`
	// Paths is the number of paths that wait. All: everything waits, small changes and
	// deletions, too.
	Paths int  `json:"paths"`
	All   bool `json:"all,omitempty"`
}

// Unsupported is a path that the destination's file system cannot hold.
type Unsupported struct {
	Path    string `json:"path"`
	Problem string `json:"problem"` // why, in words
}

// Transfer is a running transfer.
type Transfer struct {
	// Kind is "full pass", "changes", "confirmation" or, where nothing is sent,
	// "comparison"; Since is when it began.
	Kind  string    `json:"kind"`
	Since time.Time `json:"since"`
	// Paths is the number of listed paths, 0 in a full pass.
	Paths int `json:"paths"`
	// Files and Bytes have been sent so far, of TotalFiles and TotalBytes that there are to
	// send as far as is known; a file counts once, with its size, when it has left, and of
	// the one that is on its way the bytes that have. Path is that one, or the last.
	Files      int    `json:"files"`
	Bytes      int64  `json:"bytes"`
	TotalFiles int    `json:"total_files,omitempty"`
	TotalBytes int64  `json:"total_bytes,omitempty"`
	Path       string `json:"path,omitempty"`
	// Looking: what there is to send is being found out. Looked is how many entries have been
	// looked at, and Found how many files have been found to differ, as far as is known.
	Looking bool `json:"looking,omitempty"`
	Looked  int  `json:"looked,omitempty"`
	Found   int  `json:"found,omitempty"`
	// Rate is the number of bytes a second, over the last ones, and Remaining how long it
	// takes from now on, in nanoseconds; each is 0 as long as it is not known.
	Rate      int64         `json:"rate,omitempty"`
	Remaining time.Duration `json:"remaining,omitempty"`
}

// Held is a set of deletions that waits for approval.
type Held struct {
	// ID names this very set; approving it approves no other.
	ID string `json:"id"`
	// Count is the number of entries that would be deleted, Sample a few of
	// them, Reason one sentence.
	Count int `json:"count"`
	// Other is whose mirror is at the same place, "" where deletions are held: then
	// there are none, and approval takes the place over.
	Other  string   `json:"other,omitempty"`
	Sample []string `json:"sample,omitempty"`
	Reason string   `json:"reason"`
	// Unmounted is where the file systems were mounted that they are on, if that
	// is why they are held.
	Unmounted []string `json:"unmounted,omitempty"`
	// Overwritten is how many files of a destination that is used for the first time
	// would be overwritten, and Overwrites are MaxOverwrites of them at most; Missing is
	// how many entries it lacks.
	Overwritten int         `json:"overwritten,omitempty"`
	Overwrites  []Overwrite `json:"overwrites,omitempty"`
	Missing     int         `json:"missing,omitempty"`
}

// MaxOverwrites is how many elements Held.Overwrites has at most.
const MaxOverwrites = 10

// Overwrite is a file that is in the workspace and at the destination, and different.
type Overwrite struct {
	// Path is relative to the workspace.
	Path string `json:"path"`
	// Kind, Size in bytes, and ModTime are those of the workspace's, and the others those
	// of the destination's, whose time is to the second.
	Kind         string    `json:"kind"`
	Size         int64     `json:"size"`
	ModTime      time.Time `json:"mod_time"`
	KindThere    string    `json:"kind_there"`
	SizeThere    int64     `json:"size_there"`
	ModTimeThere time.Time `json:"mod_time_there"`
}

// The kinds of entries.
const (
	File      = "file"
	Directory = "directory"
	Link      = "link"
	Special   = "special" // a device, pipe or socket
)

// KindOf returns the kind of an entry with a mode.
func KindOf(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return File
	case fs.ModeDir:
		return Directory
	case fs.ModeSymlink:
		return Link
	}
	return Special
}

// KindOfLetter returns the kind of an entry by the first letter of its mode, as ls(1) has
// it.
func KindOfLetter(letter byte) string {
	switch letter {
	case '-':
		return File
	case 'd':
		return Directory
	case 'l':
		return Link
	}
	return Special
}

// HookStatus is how the commands fare that are run after something was sent to a remote.
type HookStatus struct {
	// Running is since when they run, nil if they do not.
	Running *time.Time `json:"running,omitempty"`
	// Ended is when they have ended last, and Took how long that took, in nanoseconds; Error
	// is why one of them failed then, "" if none did.
	Ended *time.Time    `json:"ended,omitempty"`
	Took  time.Duration `json:"took,omitempty"`
	Error string        `json:"error,omitempty"`
	// Waiting is the number of paths that none was told that went well; "." is one.
	Waiting int `json:"waiting,omitempty"`
	// Runs is how often they have run since the monitor began, and Failures how often they
	// failed.
	Runs     int `json:"runs,omitempty"`
	Failures int `json:"failures,omitempty"`
}

// Kept is a set of directories that a remote keeps for what is ignored in them.
type Kept struct {
	// Count is the number of them, Sample a few of them, relative to the workspace.
	Count  int      `json:"count"`
	Sample []string `json:"sample,omitempty"`
}

// Postponed are deletions that a remote is not due for yet.
type Postponed struct {
	// Count is the number of names, each with all that is below it; More: there are others,
	// for which there was no room.
	Count int  `json:"count"`
	More  bool `json:"more,omitempty"`
	// First is when the first is due.
	First time.Time `json:"first"`
}
