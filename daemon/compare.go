package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// progressInterval is how often whoever waits for a comparison hears how far it is.
const progressInterval = time.Second

// suspendedTime is how long a comparison of contents that was interrupted can be gone on with.
const suspendedTime = time.Hour

// compare handles POST /v1/workspaces/{workspace}/compare.
func (d *Daemon) compare(r *http.Request) (any, error) {
	var req api.Compare
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	c := &comparing{d: d}
	var err error
	d.lock.Do(func() { err = c.begin(r, req) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// comparing is a request to compare a workspace with remotes, of which it reports one
// after the other. It implements stream.
type comparing struct {
	d *Daemon
	e *entry
	// asked are the comparisons, one a remote.
	asked []report.Comparison
	// resumed are the IDs of those that are gone on with.
	resumed []string
	*lines
}

// begin asks the monitor. The lock is held.
func (c *comparing) begin(r *http.Request, req api.Compare) (err error) {
	if c.e, err = c.d.find(r); err != nil {
		return err
	}
	w := c.e.workspace
	if req.Remote != "" && c.e.remote(req.Remote) < 0 {
		return unknownRemote(c.e, req.Remote)
	}
	if len(w.Remotes) == 0 {
		return &api.Error{Kind: api.Conflict, Message: noRemotes, Hint: fmt.Sprintf("wsync attach %s REMOTE DEST", w.Name)}
	}
	if c.e.process.State == watchdog.Failed {
		return &api.Error{Kind: api.Conflict, Message: "its monitor has failed", Hint: "wsync restart " + w.Name}
	}
	if req.Repair && c.e.isPaused(req.Remote) {
		return &api.Error{Kind: api.Conflict, Message: "it is paused", Hint: strings.TrimSpace("wsync resume " + w.Name + " " + req.Remote)}
	}
	for _, remote := range w.Remotes {
		if req.Remote == "" || req.Remote == remote.Name {
			asked := report.Comparison{ID: config.NewID(), Remote: remote.ID, Checksum: req.Checksum, Repair: req.Repair}
			if id, ok := c.e.takeSuspended(asked); ok {
				asked.ID = id
				c.resumed = append(c.resumed, id)
			}
			c.asked = append(c.asked, asked)
		}
	}
	c.e.comparisons = slices.Concat(c.e.comparisons, c.asked)
	c.e.supervisor.Define(c.d.definition(c.e))
	return nil
}

// end lets the monitor give up what nobody waits for any more, but for comparisons of
// contents that have come so far that somebody may want to go on with them.
func (c *comparing) end() {
	c.d.lock.Do(func() {
		for _, asked := range c.asked {
			status := c.standing(asked).status
			c.e.dropComparison(asked.ID)
			if asked.Checksum && status.State == report.ComparisonRunning && status.Files > 0 {
				c.suspend(asked)
			}
		}
		c.e.supervisor.Define(c.d.definition(c.e))
	})
}

// suspend keeps a comparison for a while. The lock is held.
func (c *comparing) suspend(asked report.Comparison) {
	asked.Suspended = true
	c.e.comparisons = slices.Concat(c.e.comparisons, []report.Comparison{asked})
	var timer *time.Timer
	timer = time.AfterFunc(suspendedTime, func() {
		c.d.lock.Do(func() {
			if c.e.suspended[asked.ID] == timer { // not of another time
				c.e.dropComparison(asked.ID)
				c.e.supervisor.Define(c.d.definition(c.e))
			}
		})
	})
	c.e.suspended[asked.ID] = timer
}

// takeSuspended takes away a comparison that is suspended and otherwise equals another but
// for its ID, which it returns. The lock is held.
func (e *entry) takeSuspended(as report.Comparison) (id string, ok bool) {
	for _, one := range e.comparisons {
		as.ID, as.Suspended = one.ID, true
		if one == as {
			e.dropComparison(one.ID)
			return one.ID, true
		}
	}
	return "", false
}

// dropComparison takes a comparison away. The lock is held.
func (e *entry) dropComparison(id string) {
	if timer := e.suspended[id]; timer != nil {
		timer.Stop()
		delete(e.suspended, id)
	}
	e.comparisons = slices.DeleteFunc(slices.Clone(e.comparisons), func(one report.Comparison) bool { return one.ID == id })
}

// serve implements stream: lines of api.Compared, until all is said or ctx is done.
func (c *comparing) serve(ctx context.Context, w io.Writer, flush func() error) error {
	defer c.end()
	c.lines = newLines(w, flush)
	for _, asked := range c.asked {
		if err := c.follow(ctx, asked); err != nil {
			return err
		}
	}
	return c.line(api.Compared{End: true})
}

// follow says how a comparison goes, and what it has found.
func (c *comparing) follow(ctx context.Context, asked report.Comparison) error {
	if slices.Contains(c.resumed, asked.ID) {
		var now standingOf
		c.d.lock.Do(func() { now = c.standing(asked) })
		if now.status.Files > 0 { // and not of a monitor that has begun anew
			if err := c.line(api.Compared{Remote: now.name, Progress: &now.status, Resumed: true}); err != nil {
				return err
			}
		}
	}
	for {
		var now standingOf
		limited, cancel := context.WithTimeout(ctx, progressInterval)
		ended := c.d.until(limited, func() bool {
			now = c.standing(asked)
			return now.status.State.Ended()
		})
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case ended:
			return c.result(now)
		}
		if err := c.line(api.Compared{Remote: now.name, Progress: &now.status, Transfer: now.remote.Transfer}); err != nil {
			return err
		}
	}
}

// standingOf is how a comparison stands.
type standingOf struct {
	name   string // of the remote
	status report.ComparisonStatus
	remote report.RemoteStatus
	path   string // of what it has found
}

// standing is how a comparison stands. The lock is held.
func (c *comparing) standing(asked report.Comparison) (s standingOf) {
	failed := func(message, hint string) standingOf {
		s.status = report.ComparisonStatus{ID: asked.ID, State: report.ComparisonFailed, Error: message, Hint: hint}
		return s
	}
	i := slices.IndexFunc(c.e.workspace.Remotes, func(r config.Remote) bool { return r.ID == asked.Remote })
	if c.d.entries[c.e.workspace.Name] != c.e || i < 0 {
		return failed("it was detached meanwhile", "")
	}
	s.name = c.e.workspace.Remotes[i].Name
	s.remote = c.d.remoteStatus(c.e, c.e.workspace.Remotes[i])
	s.path = report.ComparisonPath(filepath.Join(c.d.settings.RunDirectory(), c.e.workspace.State()), asked.ID)
	if s.remote.State == report.Failed || s.remote.State == report.Unknown {
		return failed(s.remote.Error, s.remote.Hint)
	}
	s.status = report.ComparisonStatus{ID: asked.ID, State: report.ComparisonWaiting}
	if c.e.report == nil {
		return s
	}
	for _, remote := range c.e.report.Remotes {
		for _, status := range remote.Comparisons {
			if status.ID == asked.ID {
				s.status = status
			}
		}
	}
	return s
}

// result writes what a comparison has found, and at last the result.
func (c *comparing) result(s standingOf) error {
	result := &api.ComparisonResult{State: s.remote.State, Error: s.status.Error, Hint: s.status.Hint, Summary: s.status.Summary}
	if s.status.State == report.ComparisonDone {
		if err := c.copyFound(s); err != nil {
			return err
		}
	}
	return c.line(api.Compared{Remote: s.name, Result: result})
}

// copyFound writes the differences.
func (c *comparing) copyFound(s standingOf) error {
	name, err := json.Marshal(s.name)
	if err != nil {
		return fmt.Errorf("cannot write what differs: %w", err)
	}
	return c.file(s.path, fmt.Appendf(nil, `{"remote":%s,"difference":`, name), []byte("}\n"))
}
