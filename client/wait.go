package client

import (
	"context"
	"net/http"
	"time"

	"wsync/daemon/api"
)

// Wait returns when the remotes that wait names have everything that changed
// before, when wait.Timeout has passed, or when only a command can bring them
// in sync.
func (c *Client) Wait(ctx context.Context, wait api.Wait) (*api.WaitResult, error) {
	var timeout time.Duration
	if wait.Timeout > 0 {
		timeout = wait.Timeout + answerTimeout
	}
	result := new(api.WaitResult)
	if err := c.do(ctx, timeout, http.MethodPost, api.WaitPath, nil, wait, result); err != nil {
		return nil, err
	}
	return result, nil
}
