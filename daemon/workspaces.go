package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"wsync/config"
	"wsync/config/filesystem"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// listWorkspaces handles GET /v1/workspaces.
func (d *Daemon) listWorkspaces(*http.Request) (any, error) {
	all := []config.Workspace{} // not null
	d.lock.Do(func() { all = append(all, d.workspaces()...) })
	return all, nil
}

// addWorkspace handles POST /v1/workspaces.
func (d *Daemon) addWorkspace(r *http.Request) (any, error) {
	var req api.AddWorkspace
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	w := config.Workspace{
		Name: req.Name, LocalPath: req.LocalPath, OnEmpty: req.OnEmpty,
		SkipGit: req.SkipGit, GitIgnore: req.GitIgnore, NoDefaultIgnores: req.NoDefaultIgnores,
	}
	patterns, err := ignorePatterns(req.Ignore)
	if err != nil {
		return nil, invalid(err)
	}
	w.Ignore, w.IgnoreTagged = appendLast(nil, patterns), appendNew(nil, req.IgnoreTagged)
	if err := w.Validate(); err != nil {
		return nil, invalid(unnamed(err, w.Name, ""))
	}
	if w.Root, err = d.checkRoot(w.LocalPath); err != nil {
		return nil, err
	}
	var all []config.Workspace
	d.lock.Do(func() { all = d.workspaces() })
	if err := checkPlace(w, all); err != nil {
		return nil, &api.Error{Kind: api.Exists, Message: unnamed(err, w.Name, "").Error()}
	}
	status, err := d.change(func() (*entry, error) {
		if e, ok := d.entries[w.Name]; ok {
			return nil, &api.Error{
				Kind:    api.Exists,
				Message: fmt.Sprintf("there is already a workspace %s (%s)", w.Name, e.workspace.LocalPath),
				Hint:    "choose another name, or wsync remove " + w.Name,
			}
		}
		w.StateName = d.freeState(w.Name)
		if d.leaving[w.State()] {
			return nil, &api.Error{
				Kind:    api.Exists,
				Message: fmt.Sprintf("the monitor of the workspace %s that was removed is still ending", w.Name),
				Hint:    "try again in a few seconds",
			}
		}
		if err := config.ValidateAll(append(d.workspaces(), w)); err != nil {
			return nil, &api.Error{Kind: api.Exists, Message: unnamed(err, w.Name, "").Error()}
		}
		d.insert(w)
		e := d.entries[w.Name]
		if err := d.save(); err != nil {
			d.forget(w.Name)
			go e.supervisor.Close(context.Background())
			go e.journal.Close()
			return nil, err
		}
		d.tell(report.Event{Workspace: w.Name, Kind: report.EventAdded, Detail: w.LocalPath})
		return e, nil
	})
	if added, ok := status.(api.WorkspaceStatus); ok {
		added.Notes = append(silentNotes(filesystem.SilentIn(w.LocalPath), d.settings.PollInterval), mistaken(w.Ignore, w.LocalPath)...)
		status = added
	}
	return status, err
}

// checkRoot returns the identity of a directory that is to be a workspace's, unless it
// cannot be one.
func (d *Daemon) checkRoot(path string) (*config.RootIdentity, error) {
	if err := config.CheckLocalPath(path); err != nil {
		return nil, invalid(err)
	}
	if d.ownFilesIn(path) {
		// Each transfer would write a log line, and each log line be a change.
		return nil, &api.Error{
			Kind:    api.Invalid,
			Message: fmt.Sprintf("%s holds wsync's own files (%s)", path, d.settings.Directory),
			Hint:    "add the directories in it that matter, one by one",
		}
	}
	id, err := config.IdentifyRoot(path)
	if err != nil {
		return nil, fmt.Errorf("cannot identify %s: %w", path, err)
	}
	return &id, nil
}

// silentNotes say which file systems do not tell of all changes.
func silentNotes(silent []filesystem.Mount, interval time.Duration) []string {
	var notes []string
	for _, m := range silent {
		notes = append(notes, fmt.Sprintf("%s is on %s, which does not tell of changes that are made elsewhere: they are looked for every %s (PollInterval)", m.Path, m.Type, interval))
	}
	return notes
}

// getWorkspace handles GET /v1/workspaces/{workspace}.
func (d *Daemon) getWorkspace(r *http.Request) (any, error) {
	var status api.WorkspaceStatus
	var err error
	d.lock.Do(func() {
		var e *entry
		if e, err = d.find(r); err == nil {
			status = d.workspaceStatus(e)
		}
	})
	return status, err
}

// removeWorkspace handles DELETE /v1/workspaces/{workspace}: it answers when
// the monitor is gone.
func (d *Daemon) removeWorkspace(r *http.Request) (any, error) {
	var removed *entry
	_, err := d.change(func() (*entry, error) {
		e, err := d.find(r)
		if err != nil {
			return nil, err
		}
		order := append([]string(nil), d.order...)
		d.forget(e.workspace.Name)
		if err := d.save(); err != nil {
			d.entries[e.workspace.Name], d.order = e, order
			return nil, err
		}
		removed = e
		d.leaving[e.workspace.State()] = true
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), stopTime)
	defer cancel()
	removed.supervisor.Close(ctx)
	removed.journal.Close()
	d.tell(report.Event{Workspace: removed.workspace.Name, Kind: report.EventRemoved, Detail: removed.workspace.LocalPath})
	state := removed.workspace.State()
	d.removeRunDirectory(state)
	d.lock.Do(func() { delete(d.leaving, state) })
	return nil, nil
}

// change runs f with the lock held, and returns the status of the workspace that f returns
// when its monitor knows of the change, unless that does not answer: what happens from then
// on must not go where it is not to go any more.
func (d *Daemon) change(f func() (*entry, error)) (status any, err error) {
	name := ""
	d.lock.Do(func() {
		var e *entry
		if e, err = f(); err == nil {
			name, status = e.workspace.Name, d.workspaceStatus(e)
		}
	})
	if err == nil {
		d.ping(context.Background(), name)
	}
	return status, err
}

// find returns the workspace that a request names. The lock is held.
func (d *Daemon) find(r *http.Request) (*entry, error) {
	return d.named(r.PathValue("workspace"))
}

// named returns a workspace. The lock is held.
func (d *Daemon) named(name string) (*entry, error) {
	e, ok := d.entries[name]
	if !ok {
		return nil, &api.Error{Kind: api.NotFound, Message: fmt.Sprintf("there is no workspace %q", name), Hint: d.knownWorkspaces()}
	}
	return e, nil
}

// knownWorkspaces is a hint that names them. The lock is held.
func (d *Daemon) knownWorkspaces() string {
	if len(d.order) == 0 {
		return "there is none yet: wsync add NAME PATH"
	}
	return "there is: " + strings.Join(d.order, ", ")
}

func invalid(err error) error { return &api.Error{Kind: api.Invalid, Message: err.Error()} }

// unnamed is an error of package config without the names of the workspace and the
// remote that were asked about, with which the client begins.
func unnamed(err error, workspace, remote string) error {
	text := strings.TrimPrefix(err.Error(), fmt.Sprintf("workspace %q: ", workspace))
	return errors.New(strings.TrimPrefix(text, fmt.Sprintf("remote %q: ", remote)))
}

// ownFilesIn reports whether a directory of wsync's own is, or is below, dir.
func (d *Daemon) ownFilesIn(dir string) bool {
	return holds(dir, d.settings.Directory) || holds(dir, d.settings.LogDirectory)
}

// holds reports whether path is, or is below, dir.
func holds(dir, path string) bool {
	for ; ; path = path[:strings.LastIndexByte(path, '/')] {
		if sameDirectory(dir, path) {
			return true
		}
		if !strings.Contains(path, "/") {
			return sameDirectory(dir, "/")
		}
	}
}

func sameDirectory(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
