package client

import (
	"context"
	"net/http"
	"net/url"

	"wsync/daemon/api"
)

// SetOptions changes options of a workspace, or of one of its remotes unless remote is "".
func (c *Client) SetOptions(ctx context.Context, workspace, remote string, set api.SetOptions) (*api.WorkspaceStatus, error) {
	query := url.Values{}
	if remote != "" {
		query.Set("remote", remote)
	}
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/options", query, set, status); err != nil {
		return nil, err
	}
	return status, nil
}
