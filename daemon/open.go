package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// listOpen handles POST /v1/workspaces/{workspace}/open.
func (d *Daemon) listOpen(r *http.Request) (any, error) {
	var req api.ListOpen
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	d.ping(r.Context(), r.PathValue("workspace")) // what has changed until now is known
	l := &listing{d: d}
	var err error
	d.lock.Do(func() { err = l.begin(r, req) })
	if err != nil {
		return nil, err
	}
	return l, nil
}

// listing is a request for what is open, of which it tells remote by remote. It implements
// stream.
type listing struct {
	d     *Daemon
	e     *entry
	asked []report.Listing // one a remote
	*lines
}

// begin asks the monitor. The lock is held.
func (l *listing) begin(r *http.Request, req api.ListOpen) (err error) {
	if l.e, err = l.d.find(r); err != nil {
		return err
	}
	if req.Remote != "" && l.e.remote(req.Remote) < 0 {
		return unknownRemote(l.e, req.Remote)
	}
	for _, remote := range l.e.workspace.Remotes {
		if req.Remote == "" || req.Remote == remote.Name {
			l.asked = append(l.asked, report.Listing{ID: config.NewID(), Remote: remote.ID})
		}
	}
	l.e.listings = append(slices.Clone(l.e.listings), l.asked...)
	l.e.supervisor.Define(l.d.definition(l.e))
	return nil
}

// end lets the monitor forget the lists.
func (l *listing) end() {
	l.d.lock.Do(func() {
		l.e.listings = slices.DeleteFunc(slices.Clone(l.e.listings), func(is report.Listing) bool { return slices.Contains(l.asked, is) })
		l.e.supervisor.Define(l.d.definition(l.e))
	})
}

// serve implements stream: lines of api.Open.
func (l *listing) serve(ctx context.Context, w io.Writer, flush func() error) error {
	defer l.end()
	l.lines = newLines(w, flush)
	for _, asked := range l.asked {
		if err := l.tell(ctx, asked); err != nil {
			return err
		}
	}
	return l.line(api.Open{End: true})
}

// tell tells of one remote.
func (l *listing) tell(ctx context.Context, asked report.Listing) error {
	limited, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	now := openOf{problem: "the monitor does not answer"}
	l.d.until(limited, func() bool { now = l.standing(asked); return now.ended })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if now.remote == nil {
		return nil // it was detached meanwhile
	}
	name := now.remote.Name
	if err := l.line(api.Open{Remote: name, Status: now.remote}); err != nil {
		return err
	}
	if now.problem != "" {
		return l.line(api.Open{Remote: name, Error: now.problem})
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return err
	}
	path := report.ComparisonPath(filepath.Join(l.d.settings.RunDirectory(), now.state), asked.ID)
	return l.file(path, fmt.Appendf(nil, `{"remote":%s,"path":`, quoted), []byte("}\n"))
}

// openOf is how far the listing of one remote is.
type openOf struct {
	ended   bool
	remote  *report.RemoteStatus
	state   string // config.Workspace.State
	problem string // why there is no list
}

// standing is how far a listing is. The lock is held.
func (l *listing) standing(asked report.Listing) (now openOf) {
	i := slices.IndexFunc(l.e.workspace.Remotes, func(r config.Remote) bool { return r.ID == asked.Remote })
	if l.d.entries[l.e.workspace.Name] != l.e || i < 0 {
		return openOf{ended: true}
	}
	status := l.d.remoteStatus(l.e, l.e.workspace.Remotes[i])
	now = openOf{remote: &status, state: l.e.workspace.State(), problem: "the monitor does not answer"}
	for _, s := range status.Listings {
		if s.ID == asked.ID {
			now.ended, now.problem = true, s.Error
		}
	}
	if s := l.e.process.State; !now.ended && s != watchdog.Starting && s != watchdog.Running {
		now.ended, now.problem = true, "no monitor runs, and nobody knows what is open"
	}
	status.Listings = nil
	return now
}
