package client

import (
	"context"
	"net/http"

	"wsync/daemon/api"
)

// Reload has the daemon read its settings anew.
func (c *Client) Reload(ctx context.Context) (*api.Reloaded, error) {
	reloaded := new(api.Reloaded)
	if err := c.do(ctx, answerTimeout, http.MethodPost, api.ReloadPath, nil, nil, reloaded); err != nil {
		return nil, err
	}
	return reloaded, nil
}
