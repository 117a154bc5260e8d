package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"wsync/daemon/api"
)

// actAll handles POST /v1/actions/{action}: what cannot be done for one workspace keeps it
// from no other.
func (d *Daemon) actAll(r *http.Request) (any, error) {
	action := api.Action(r.PathValue("action"))
	switch action {
	case api.Pause, api.Resume, api.Resync, api.Approve:
	default:
		return nil, &api.Error{Kind: api.Unknown, Message: fmt.Sprintf("there is no action %q for all workspaces", action)}
	}
	var names []string
	d.lock.Do(func() { names = slices.Clone(d.order) })
	acted := api.Acted{Done: []api.WorkspaceStatus{}}
	for _, name := range names {
		status, err := d.actOn(name, "", "", action)
		var refused *api.Error
		switch {
		case err == nil:
			acted.Done = append(acted.Done, status.(api.WorkspaceStatus))
		case !errors.As(err, &refused):
			return nil, fmt.Errorf("workspace %s: %w", name, err)
		case !meaningless(refused):
			acted.Refused = append(acted.Refused, api.Refused{Workspace: name, Error: refused})
		}
	}
	if action == api.Approve && len(acted.Done) == 0 && len(acted.Refused) == 0 {
		return nil, &api.Error{Kind: api.Conflict, Message: nothingHeld, Hint: "wsync status"}
	}
	return acted, nil
}

// meaningless reports whether an action that was refused for one workspace was not meant
// for it, when it was asked of all: it was removed meanwhile, or there is nothing to do.
func meaningless(refused *api.Error) bool {
	return refused.Kind == api.NotFound || refused.Message == nothingHeld || refused.Message == noRemotes
}
