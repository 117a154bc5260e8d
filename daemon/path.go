package daemon

import (
	"fmt"
	"net/http"
	"os"

	"wsync/config"
	"wsync/config/filesystem"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// setPath handles POST /v1/workspaces/{workspace}/path: another directory is the
// workspace's from now on. Nothing says that it has what the other had, so that its remotes
// are adopted anew: what they have and it does not is held, however little it is.
func (d *Daemon) setPath(r *http.Request) (any, error) {
	var req api.SetPath
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("cannot find the home directory: %w", err)
	}
	// Looked at without the lock: a dead mount may take its time.
	var e *entry
	var wanted config.Workspace
	var all []config.Workspace
	d.lock.Do(func() {
		if e, err = d.find(r); err == nil {
			wanted, all = e.workspace.Clone(), d.workspaces()
		}
	})
	if err != nil {
		return nil, err
	}
	before := wanted.LocalPath
	if req.LocalPath == before {
		return nil, &api.Error{Kind: api.Conflict, Message: "that is its directory already", Hint: "if another directory is there now and is meant: wsync approve " + wanted.Name}
	}
	wanted.LocalPath = req.LocalPath
	if err := wanted.Validate(); err != nil {
		return nil, invalid(unnamed(err, wanted.Name, ""))
	}
	root, err := d.checkRoot(wanted.LocalPath)
	if err != nil {
		return nil, err
	}
	for _, remote := range wanted.Remotes {
		if err := remote.CheckAgainst(wanted.LocalPath, home); err != nil {
			return nil, invalid(err)
		}
	}
	if err := checkPlace(wanted, all); err != nil {
		return nil, &api.Error{Kind: api.Exists, Message: unnamed(err, wanted.Name, "").Error()}
	}
	answer, err := d.change(func() (*entry, error) {
		if found, err := d.find(r); err != nil {
			return nil, err
		} else if found != e || e.workspace.LocalPath != before || len(e.provisional) > 0 {
			return nil, &api.Error{Kind: api.Conflict, Message: "it is just being changed by somebody else", Hint: "try again in a few seconds"}
		}
		return e, d.moveRoot(e, req.LocalPath, root)
	})
	if status, ok := answer.(api.WorkspaceStatus); ok {
		status.Notes = silentNotes(filesystem.SilentIn(req.LocalPath), d.settings.PollInterval)
		answer = status
	}
	return answer, err
}

// moveRoot makes another directory the workspace's, with a monitor of its own. The lock
// is held.
func (d *Daemon) moveRoot(e *entry, path string, root *config.RootIdentity) error {
	before := e.workspace
	e.workspace = before.Clone()
	e.workspace.LocalPath, e.workspace.Root = path, root
	for i := range e.workspace.Remotes {
		r := &e.workspace.Remotes[i]
		// What was mirrored may change as ever; only what is not there any more is in doubt.
		r.AdoptOverwrite = !r.AdoptionPending || r.AdoptOverwrite
		r.AdoptionPending, r.AdoptDelete = true, false
	}
	if err := config.ValidateAll(d.workspaces()); err != nil {
		e.workspace = before
		return &api.Error{Kind: api.Exists, Message: unnamed(err, before.Name, "").Error()}
	}
	if err := d.commit(e, before); err != nil {
		return err
	}
	e.tell(report.Event{Kind: report.EventElsewhere, Detail: path})
	for _, r := range e.workspace.Remotes {
		d.beginAnew(e, r.Name)
	}
	for _, other := range d.entries {
		d.apply(other) // which is to know of it
	}
	if len(e.workspace.Remotes) > 0 {
		// Not earlier: what is started goes by the new definition.
		d.restart(e)
	}
	return nil
}
