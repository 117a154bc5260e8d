package client

import (
	"context"
	"io"
	"net/http"

	"wsync/daemon/api"
)

// Compare finds what differs between a workspace and its remotes, and calls each for every
// line of the answer but the last. An error of it ends the comparison, as does ctx.
func (c *Client) Compare(ctx context.Context, workspace string, compare api.Compare, each func(api.Compared) error) error {
	return c.ask(ctx, 0, http.MethodPost, workspacePath(workspace)+"/compare", nil, compare, func(ctx context.Context, response io.Reader) error {
		return eachLine(ctx, c, response, func(line api.Compared) (end bool, err error) {
			if line.End {
				return true, nil
			}
			return false, each(line)
		})
	})
}
