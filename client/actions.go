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
	query := url.Values{}
	if remote != "" {
		query.Set("remote", remote)
	}
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/"+string(action), query, nil, status); err != nil {
		return nil, err
	}
	return status, nil
}
