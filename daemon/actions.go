package daemon

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// act handles POST /v1/workspaces/{workspace}/{action}.
func (d *Daemon) act(r *http.Request) (any, error) {
	query, action := r.URL.Query(), api.Action(r.PathValue("action"))
	if query.Has("held") && action != api.Approve {
		return nil, &api.Error{Kind: api.Invalid, Message: fmt.Sprintf("held=%s makes no sense for %s", query.Get("held"), action)}
	}
	return d.actOn(r.PathValue("workspace"), query.Get("remote"), query.Get("held"), action)
}

// actOn carries out an action on a workspace, or on one remote of it unless that is "". An
// approval is for the set held only, whose report.Held.ID that is, unless it is "".
func (d *Daemon) actOn(workspace, remote, held string, action api.Action) (any, error) {
	var root rootLook
	if action == api.Approve && held == "" {
		root = d.lookAtRoot(workspace)
	}
	var approved []api.Approved
	status, err := d.change(func() (*entry, error) {
		e, err := d.named(workspace)
		if err != nil {
			return nil, err
		}
		if remote != "" && e.remote(remote) < 0 {
			return nil, unknownRemote(e, remote)
		}
		if err := e.pointless(action, remote); err != nil {
			return nil, err
		}
		switch action {
		case api.Pause, api.Resume:
			before := e.workspace
			e.workspace = before.Clone()
			setPaused(&e.workspace, remote, action == api.Pause)
			if err := d.commit(e, before); err != nil {
				return nil, err
			}
			if action == api.Resume {
				d.giveOrder(e, remote, func(o *report.Orders, _ *report.RemoteStatus) { o.Retry++ })
				d.judgeAnew(e, remote)
			}
		case api.Resync:
			d.giveOrder(e, remote, func(o *report.Orders, _ *report.RemoteStatus) { o.Resync++ })
			d.judgeAnew(e, remote)
		case api.Approve:
			if approved, err = d.approve(e, remote, held, root); err != nil {
				return nil, err
			}
		case api.Restart:
			d.restart(e)
		default:
			return nil, &api.Error{Kind: api.Unknown, Message: fmt.Sprintf("there is no action %q", action)}
		}
		e.tellAction(action, remote, approved)
		d.apply(e)
		return e, nil
	})
	if s, ok := status.(api.WorkspaceStatus); ok {
		s.Approved = approved
		return s, err
	}
	return status, err
}

// noRemotes is the refusal of an action that needs a remote.
const noRemotes = "it has no remotes yet"

// pointless says why an action would do nothing as things are, nil if it would do
// something. The lock is held.
func (e *entry) pointless(action api.Action, remote string) error {
	name, resync := e.workspace.Name, action == api.Resync
	refusal := &api.Error{Kind: api.Conflict}
	switch {
	case len(e.workspace.Remotes) == 0 && (resync || action == api.Restart):
		refusal.Message, refusal.Hint = noRemotes, fmt.Sprintf("wsync attach %s REMOTE DEST", name)
	case e.process.State == watchdog.Failed && (resync || action == api.Resume):
		refusal.Message, refusal.Hint = "its monitor has failed", "wsync restart "+name
	case resync && e.isPaused(remote):
		refusal.Message, refusal.Hint = "it is paused", strings.TrimSpace("wsync resume "+name+" "+remote)
	default:
		return nil
	}
	return refusal
}

// isPaused reports whether a remote is paused, or all of them if remote is "". The lock is
// held.
func (e *entry) isPaused(remote string) bool {
	return !slices.ContainsFunc(e.workspace.Remotes, func(r config.Remote) bool {
		return (remote == "" || r.Name == remote) && !r.Paused && !e.workspace.Paused
	})
}

// restart starts a new monitor. The lock is held.
func (d *Daemon) restart(e *entry) {
	e.supervisor.Restart()
	// What was known is out of date from now on, not only when the supervisor
	// says so: a request to wait must not find the failure that this ends.
	e.become(watchdog.Status{State: watchdog.Starting, LastExit: e.process.LastExit})
	e.dropReport()
}

// setPaused pauses or resumes a workspace, or one remote of it. Resuming the
// workspace resumes every remote.
func setPaused(w *config.Workspace, remote string, paused bool) {
	if remote == "" {
		w.Paused = paused
	}
	for i := range w.Remotes {
		if r := &w.Remotes[i]; r.Name == remote || remote == "" && !paused {
			r.Paused = paused
		}
	}
	if remote != "" && !paused && w.Paused {
		// Only this one was asked for: the others stay paused.
		w.Paused = false
		for i := range w.Remotes {
			w.Remotes[i].Paused = w.Remotes[i].Name != remote
		}
	}
}

// giveOrder gives an order to one remote, or to all. The lock is held.
func (d *Daemon) giveOrder(e *entry, remote string, give func(*report.Orders, *report.RemoteStatus)) {
	for _, r := range e.workspace.Remotes {
		if remote == "" || r.Name == remote {
			o := e.orders[r.Name]
			give(&o, e.status(r.Name))
			e.orders[r.Name] = o
		}
	}
}

// judgeAnew lets what is held of one remote, or of all, be approved only when the
// monitor has reported it again. The lock is held.
func (d *Daemon) judgeAnew(e *entry, remote string) {
	e.barrier++
	for _, r := range e.workspace.Remotes {
		if remote == "" || r.Name == remote {
			e.released[r.Name] = e.barrier
		}
	}
}

// nothingHeld is the refusal of an approval where there is nothing to approve.
const nothingHeld = "there is nothing to approve: no deletions are held"

// rootLook is what the directory of a halted workspace was found to be; neither is
// set for one that is not halted.
type rootLook struct {
	id  *config.RootIdentity
	err error
}

// lookAtRoot looks at the directory of a workspace if that is halted. It is called
// without the lock, as the file system may hang.
func (d *Daemon) lookAtRoot(name string) rootLook {
	var path string
	d.lock.Do(func() {
		if e, ok := d.entries[name]; ok && e.report != nil && e.report.Halted != nil {
			path = e.workspace.LocalPath
		}
	})
	if path == "" {
		return rootLook{}
	}
	id, err := config.IdentifyRoot(path)
	if err != nil {
		return rootLook{err: err}
	}
	return rootLook{id: &id}
}

// approve accepts the directory that took the place of the workspace's own, or
// else lets held deletions go, which were judged by the directory that is there.
// The lock is held.
func (d *Daemon) approve(e *entry, remote, held string, root rootLook) ([]api.Approved, error) {
	if held == "" && e.report != nil && e.report.Halted != nil {
		switch {
		case root.err != nil:
			return nil, &api.Error{
				Kind:    api.Held,
				Message: fmt.Sprintf("there is nothing to approve: %s", e.report.Halted.Reason),
				Hint:    "bring the directory back, or put another one in its place, then wsync approve " + e.workspace.Name,
			}
		case root.id != nil:
			before := e.workspace
			e.workspace = before.Clone()
			e.workspace.Root = root.id
			return []api.Approved{{Directory: before.LocalPath}}, d.commit(e, before)
		}
	}
	var approved []api.Approved
	judged, others := false, false
	d.giveOrder(e, remote, func(o *report.Orders, s *report.RemoteStatus) {
		switch {
		case s == nil || s.Held == nil || !e.isAbout(s):
		case s.Asked < e.released[s.Name]:
			judged = true
		case held != "" && s.Held.ID != held:
			others = true
		default:
			o.Approve, approved = s.Held.ID, append(approved, api.Approved{Remote: s.Name, Held: s.Held})
		}
	})
	switch {
	case len(approved) > 0:
		return approved, nil
	case judged:
		return nil, &api.Error{
			Kind:    api.Held,
			Message: "the deletions are being judged anew",
			Hint:    fmt.Sprintf("wsync wait %s, then wsync approve %s", e.workspace.Name, e.workspace.Name),
		}
	}
	if others {
		return nil, &api.Error{Kind: api.Held, Message: "what is held is not what was shown any more", Hint: "wsync status " + e.workspace.Name + " --held"}
	}
	return nil, &api.Error{Kind: api.Conflict, Message: nothingHeld, Hint: "wsync status " + e.workspace.Name}
}
