package client

import (
	"context"
	"net/http"
	"net/url"

	"wsync/config"
	"wsync/daemon/api"
)

// AddWorkspace adds a workspace.
func (c *Client) AddWorkspace(ctx context.Context, add api.AddWorkspace) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, api.WorkspacesPath, nil, add, status); err != nil {
		return nil, err
	}
	return status, nil
}

// Workspaces returns all workspaces as they are defined, which takes no time, and nothing of
// how they stand.
func (c *Client) Workspaces(ctx context.Context) (all []config.Workspace, err error) {
	err = c.do(ctx, answerTimeout, http.MethodGet, api.WorkspacesPath, nil, nil, &all)
	return all, err
}

// Workspace returns the status of a workspace.
func (c *Client) Workspace(ctx context.Context, name string) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodGet, workspacePath(name), nil, nil, status); err != nil {
		return nil, err
	}
	return status, nil
}

// Explain returns the status of a workspace, with what is known of a path on each of its
// remotes.
func (c *Client) Explain(ctx context.Context, workspace string, explain api.Explain) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/explain", nil, explain, status); err != nil {
		return nil, err
	}
	return status, nil
}

// SetPath has another directory be the workspace's.
func (c *Client) SetPath(ctx context.Context, workspace string, set api.SetPath) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/path", nil, set, status); err != nil {
		return nil, err
	}
	return status, nil
}

// RemoveWorkspace removes a workspace from the daemon. Neither its directory
// nor the remotes are touched.
func (c *Client) RemoveWorkspace(ctx context.Context, name string) error {
	return c.do(ctx, answerTimeout, http.MethodDelete, workspacePath(name), nil, nil, nil)
}

// workspacePath is the path of a workspace's route.
func workspacePath(name string) string {
	return api.WorkspacesPath + "/" + url.PathEscape(name)
}
