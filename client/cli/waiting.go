package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wsync/client"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// Somebody who waits wants to know what for, when it takes long.

const (
	// patientTime is how long that is.
	patientTime = 3 * time.Second
	// waitingInterval is the time between two looks at what is waited for.
	waitingInterval = time.Second
)

// waitFor waits, and says meanwhile what for.
func (c *command) waitFor(ctx context.Context, daemon *client.Client, wait api.Wait) (*api.WaitResult, error) {
	w := &waiting{command: c, line: c.progressLine(), told: make(map[string]bool)}
	watched, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(watched, daemon, wait) })
	result, err := daemon.Wait(ctx, wait)
	stop()
	watching.Wait()
	return result, err
}

// waiting says what is waited for.
type waiting struct {
	*command
	line *progressLine
	// told are the remotes of which it has been said what is wrong.
	told map[string]bool
}

// watch looks at what is waited for until ctx is done.
func (w *waiting) watch(ctx context.Context, daemon *client.Client, wait api.Wait) {
	ticker := time.NewTicker(waitingInterval)
	defer ticker.Stop()
	defer w.line.clear()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		status, err := daemon.Status(ctx, wait.Workspace, wait.Remote, 0)
		if err != nil {
			continue // whoever waits hears of it
		}
		if time.Since(began) >= patientTime {
			w.tell(status.Workspaces)
		}
		w.progress(status.Workspaces)
	}
}

// tell says once of each remote what it cannot do for now.
func (w *waiting) tell(workspaces []api.WorkspaceStatus) {
	for _, workspace := range workspaces {
		for _, remote := range workspace.Remotes {
			name := target(workspace.Workspace.Name, remote.Name)
			if w.told[name] || !hampered(remote) {
				continue
			}
			w.told[name] = true
			w.line.clear()
			text := "waiting for " + name + ": " + stateText(remote, w.now())
			if remote.Error != "" {
				text += ": " + problemText(remote)
			}
			w.note("%s", text)
		}
	}
}

// progress says how far the first transfer is of those that are waited for.
func (w *waiting) progress(workspaces []api.WorkspaceStatus) {
	var name string
	var parts []part
	more := 0
	for _, workspace := range workspaces {
		for _, remote := range workspace.Remotes {
			switch t := remote.Transfer; {
			case t == nil:
			case parts != nil:
				more++
			default:
				name = target(workspace.Workspace.Name, remote.Name)
				parts = append([]part{{worthy, t.Kind}}, transferParts(t)...)
			}
		}
	}
	if parts == nil {
		w.line.clear()
		return
	}
	if more > 0 {
		name += fmt.Sprintf(" and %d more", more)
	}
	w.line.show(name, parts)
}

// hampered reports whether a remote cannot be served for now, by what may be over by
// itself.
func hampered(remote report.RemoteStatus) bool {
	switch remote.State {
	case report.Retrying, report.Offline, report.Unknown:
		return !remote.OnlyUnsupported()
	}
	return false
}
