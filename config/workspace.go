// Package config holds what a user configures: workspaces with their remotes,
// and the settings of the daemon. It is plain data with validation, and the
// two files that the data lives in; nothing here starts a process or talks to
// a remote.
package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Workspace is a local directory and the remotes it is mirrored to. Its JSON
// is an element of the workspace file, and the same on the daemon's API and on
// a monitor's standard input.
type Workspace struct {
	// Name identifies the workspace; see ValidateName.
	Name string `json:"name"`
	// LocalPath is the absolute path of the directory to mirror.
	LocalPath string `json:"local_path"`
	// Remotes are the places that are kept equal to LocalPath.
	Remotes []Remote `json:"remote_workspaces"`

	// Paused stops all transfers of the workspace while it is set. Watching
	// goes on, so that resuming sends only what changed.
	Paused bool `json:"paused,omitempty"`
	// Root is the identity that LocalPath had when the workspace was added,
	// nil in a file that the original wrote and until the daemon first saw the
	// directory. Deletions are only mirrored while it still holds.
	Root *RootIdentity `json:"root_identity,omitempty"`
	// OnEmpty says what an emptied LocalPath means: OnEmptyHalt (also when it
	// is ""), or OnEmptyAllow.
	OnEmpty string `json:"on_empty,omitempty"`
	// OnSync and OnSyncRemote are the command lines of its remotes that say nothing else, ""
	// for none. See SplitCommand, and Remote.HookCommands.
	OnSync       string `json:"on_sync,omitempty"`
	OnSyncRemote string `json:"on_sync_remote,omitempty"`

	// What is ignored is neither sent to a remote nor deleted there. All of these may
	// change at any time.

	// SkipGit ignores entries called .git, at any level.
	SkipGit bool `json:"skip_git,omitempty"`
	// GitIgnore: what git's rule files in the tree ignore, and .git/info/exclude, is
	// ignored; those of wsync's own always count.
	GitIgnore bool `json:"gitignore,omitempty"`
	// Ignore are patterns with the syntax and the meaning that gitignore(5) gives to
	// the lines of a file at the top of the workspace. They are read before the files in the tree.
	Ignore []string `json:"ignore,omitempty"`
	// NoDefaultIgnores leaves out the built-in rules.
	NoDefaultIgnores bool `json:"no_default_ignores,omitempty"`
	// IgnoreTagged are names of files: a directory that holds one of them is ignored.
	IgnoreTagged []string `json:"ignore_tagged,omitempty"`

	// StateName is the name under which what is known of the workspace is kept, if it
	// is not Name; see State.
	StateName string `json:"state_name,omitempty"`

	// unknown keeps the fields of the file that this version does not know,
	// so that writing the file back loses nothing.
	unknown map[string]json.RawMessage
}

// The values of Workspace.OnEmpty.
const (
	OnEmptyHalt  = "halt"
	OnEmptyAllow = "allow"
)

// The values of Remote.Sparse. SparseAuto is written as "".
const (
	SparseAuto = "auto"
	// SparseOn makes a hole of all that is nothing but zeros, SparseOff makes none.
	SparseOn  = "on"
	SparseOff = "off"
)

// The values of Remote.Devices. DevicesOn is written as "".
const (
	DevicesOn  = "on"
	DevicesOff = "off"
)

// The values of the option window-for. Remote.WindowFor is "" for WindowForLarge.
const (
	WindowForLarge = "large"
	WindowForAll   = "all"
)

// WindowSize is the size in bytes above which a file is large for a window.
const WindowSize = 10_000_000

// The values of the option compress. Remote.Compress is "" for CompressAuto.
const (
	CompressAuto = "auto"
	CompressOn   = "on"
	CompressOff  = "off"
)

// The values of Remote.Delete: what is gone from the workspace is deleted, or nothing is.
const (
	DeleteMirror = "mirror"
	DeleteKeep   = "keep"
)

// Keeps reports whether nothing is ever deleted there.
func (r Remote) Keeps() bool { return r.Delete == DeleteKeep }

// LeavesGone reports whether what is gone here is not deleted there at once, if at all: the
// old name of what is renamed stays, too.
func (r Remote) LeavesGone() bool { return r.Keeps() || r.DeleteAfter != 0 }

// Remote is one place that a workspace is mirrored to.
type Remote struct {
	// Name identifies the remote within its workspace; see ValidateName.
	Name string `json:"name"`
	// RemotePath is the directory on the remote: an absolute path, or one
	// relative to the login directory for ssh; "module" or "module/path" for an
	// rsync daemon.
	RemotePath string `json:"remote_path"`
	// Connection says how the remote is reached.
	Connection Connection `json:"connection_info"`

	// DelayUpdates makes the files of one run of rsync appear together, at its
	// end. See DelayDirectory.
	DelayUpdates bool `json:"delay_updates,omitempty"`

	// Trash is for how long the destination keeps what is deleted or overwritten
	// there, 0 for not at all. See TrashDirectory.
	Trash Age `json:"trash,omitempty"`

	// TrashSize is how large the trash may be, 0 for any size; full passes look.
	TrashSize Size `json:"trash_size,omitempty"`

	// Delete is DeleteMirror (also when it is ""), or DeleteKeep.
	Delete string `json:"delete,omitempty"`

	// DeleteAfter is how much later than here something is deleted there, 0 for at once.
	DeleteAfter Delay `json:"delete_after,omitempty"`

	// SkipUnsupported: what the destination's file system cannot hold is counted,
	// and otherwise no reason for the remote not to be in sync.
	SkipUnsupported bool `json:"skip_unsupported,omitempty"`

	// FullPass is the time between two full passes, 0 for what the settings say.
	FullPass Interval `json:"full_pass,omitempty"`

	// Verify is the time between two comparisons of all contents in the background, 0 for
	// what the settings say. VerifyRepair: what differs is brought in line then.
	Verify       Verify `json:"verify,omitempty"`
	VerifyRepair bool   `json:"verify_repair,omitempty"`

	// OnSync is a command line that is run here when something was sent to the remote, "" for
	// that of the workspace, HookOff for none. OnSyncRemote is one that is run over there.
	OnSync       string `json:"on_sync,omitempty"`
	OnSyncRemote string `json:"on_sync_remote,omitempty"`

	// Bandwidth is how much is sent at most, 0 for no limit.
	Bandwidth Rate `json:"bandwidth,omitempty"`

	// Window is when what is large may be sent, "" for any time, and WindowFor is what waits
	// for it: WindowForAll, or "" for WindowForLarge.
	Window    Window `json:"window,omitempty"`
	WindowFor string `json:"window_for,omitempty"`

	// Compress says whether rsync compresses: CompressOn, CompressOff, or "" to have that
	// decided by what the line is measured to be.
	Compress string `json:"compress,omitempty"`

	// RsyncPath is the rsync to run over there, "" for the one in PATH there.
	RsyncPath string `json:"rsync_path,omitempty"`

	// Chmod is what becomes of modes on their way there, as rsync's option of that name
	// takes it, and Umask, an octal number, has the permissions that nothing gets there.
	// "" is that modes stay as they are. See ModeChanges.
	Chmod string `json:"chmod,omitempty"`
	Umask string `json:"umask,omitempty"`

	// Owner and Group are what becomes of owners and groups there. NumericIDs: where they
	// are kept, it is by number, whatever names these have.
	Owner      Whose `json:"owner,omitempty"`
	Group      Whose `json:"group,omitempty"`
	NumericIDs bool  `json:"numeric_ids,omitempty"`

	// HardLinks: the names of a file that has several are names of one file there, too.
	HardLinks bool `json:"hard_links,omitempty"`
	// ACLs and Xattrs: access control lists and extended attributes are mirrored.
	ACLs   bool `json:"acls,omitempty"`
	Xattrs bool `json:"xattrs,omitempty"`
	// Sparse is what becomes of holes in files: "", which keeps them, SparseOn or SparseOff.
	Sparse string `json:"sparse,omitempty"`
	// Devices is DevicesOff if FIFOs, sockets and devices are left out, or "".
	Devices string `json:"devices,omitempty"`

	// Sudo: rsync is run by sudo over there. SSHOptions are options of ssh, NAME=VALUE; see
	// ParseSSHOption.
	Sudo       bool     `json:"sudo,omitempty"`
	SSHOptions []string `json:"ssh_option,omitempty"`

	// TrashLeft: Trash is 0 and was not before. What the trash has stays.
	TrashLeft bool `json:"trash_left,omitempty"`

	// Paused stops transfers to this remote alone.
	Paused bool `json:"paused,omitempty"`
	// AdoptionPending is set by attach, and cleared when the destination was found
	// to hold nothing foreign: until then it may hold entries that are not the
	// workspace's, and a pass that would delete any is held.
	AdoptionPending bool `json:"adoption_pending,omitempty"`
	// AdoptDelete and AdoptOverwrite allow that first pass to delete what the workspace
	// does not have, and to overwrite what it has with other contents.
	AdoptDelete    bool `json:"adopt_delete,omitempty"`
	AdoptOverwrite bool `json:"adopt_overwrite,omitempty"`
	// LookOnly holds the first pass whatever it finds: nothing is sent. No workspace file
	// has it.
	LookOnly bool `json:"look_only,omitempty"`

	// ID tells this remote from all others, also those of other daemons; see Mark.
	// It is "" in a file of an earlier version, until the daemon has read it.
	ID string `json:"id,omitempty"`

	// StateName is as that of the workspace.
	StateName string `json:"state_name,omitempty"`

	unknown map[string]json.RawMessage
}

// Connection says how a remote is reached. Exactly one field is set.
type Connection struct {
	SSH         *SSH         `json:"Ssh,omitempty"`
	HostAlias   *HostAlias   `json:"HostAlias,omitempty"`
	RsyncDaemon *RsyncDaemon `json:"RsyncDaemon,omitempty"`
	Local       *Local       `json:"Local,omitempty"`
}

// SSH is a host reached by ssh with details of its own. What is unset is
// decided by ssh and its configuration. IdentityFile is an absolute path, or
// one beginning with "~/", which ssh itself expands.
type SSH struct {
	Host         string `json:"host"`
	Port         int    `json:"port"`          // 0 (null in JSON): ssh decides
	Username     string `json:"username"`      // "" (null in JSON): ssh decides
	IdentityFile string `json:"identity_file"` // "" (null in JSON): ssh decides

	unknown map[string]json.RawMessage
}

// HostAlias is a host, often an alias of ~/.ssh/config, about which ssh
// decides everything. An IPv6 address stands without brackets, here as in the
// other types.
type HostAlias struct {
	HostAlias string `json:"host_alias"`

	unknown map[string]json.RawMessage
}

// RsyncDaemon is an rsync daemon.
type RsyncDaemon struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`     // 0 (null in JSON): 873
	Username string `json:"username"` // "" (null in JSON): none
	// PasswordFile is the absolute path of a file whose first line is the
	// password, as rsync's option of the same name takes it; "" for none.
	PasswordFile string `json:"password_file,omitempty"`

	unknown map[string]json.RawMessage
}

// Local is a directory of this machine, another disk for example. The path is
// Remote.RemotePath.
type Local struct {
	unknown map[string]json.RawMessage
}

// Kind is a way of reaching a remote.
type Kind string

// The kinds of connections. KindNone is that of a Connection with no field
// set, which Validate refuses.
const (
	KindNone        Kind = ""
	KindSSH         Kind = "ssh" // Connection.SSH and Connection.HostAlias
	KindRsyncDaemon Kind = "rsync daemon"
	KindLocal       Kind = "local"
)

// Kind says how the remote is reached.
func (c Connection) Kind() Kind {
	switch {
	case c.SSH != nil, c.HostAlias != nil:
		return KindSSH
	case c.RsyncDaemon != nil:
		return KindRsyncDaemon
	case c.Local != nil:
		return KindLocal
	}
	return KindNone
}

// Clone returns a copy that shares nothing with w.
func (w Workspace) Clone() Workspace {
	w.Remotes = slices.Clone(w.Remotes)
	for i, r := range w.Remotes {
		w.Remotes[i] = r.Clone()
	}
	w.Root = clonePointer(w.Root)
	w.Ignore, w.IgnoreTagged = slices.Clone(w.Ignore), slices.Clone(w.IgnoreTagged)
	w.unknown = cloneUnknown(w.unknown)
	return w
}

// Clone returns a copy that shares nothing with r.
func (r Remote) Clone() Remote {
	r.unknown = cloneUnknown(r.unknown)
	r.Connection = r.Connection.clone()
	r.SSHOptions = slices.Clone(r.SSHOptions)
	return r
}

func (c Connection) clone() Connection {
	c.SSH = clonePointer(c.SSH)
	c.HostAlias = clonePointer(c.HostAlias)
	c.RsyncDaemon = clonePointer(c.RsyncDaemon)
	c.Local = clonePointer(c.Local)
	if c.SSH != nil {
		c.SSH.unknown = cloneUnknown(c.SSH.unknown)
	}
	if c.HostAlias != nil {
		c.HostAlias.unknown = cloneUnknown(c.HostAlias.unknown)
	}
	if c.RsyncDaemon != nil {
		c.RsyncDaemon.unknown = cloneUnknown(c.RsyncDaemon.unknown)
	}
	if c.Local != nil {
		c.Local.unknown = cloneUnknown(c.Local.unknown)
	}
	return c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}

func cloneUnknown(unknown map[string]json.RawMessage) map[string]json.RawMessage {
	unknown = maps.Clone(unknown)
	for name, value := range unknown {
		unknown[name] = slices.Clone(value)
	}
	return unknown
}

// The fields of each type in JSON, in the order they are written.

func (w *Workspace) fields() []field {
	fields := []field{
		{"name", &w.Name, asValue},
		{"local_path", &w.LocalPath, asValue},
		{"remote_workspaces", (*list[Remote])(&w.Remotes), asValue},
		{"paused", &w.Paused, leftOut},
		{"root_identity", &w.Root, leftOut},
	}
	fields = append(fields, optionFields(workspaceOptions, w)...)
	return append(fields, []field{
		{"skip_git", &w.SkipGit, leftOut},
		{"gitignore", &w.GitIgnore, leftOut},
		{"ignore", (*list[string])(&w.Ignore), leftOut},
		{"no_default_ignores", &w.NoDefaultIgnores, leftOut},
		{"ignore_tagged", (*list[string])(&w.IgnoreTagged), leftOut},
		{"state_name", &w.StateName, leftOut},
	}...)
}

func (r *Remote) fields() []field {
	fields := []field{
		{"name", &r.Name, asValue},
		{"remote_path", &r.RemotePath, asValue},
		{"connection_info", &r.Connection, asValue},
	}
	fields = append(fields, optionFields(remoteOptions, r)...)
	return append(fields, []field{
		{"trash_left", &r.TrashLeft, leftOut},
		{"paused", &r.Paused, leftOut},
		{"adoption_pending", &r.AdoptionPending, leftOut},
		{"adopt_delete", &r.AdoptDelete, leftOut},
		{"adopt_overwrite", &r.AdoptOverwrite, leftOut},
		{"look_only", &r.LookOnly, leftOut},
		{"id", &r.ID, leftOut},
		{"state_name", &r.StateName, leftOut},
	}...)
}

func (c *Connection) fields() []field {
	return []field{
		{"Ssh", &c.SSH, leftOut},
		{"HostAlias", &c.HostAlias, leftOut},
		{"RsyncDaemon", &c.RsyncDaemon, leftOut},
		{"Local", &c.Local, leftOut},
	}
}

func (s *SSH) fields() []field {
	return []field{
		{"host", &s.Host, asValue},
		{"port", &s.Port, asNull},
		{"username", &s.Username, asNull},
		{"identity_file", &s.IdentityFile, asNull},
	}
}

func (h *HostAlias) fields() []field {
	return []field{{"host_alias", &h.HostAlias, asValue}}
}

func (d *RsyncDaemon) fields() []field {
	return []field{
		{"host", &d.Host, asValue},
		{"port", &d.Port, asNull},
		{"username", &d.Username, asNull},
		{"password_file", &d.PasswordFile, leftOut},
	}
}

// UnmarshalJSON keeps the fields that it does not know, for MarshalJSON.
func (w *Workspace) UnmarshalJSON(data []byte) (err error) {
	w.unknown, err = decodeKeeping(data, w.fields())
	return err
}

// MarshalJSON writes the fields in their order, then those that UnmarshalJSON
// did not know.
func (w Workspace) MarshalJSON() ([]byte, error) { return encodeKeeping(w.fields(), w.unknown) }

// UnmarshalJSON is like Workspace.UnmarshalJSON.
func (r *Remote) UnmarshalJSON(data []byte) (err error) {
	r.unknown, err = decodeKeeping(data, r.fields())
	return err
}

// MarshalJSON is like Workspace.MarshalJSON.
func (r Remote) MarshalJSON() ([]byte, error) { return encodeKeeping(r.fields(), r.unknown) }

// Unknown returns the names of the fields in the JSON of r that this version does not know.
func (r Remote) Unknown() []string {
	var names []string
	for _, unknown := range []map[string]json.RawMessage{r.unknown, r.Connection.unknown()} {
		names = append(names, slices.Sorted(maps.Keys(unknown))...)
	}
	return names
}

// unknown are the unknown fields of the one that is set.
func (c Connection) unknown() map[string]json.RawMessage {
	switch {
	case c.SSH != nil:
		return c.SSH.unknown
	case c.HostAlias != nil:
		return c.HostAlias.unknown
	case c.RsyncDaemon != nil:
		return c.RsyncDaemon.unknown
	case c.Local != nil:
		return c.Local.unknown
	}
	return nil
}

// UnmarshalJSON refuses a connection that it does not know: without it the
// remote could not be served.
func (c *Connection) UnmarshalJSON(data []byte) error {
	unknown, err := decodeKeeping(data, c.fields())
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		names := slices.Sorted(maps.Keys(unknown))
		return &decodeError{message: fmt.Sprintf("unknown connection %q: expected Ssh, HostAlias, RsyncDaemon or Local", names[0])}
	}
	return nil
}

// MarshalJSON writes the field that is set.
func (c Connection) MarshalJSON() ([]byte, error) { return encodeKeeping(c.fields(), nil) }

// UnmarshalJSON is like Workspace.UnmarshalJSON.
func (s *SSH) UnmarshalJSON(data []byte) (err error) {
	s.unknown, err = decodeKeeping(data, s.fields())
	return err
}

// MarshalJSON is like Workspace.MarshalJSON.
func (s SSH) MarshalJSON() ([]byte, error) { return encodeKeeping(s.fields(), s.unknown) }

// UnmarshalJSON is like Workspace.UnmarshalJSON.
func (h *HostAlias) UnmarshalJSON(data []byte) (err error) {
	h.unknown, err = decodeKeeping(data, h.fields())
	return err
}

// MarshalJSON is like Workspace.MarshalJSON.
func (h HostAlias) MarshalJSON() ([]byte, error) { return encodeKeeping(h.fields(), h.unknown) }

// UnmarshalJSON is like Workspace.UnmarshalJSON.
func (d *RsyncDaemon) UnmarshalJSON(data []byte) (err error) {
	d.unknown, err = decodeKeeping(data, d.fields())
	return err
}

// MarshalJSON is like Workspace.MarshalJSON.
func (d RsyncDaemon) MarshalJSON() ([]byte, error) { return encodeKeeping(d.fields(), d.unknown) }

// UnmarshalJSON is like Workspace.UnmarshalJSON.
func (l *Local) UnmarshalJSON(data []byte) (err error) {
	l.unknown, err = decodeKeeping(data, nil)
	return err
}

// MarshalJSON is like Workspace.MarshalJSON.
func (l Local) MarshalJSON() ([]byte, error) { return encodeKeeping(nil, l.unknown) }
