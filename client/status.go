package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"wsync/daemon/api"
)

// longPollTimeout exceeds the 30 s after which the daemon answers a request
// for a newer status in any case.
const longPollTimeout = 60 * time.Second

// Status returns the status of the daemon and of workspace, or of all
// workspaces when it is "", and of one remote of it unless remote is "". With an after above 0 it returns as soon as the
// status has a revision above after, or after half a minute.
func (c *Client) Status(ctx context.Context, workspace, remote string, after uint64) (*api.Status, error) {
	query := url.Values{}
	timeout := answerTimeout
	if workspace != "" {
		query.Set("workspace", workspace)
	}
	if remote != "" {
		query.Set("remote", remote)
	}
	if after > 0 {
		query.Set("after", strconv.FormatUint(after, 10))
		timeout = longPollTimeout
	}
	status := new(api.Status)
	if err := c.do(ctx, timeout, http.MethodGet, api.StatusPath, query, nil, status); err != nil {
		return nil, err
	}
	return status, nil
}

// Stop asks the daemon to end. It may still run for a moment afterwards.
func (c *Client) Stop(ctx context.Context) error {
	return c.do(ctx, answerTimeout, http.MethodPost, api.StopPath, nil, nil, nil)
}
