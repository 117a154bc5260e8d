package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// lookTimeout is how long a look at a destination may take: a little more than the daemon
// takes at most.
const lookTimeout = 11 * time.Minute

// Look finds what Attach would find at a destination, and attaches nothing.
func (c *Client) Look(ctx context.Context, workspace string, attach api.AttachRemote) (*report.Held, error) {
	var found report.Held
	if err := c.do(ctx, lookTimeout, http.MethodPost, workspacePath(workspace)+"/look", nil, attach, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// Attach attaches a remote to a workspace. What is at its destination is looked at first.
func (c *Client) Attach(ctx context.Context, workspace string, attach api.AttachRemote) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, lookTimeout, http.MethodPost, workspacePath(workspace)+"/remotes", nil, attach, status); err != nil {
		return nil, err
	}
	return status, nil
}

// Move has a remote of a workspace mirrored to another destination, as Attach does.
func (c *Client) Move(ctx context.Context, workspace, remote string, to api.AttachRemote) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	path := workspacePath(workspace) + "/remotes/" + url.PathEscape(remote) + "/destination"
	if err := c.do(ctx, lookTimeout, http.MethodPost, path, nil, to, status); err != nil {
		return nil, err
	}
	return status, nil
}

// Detach detaches a remote from a workspace. What the remote holds stays.
func (c *Client) Detach(ctx context.Context, workspace, remote string) error {
	return c.do(ctx, answerTimeout, http.MethodDelete, workspacePath(workspace)+"/remotes/"+url.PathEscape(remote), nil, nil, nil)
}
