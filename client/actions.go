package client

import (
	"context"
	"net/http"
	"net/url"

	"wsync/daemon/api"
)

// ActAll asks for an action on all workspaces.
func (c *Client) ActAll(ctx context.Context, action api.Action) (*api.Acted, error) {
	acted := new(api.Acted)
	if err := c.do(ctx, answerTimeout, http.MethodPost, api.ActionsPath+"/"+string(action), nil, nil, acted); err != nil {
		return nil, err
	}
	return acted, nil
}

// Act asks for an action on a workspace, or on one remote of it unless remote
// is "".
func (c *Client) Act(ctx context.Context, action api.Action, workspace, remote string) (*api.WorkspaceStatus, error) {
	return c.act(ctx, action, workspace, remote, "")
}

// ApproveHeld approves what is held of a remote if that is still the set held, whose
// report.Held.ID that is.
func (c *Client) ApproveHeld(ctx context.Context, workspace, remote, held string) (*api.WorkspaceStatus, error) {
	return c.act(ctx, api.Approve, workspace, remote, held)
}

func (c *Client) act(ctx context.Context, action api.Action, workspace, remote, held string) (*api.WorkspaceStatus, error) {
	query := url.Values{}
	if remote != "" {
		query.Set("remote", remote)
	}
	if held != "" {
		query.Set("held", held)
	}
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/"+string(action), query, nil, status); err != nil {
		return nil, err
	}
	return status, nil
}
