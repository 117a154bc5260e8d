package daemon

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// attachRemote handles POST /v1/workspaces/{workspace}/remotes. A remote that is
// away is attached all the same.
func (d *Daemon) attachRemote(r *http.Request) (any, error) {
	var req api.AttachRemote
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	return d.attach(r, req, attached)
}

// moveRemote handles POST /v1/workspaces/{workspace}/remotes/{remote}/destination: the
// remote is attached as another one would be, and until that is decided, the daemon may go
// back to the destination before.
func (d *Daemon) moveRemote(r *http.Request) (any, error) {
	var req api.AttachRemote
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	req.Remote.Name = r.PathValue("remote")
	return d.attach(r, req, moved)
}

// attach attaches a remote in the place that place gives it.
func (d *Daemon) attach(r *http.Request, req api.AttachRemote, place placement) (any, error) {
	req.Remote.LookOnly = false
	e, remote, status, err := d.provide(r, req, place)
	if err != nil || req.Settle <= 0 {
		return status, err
	}
	d.awaitAttached(r, e, remote.Name, req.Settle)
	return d.change(func() (*entry, error) { return e, d.decideAttached(e, remote, req.Offline) })
}

// lookTime is how long a look at a destination may take.
const lookTime = 10 * time.Minute

// lookAtRemote handles POST /v1/workspaces/{workspace}/look: what attach would find, which
// attaches nothing and sends nothing.
func (d *Daemon) lookAtRemote(r *http.Request) (any, error) {
	var req api.AttachRemote
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	req.Remote.LookOnly, req.Settle = true, lookTime
	e, remote, _, err := d.provide(r, req, attached)
	if err != nil {
		return nil, err
	}
	d.awaitAttached(r, e, remote.Name, lookTime)
	var found report.RemoteStatus
	_, err = d.change(func() (*entry, error) {
		i := e.remote(remote.Name)
		if i < 0 || !e.isProvisional(remote.Name) {
			return nil, &api.Error{Kind: api.Conflict, Message: "it was detached meanwhile"}
		}
		found = d.remoteStatus(e, e.workspace.Remotes[i])
		return e, d.detach(e, i)
	})
	switch {
	case err != nil:
		return nil, err
	case found.Held == nil && found.Error != "":
		return nil, &api.Error{Kind: api.Failed, Message: found.Error, Hint: found.Hint}
	case found.Held == nil:
		return nil, &api.Error{Kind: api.Conflict, Message: "nothing was found out: the workspace, or the remote, is paused or halted"}
	}
	return found.Held, nil
}

// provide attaches a remote, provisionally if the request is to be decided later.
func (d *Daemon) provide(r *http.Request, req api.AttachRemote, place placement) (e *entry, remote config.Remote, status any, err error) {
	remote = req.Remote
	remote.AdoptDelete, remote.AdoptOverwrite = req.DeleteExisting, req.OverwriteExisting
	remote.AdoptionPending = !req.DeleteExisting || !req.OverwriteExisting || remote.LookOnly
	if !remote.AdoptionPending {
		remote.AdoptDelete, remote.AdoptOverwrite = false, false
	}
	e, status, err = d.addRemote(r, req, &remote, place)
	return e, remote, status, err
}

// placement puts a remote into a workspace, and returns the one that it takes the place
// of, nil for none.
type placement func(w *config.Workspace, remote config.Remote) (replaced *config.Remote, err error)

// attached is the placement of a new remote.
func attached(w *config.Workspace, remote config.Remote) (*config.Remote, error) {
	if slices.ContainsFunc(w.Remotes, func(r config.Remote) bool { return r.Name == remote.Name }) {
		return nil, &api.Error{
			Kind:    api.Exists,
			Message: fmt.Sprintf("workspace %s already has a remote %s", w.Name, remote.Name),
			Hint:    fmt.Sprintf("choose another name, or wsync detach %s %s", w.Name, remote.Name),
		}
	}
	w.Remotes = append(w.Remotes, remote)
	return nil, nil
}

// moved is the placement of a remote that is there already, at another destination.
func moved(w *config.Workspace, to config.Remote) (*config.Remote, error) {
	i := slices.IndexFunc(w.Remotes, func(r config.Remote) bool { return r.Name == to.Name })
	if i < 0 {
		return nil, unknownRemote(&entry{workspace: *w}, to.Name)
	}
	before := w.Remotes[i].Clone()
	r := &w.Remotes[i]
	r.MoveTo(to)
	if r.Destination() == before.Destination() {
		return nil, &api.Error{Kind: api.Conflict, Message: "that is its destination already"}
	}
	r.ID, r.AdoptionPending = to.ID, to.AdoptionPending
	r.AdoptDelete, r.AdoptOverwrite = to.AdoptDelete, to.AdoptOverwrite
	return &before, nil
}

// addRemote adds a remote to the workspace of a request, in the place that place gives it.
func (d *Daemon) addRemote(r *http.Request, req api.AttachRemote, remote *config.Remote, place placement) (e *entry, status any, err error) {
	remote.ID = config.NewID()
	if err := remote.Validate(); err != nil {
		return nil, nil, invalid(unnamed(err, "", remote.Name))
	}
	if program, hint := missingPrograms(remote.Connection.Kind()); program != "" {
		return nil, nil, &api.Error{Kind: api.Internal, Message: fmt.Sprintf("there is no %s in the daemon's PATH", program), Hint: hint}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot find the home directory: %w", err)
	}
	// Looked at without the lock: a dead mount may take its time.
	var wanted config.Workspace
	var all []config.Workspace
	d.lock.Do(func() {
		if e, err = d.find(r); err == nil {
			wanted, all = e.workspace.Clone(), d.workspaces()
		}
	})
	if err != nil {
		return nil, nil, err
	}
	if err := remote.CheckAgainst(wanted.LocalPath, home); err != nil {
		return nil, nil, invalid(unnamed(err, "", remote.Name))
	}
	if remote.Connection.Kind() == config.KindLocal && d.ownFilesIn(remote.RemotePath) {
		return nil, nil, &api.Error{Kind: api.Invalid, Message: fmt.Sprintf("%s holds wsync's own files, which mirroring would delete", remote.RemotePath)}
	}
	if _, err := place(&wanted, *remote); err != nil {
		return nil, nil, err
	}
	if err := checkPlace(wanted, all); err != nil {
		return nil, nil, &api.Error{Kind: api.Exists, Message: unnamed(err, wanted.Name, remote.Name).Error()}
	}
	status, err = d.change(func() (*entry, error) {
		if found, err := d.find(r); err != nil {
			return nil, err
		} else if found != e {
			return nil, invalid(fmt.Errorf("workspace %s was replaced by another one meanwhile", e.workspace.Name))
		}
		if e.isProvisional(remote.Name) {
			return nil, errUndecided()
		}
		before := e.workspace
		changed := before.Clone()
		replaced, err := place(&changed, *remote)
		if err != nil {
			return nil, err
		}
		e.workspace = changed
		if err := config.ValidateAll(d.workspaces()); err != nil {
			e.workspace = before
			return nil, &api.Error{Kind: api.Exists, Message: unnamed(err, e.workspace.Name, remote.Name).Error()}
		}
		if req.Settle > 0 {
			e.provisional[remote.Name] = replaced
		}
		if err := d.commit(e, before); err != nil {
			delete(e.provisional, remote.Name)
			return nil, err
		}
		if req.Settle <= 0 {
			e.tellAttached(remote.Name, replaced != nil)
		}
		d.beginAnew(e, remote.Name)
		d.apply(e)
		return e, nil
	})
	return e, status, err
}

// checkPlace refuses what w, as it is to be, would get in the way of, whatever that
// is called there. all are the workspaces that there are.
func checkPlace(w config.Workspace, all []config.Workspace) error {
	others := slices.DeleteFunc(slices.Clone(all), func(o config.Workspace) bool { return o.Name == w.Name })
	return config.CheckPlace(w, others)
}

// detachRemote handles DELETE /v1/workspaces/{workspace}/remotes/{remote}.
func (d *Daemon) detachRemote(r *http.Request) (any, error) {
	return d.change(func() (*entry, error) {
		name := r.PathValue("remote")
		e, i, err := d.findRemote(r, name)
		if err != nil {
			return nil, err
		}
		detached := e.workspace.Remotes[i]
		if err := d.detach(e, i); err != nil {
			return nil, err
		}
		e.tell(report.Event{Kind: report.EventDetached, Remote: name, RemoteID: detached.ID, Detail: detached.Destination()})
		return e, nil
	})
}

// detach forgets the remote with index i. The lock is held.
func (d *Daemon) detach(e *entry, i int) error {
	before, name := e.workspace, e.workspace.Remotes[i].Name
	e.workspace = before.Clone()
	e.workspace.Remotes = slices.Delete(e.workspace.Remotes, i, i+1)
	if err := d.commit(e, before); err != nil {
		return err
	}
	delete(e.orders, name)
	delete(e.attached, name)
	delete(e.provisional, name)
	delete(e.released, name)
	e.dropStatus(name)
	d.apply(e)
	return nil
}

// commit saves a changed workspace, or takes the change back. The lock is
// held.
func (d *Daemon) commit(e *entry, before config.Workspace) error {
	if err := d.save(); err != nil {
		e.workspace = before
		return err
	}
	return nil
}

// findRemote returns the workspace that a request names and the index of a
// remote of it. The lock is held.
func (d *Daemon) findRemote(r *http.Request, remote string) (*entry, int, error) {
	e, err := d.find(r)
	if err != nil {
		return nil, 0, err
	}
	if i := e.remote(remote); i >= 0 {
		return e, i, nil
	}
	return nil, 0, unknownRemote(e, remote)
}

func unknownRemote(e *entry, remote string) error {
	hint := fmt.Sprintf("it has none yet: wsync attach %s NAME DEST", e.workspace.Name)
	if len(e.workspace.Remotes) > 0 {
		var names []string
		for _, r := range e.workspace.Remotes {
			names = append(names, r.Name)
		}
		hint = "it has: " + strings.Join(names, ", ")
	}
	return &api.Error{Kind: api.NotFound, Message: fmt.Sprintf("workspace %s has no remote %q", e.workspace.Name, remote), Hint: hint}
}
