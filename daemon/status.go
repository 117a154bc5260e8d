package daemon

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// longPoll is how long a request for a newer status may take.
const longPoll = 30 * time.Second

// othersTime is how long a wait that cannot succeed goes on for the remotes that
// have not answered yet: one that is in sync answers within milliseconds.
const othersTime = time.Second

// getStatus handles GET /v1/status. Without after, the status is no older than
// the request: all that changed before is known in it.
func (d *Daemon) getStatus(r *http.Request) (any, error) {
	query := r.URL.Query()
	name, remote := query.Get("workspace"), query.Get("remote")
	if after := query.Get("after"); after != "" {
		revision, err := strconv.ParseUint(after, 10, 64)
		if err != nil {
			return nil, &api.Error{Kind: api.Invalid, Message: fmt.Sprintf("after=%s is no revision", after)}
		}
		ctx, cancel := context.WithTimeout(r.Context(), longPoll)
		defer cancel()
		// One that is greater is from a daemon that ran before.
		d.until(ctx, func() bool { return d.revision != revision })
	} else {
		d.ping(r.Context(), name)
	}
	status := api.Status{Version: api.JSONVersion, Workspaces: []api.WorkspaceStatus{}}
	var err error
	d.lock.Do(func() {
		status.Daemon = d.daemonStatus()
		status.Revision = d.revision
		if name != "" {
			var e *entry
			if e, err = d.named(name); err != nil {
				return
			}
			one := d.workspaceStatus(e)
			if remote != "" {
				err = narrow(&one, e, remote)
			}
			status.Workspaces = append(status.Workspaces, one)
			return
		}
		status.Workspaces = d.workspaceStatuses()
	})
	return status, err
}

// workspaceStatuses are those of all workspaces. The lock is held.
func (d *Daemon) workspaceStatuses() []api.WorkspaceStatus {
	all := make([]api.WorkspaceStatus, 0, len(d.order))
	for _, name := range d.order {
		all = append(all, d.workspaceStatus(d.entries[name]))
	}
	return all
}

// narrow leaves one remote in the status of a workspace.
func narrow(s *api.WorkspaceStatus, e *entry, remote string) error {
	i := e.remote(remote)
	if i < 0 {
		return unknownRemote(e, remote)
	}
	s.Workspace.Remotes, s.Remotes = s.Workspace.Remotes[i:i+1], s.Remotes[i:i+1]
	return nil
}

func (d *Daemon) daemonStatus() api.DaemonStatus {
	return api.DaemonStatus{
		Version:       d.version,
		PID:           os.Getpid(),
		Since:         d.since,
		LogDirectory:  d.settings.LogDirectory,
		LogProblem:    d.logFile.Problem(),
		NotifyProblem: d.notifier.why(),

		JournalProblem: d.journalProblem(),
		MetricsAddress: d.metricsServer.address(),
		MetricsProblem: d.metricsServer.why(),
	}
}

// until returns true as soon as condition, which is called with the lock held
// after each change, does; or false when ctx is done.
func (d *Daemon) until(ctx context.Context, condition func() bool) bool {
	for {
		var met bool
		var changed <-chan struct{}
		d.lock.Do(func() { met, changed = condition(), d.changed })
		if met {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// stopRequest handles POST /v1/stop.
func (d *Daemon) stopRequest(*http.Request) (any, error) {
	// The answer goes out first: the server lets running requests finish.
	d.stop()
	return nil, nil
}

// wait handles POST /v1/wait.
func (d *Daemon) wait(r *http.Request) (any, error) {
	var req api.Wait
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	if req.Timeout < 0 {
		return nil, &api.Error{Kind: api.Invalid, Message: fmt.Sprintf("the timeout %s is negative", req.Timeout)}
	}
	barriers := make(map[*entry]uint64)
	var err error
	d.lock.Do(func() { err = d.placeBarriers(req, barriers) })
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if req.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, req.Timeout)
		defer cancel()
	}
	result := api.WaitResult{Version: api.JSONVersion}
	var stuckSince time.Time
	result.TimedOut = !d.until(ctx, func() bool {
		var s standing
		s, err = d.standing(ctx, req, barriers)
		result.Behind = s.behind
		switch {
		case len(s.behind) == 0 || err != nil:
			return true
		case !s.stuck:
			stuckSince = time.Time{}
			return false
		case !s.open:
			return true
		case stuckSince.IsZero():
			stuckSince = time.Now()
			time.AfterFunc(othersTime, func() { d.lock.Do(d.wake) })
		}
		return time.Since(stuckSince) >= othersTime
	})
	if err != nil {
		return nil, err
	}
	if result.TimedOut && r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	result.InSync = len(result.Behind) == 0
	return result, nil
}

// placeBarriers asks the monitors of all workspaces that are waited for to say
// when what has changed until now is there. The lock is held.
func (d *Daemon) placeBarriers(req api.Wait, barriers map[*entry]uint64) error {
	names := d.order
	if req.Workspace != "" {
		e, err := d.named(req.Workspace)
		if err != nil {
			return err
		}
		if req.Remote != "" && e.remote(req.Remote) < 0 {
			return unknownRemote(e, req.Remote)
		}
		names = []string{req.Workspace}
	}
	for _, name := range names {
		e := d.entries[name]
		e.barrier++
		barriers[e] = e.barrier
		if req.Confirmed {
			e.verify = e.barrier
		}
		d.apply(e)
	}
	return nil
}

// standing is how far what is waited for has got.
type standing struct {
	// behind are the remotes that have not reached their barrier.
	behind []api.BehindRemote
	// stuck: one of them never will without a command; open: one of them is in no
	// trouble, and may be about to.
	stuck, open bool
}

// standing looks at all that is waited for. The error is that it was removed
// meanwhile. The lock is held.
func (d *Daemon) standing(ctx context.Context, req api.Wait, barriers map[*entry]uint64) (standing, error) {
	var found standing
	for e := range barriers {
		if req.Workspace == "" {
			continue
		}
		if d.entries[e.workspace.Name] != e {
			return found, &api.Error{Kind: api.NotFound, Message: fmt.Sprintf("workspace %s was removed meanwhile", req.Workspace)}
		}
		if req.Remote != "" && e.remote(req.Remote) < 0 {
			return found, unknownRemote(e, req.Remote)
		}
	}
	for _, name := range d.order {
		e := d.entries[name]
		barrier, ok := barriers[e]
		if !ok {
			continue
		}
		for _, r := range e.workspace.Remotes {
			if req.Remote != "" && r.Name != req.Remote {
				continue
			}
			s := d.remoteStatus(e, r)
			reached := s.Barrier
			if req.Confirmed {
				reached = s.Confirmed
			}
			if reached >= max(barrier, e.attached[r.Name]) {
				continue
			}
			found.behind = append(found.behind, api.BehindRemote{Workspace: name, Remote: s.Plain()})
			trouble, _ := mood(s)
			switch {
			case e.stuck(r, s, barrier) || s.Asked >= barrier && opensTooLate(ctx, s):
				found.stuck = true
			case trouble == well:
				found.open = true
			}
		}
	}
	return found, nil
}

// opensTooLate reports whether all that a remote lacks waits for its window, which is shut
// for longer than ctx lasts.
func opensTooLate(ctx context.Context, s report.RemoteStatus) bool {
	deadline, bounded := ctx.Deadline()
	return s.OnlyWindow() && s.State == report.Pending && !(bounded && s.Window.Until.Before(deadline))
}

// stuck reports whether a remote that is behind needs a command. A report from
// before the barrier may still say what has just been changed. The lock is
// held.
func (e *entry) stuck(r config.Remote, s report.RemoteStatus, barrier uint64) bool {
	switch {
	case s.State == report.Failed:
		return true
	case s.Asked < barrier:
		return false
	case s.State == report.Retrying && s.OnlyUnsupported():
		return true
	case s.Stuck >= barrier:
		return true // a try since then has shown it
	case s.State == report.Paused:
		return (s.Pending > 0 || s.PendingEverything) && (e.workspace.Paused || r.Paused)
	case s.State == report.Halted:
		return s.Held == nil || s.Held.ID != e.orders[r.Name].Approve
	}
	return false
}
