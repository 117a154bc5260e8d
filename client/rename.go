package client

import (
	"context"
	"net/http"

	"wsync/daemon/api"
)

// Rename gives a workspace, or one of its remotes, another name.
func (c *Client) Rename(ctx context.Context, workspace string, rename api.Rename) error {
	return c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/rename", nil, rename, nil)
}
