package client

import (
	"context"
	"net/http"

	"wsync/daemon/api"
)

// ChangeIgnore changes what a workspace ignores.
func (c *Client) ChangeIgnore(ctx context.Context, workspace string, change api.ChangeIgnore) (*api.WorkspaceStatus, error) {
	status := new(api.WorkspaceStatus)
	if err := c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/ignore", nil, change, status); err != nil {
		return nil, err
	}
	return status, nil
}
