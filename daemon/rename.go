package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// rename handles POST /v1/workspaces/{workspace}/rename. A monitor that runs goes on.
func (d *Daemon) rename(r *http.Request) (any, error) {
	var req api.Rename
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	if err := config.ValidateName(req.New); err != nil {
		return nil, invalid(err)
	}
	return d.change(func() (*entry, error) {
		e, err := d.find(r)
		switch {
		case err != nil:
		case req.Remote == "":
			err = d.renameWorkspace(e, req.New)
		default:
			err = d.renameRemote(e, req.Remote, req.New)
		}
		return e, err
	})
}

// errSameName is the refusal of a name that it has.
func errSameName() error { return &api.Error{Kind: api.Conflict, Message: "that is its name already"} }

// renameWorkspace gives a workspace another name. The lock is held.
func (d *Daemon) renameWorkspace(e *entry, name string) error {
	before := e.workspace
	if before.Name == name {
		return errSameName()
	}
	if other, ok := d.entries[name]; ok {
		return &api.Error{
			Kind:    api.Exists,
			Message: fmt.Sprintf("there is already a workspace %s (%s)", name, other.workspace.LocalPath),
			Hint:    "choose another name",
		}
	}
	call := func(from, to string) {
		delete(d.entries, from)
		d.entries[to] = e
		d.order[slices.Index(d.order, from)] = to
	}
	e.workspace = before.Clone()
	e.workspace.Rename(name)
	call(before.Name, name)
	if err := d.commit(e, before); err != nil {
		call(name, before.Name)
		return err
	}
	e.tell(report.Event{Workspace: before.Name, Kind: report.EventName, Detail: name})
	d.moveLogs(before.Name, name)
	d.apply(e)
	return nil
}

// renameRemote gives a remote of a workspace another name. The lock is held.
func (d *Daemon) renameRemote(e *entry, from, to string) error {
	i := e.remote(from)
	switch {
	case i < 0:
		return unknownRemote(e, from)
	case from == to:
		return errSameName()
	case e.remote(to) >= 0:
		return &api.Error{
			Kind:    api.Exists,
			Message: fmt.Sprintf("workspace %s already has a remote %s", e.workspace.Name, to),
			Hint:    "choose another name",
		}
	case e.isProvisional(from):
		return errUndecided()
	}
	before := e.workspace
	e.workspace = before.Clone()
	e.workspace.Remotes[i].Rename(to)
	if err := d.commit(e, before); err != nil {
		return err
	}
	e.tell(report.Event{Remote: from, RemoteID: before.Remotes[i].ID, Kind: report.EventName, Detail: to})
	e.told[to] = e.told[from]
	delete(e.told, from)
	e.orders[to] = e.orders[from]
	delete(e.orders, from)
	// What the monitor reports before it knows of the new name may be about another remote
	// that had it; and so may be what it still reports by the old one.
	e.barrier++
	e.attached[to], e.released[to] = e.barrier, e.released[from]
	delete(e.attached, from)
	delete(e.released, from)
	e.report, e.earlier = renamedIn(e.report, from, to, e.barrier), renamedIn(e.earlier, from, to, e.barrier)
	d.apply(e)
	return nil
}

// errUndecided is the refusal to change a remote of which it is not decided whether it is
// attached.
func errUndecided() error {
	return &api.Error{Kind: api.Conflict, Message: "it is just being attached", Hint: "try again in a few seconds"}
}

// renamedIn returns a report, which may be nil, in which a remote has another name. It is
// about that one, as of a barrier.
func renamedIn(r *report.Report, from, to string, barrier uint64) *report.Report {
	if statusIn(r, from) == nil {
		return r
	}
	renamed := *r // answers that are being written share the old one
	renamed.Remotes = slices.DeleteFunc(slices.Clone(r.Remotes), func(s report.RemoteStatus) bool { return s.Name == to })
	s := statusIn(&renamed, from)
	s.Name, s.Asked = to, barrier
	return &renamed
}

// freeState returns the state name for a new workspace: "" if what is known of it can be
// kept under its own name, which one that had it before may have taken along. The lock is
// held.
func (d *Daemon) freeState(name string) string {
	taken := func(state string) bool {
		return slices.ContainsFunc(d.workspaces(), func(w config.Workspace) bool { return w.State() == state })
	}
	if !taken(name) {
		return ""
	}
	for n := 2; ; n++ {
		suffix := "." + strconv.Itoa(n)
		if state := name[:min(len(name), maxStateBase)] + suffix; !taken(state) {
			return state
		}
	}
}

// maxStateBase leaves room for a suffix in a name.
const maxStateBase = 56

// moveLogs gives the logs of a workspace its new name, unless there are some of that name
// already. What cannot be moved stays under the old one. A monitor goes on in the file
// that it has open, until it is told.
func (d *Daemon) moveLogs(from, to string) {
	oldPath, newPath := d.settings.WorkspaceLogPath(from), d.settings.WorkspaceLogPath(to)
	if _, err := os.Lstat(newPath); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, file := range config.LogFiles(oldPath) {
		rest := strings.TrimPrefix(filepath.Base(file), from)
		if err := os.Rename(file, filepath.Join(filepath.Dir(newPath), to+rest)); err != nil {
			d.log.Warn("Cannot rename a log", zap.Error(err))
		}
	}
}
