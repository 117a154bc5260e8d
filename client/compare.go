package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"wsync/daemon/api"
)

// Compare finds what differs between a workspace and its remotes, and calls each for every
// line of the answer but the last. An error of it ends the comparison, as does ctx.
func (c *Client) Compare(ctx context.Context, workspace string, compare api.Compare, each func(api.Compared) error) error {
	return c.ask(ctx, 0, http.MethodPost, workspacePath(workspace)+"/compare", nil, compare, func(ctx context.Context, response io.Reader) error {
		for lines := json.NewDecoder(response); ; {
			var line api.Compared
			if err := lines.Decode(&line); err != nil {
				return fmt.Errorf("cannot read the daemon's answer: %w", c.requestError(ctx, err))
			}
			if line.End {
				return nil
			}
			if err := each(line); err != nil {
				return err
			}
		}
	})
}
