package cli

import (
	"context"
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
	w := &waiting{command: c, told: make(map[string]bool)}
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
	// told are the remotes of which it has been said what is wrong.
	told map[string]bool
}

// watch looks at what is waited for until ctx is done.
func (w *waiting) watch(ctx context.Context, daemon *client.Client, wait api.Wait) {
	ticker := time.NewTicker(waitingInterval)
	defer ticker.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if time.Since(began) < patientTime {
			continue
		}
		status, err := daemon.Status(ctx, wait.Workspace, wait.Remote, 0)
		if err != nil {
			continue // whoever waits hears of it
		}
		w.tell(status.Workspaces)
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
			text := "waiting for " + name + ": " + stateText(remote, w.now())
			if remote.Error != "" {
				text += ": " + problemText(remote)
			}
			w.note("%s", text)
		}
	}
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
