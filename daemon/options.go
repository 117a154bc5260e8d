package daemon

import (
	"fmt"
	"net/http"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// setOptions handles POST /v1/workspaces/{workspace}/options. A monitor that runs goes
// on with the new options.
func (d *Daemon) setOptions(r *http.Request) (any, error) {
	var req api.SetOptions
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	remote := r.URL.Query().Get("remote")
	unknown, err := d.tryOptions(r, remote, req.Options)
	if err != nil {
		return nil, err
	}
	var notes []string
	answer, err := d.change(func() (e *entry, err error) {
		if e, err = d.find(r); err != nil {
			return nil, err
		}
		before := e.workspace
		changed := before.Clone()
		if remote == "" {
			if err = changed.SetOptions(req.Options); err != nil {
				err = invalid(err)
			}
		} else {
			notes, err = e.setRemoteOptions(&changed, remote, req.Options)
		}
		if err != nil {
			return nil, err
		}
		e.workspace = changed
		if err := d.commit(e, before); err != nil {
			return nil, err
		}
		e.tell(report.Event{Kind: report.EventSet, Remote: remote, Detail: assignments(req.Options)})
		d.judgeAnew(e, remote)
		d.apply(e)
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	// What begins after the answer goes by the new options.
	d.ping(r.Context(), r.PathValue("workspace"))
	status := answer.(api.WorkspaceStatus)
	status.Notes = append(notes, unknown...)
	return status, nil
}

// setRemoteOptions changes options of a remote in w, and refuses those that the remote
// is known not to be able to follow. The lock is held.
func (e *entry) setRemoteOptions(w *config.Workspace, remote string, options []config.Assignment) (notes []string, err error) {
	i := e.remote(remote)
	if i < 0 {
		return nil, unknownRemote(e, remote)
	}
	r := &w.Remotes[i]
	before := r.Clone()
	if err := r.SetOptions(options); err != nil {
		return nil, invalid(err)
	}
	// What it cannot do is known of the rsync that is run there now, and as whom.
	another := before.RsyncPath != r.RsyncPath || before.Sudo != r.Sudo
	if status := e.status(remote); status != nil && e.isAbout(status) && !another {
		for _, o := range r.Options() {
			if why := status.Cannot[o.Name]; why != "" && r.Demands(o.Name) && config.OptionChanged(before, *r, o.Name) {
				return nil, &api.Error{Kind: api.Conflict, Message: fmt.Sprintf("%s=%s: %s", o.Name, o.Value, why)}
			}
		}
	}
	if r.TrashLeft && !before.TrashLeft {
		notes = append(notes, fmt.Sprintf("what %s has stays there, for you to remove", config.TrashDirectory))
	}
	return notes, nil
}
