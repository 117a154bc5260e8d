package client

import (
	"context"
	"net/http"
	"net/url"

	"wsync/daemon/api"
)

// Act asks for an action on a workspace, or on one remote of it unless remote
// is "".
func (c *Client) Act(ctx context.Context, action api.Action, workspace, remote string) error {
	query := url.Values{}
	if remote != "" {
		query.Set("remote", remote)
	}
	return c.do(ctx, answerTimeout, http.MethodPost, workspacePath(workspace)+"/"+string(action), query, nil, nil)
}
