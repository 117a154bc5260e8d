package client

import (
	"context"
	"net/http"
	"net/url"

	"wsync/daemon/api"
)

// Attach attaches a remote to a workspace.
func (c *Client) Attach(ctx context.Context, workspace string, attach api.AttachRemote) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/remotes", nil, attach, status); err != nil {
		return nil, err
	}
	return status, nil
}

// Detach detaches a remote from a workspace. What the remote holds stays.
func (c *Client) Detach(ctx context.Context, workspace, remote string) error {
	return c.do(ctx, answerTimeout, http.MethodDelete, workspacePath(workspace)+"/remotes/"+url.PathEscape(remote), nil, nil, nil)
}
