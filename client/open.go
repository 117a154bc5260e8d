package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"wsync/daemon/api"
)

// Open lists what remotes of a workspace lack, and calls each for every line of the answer
// but the last. An error of it ends the listing, as does ctx.
func (c *Client) Open(ctx context.Context, workspace string, list api.ListOpen, each func(api.Open) error) error {
	return c.ask(ctx, 0, http.MethodPost, workspacePath(workspace)+"/open", nil, list, func(ctx context.Context, response io.Reader) error {
		return eachLine(ctx, c, response, func(line api.Open) (end bool, err error) {
			if line.End {
				return true, nil
			}
			return false, each(line)
		})
	})
}

// eachLine reads an answer in lines of JSON, until take finds one to be the last.
func eachLine[T any](ctx context.Context, c *Client, response io.Reader, take func(T) (end bool, err error)) error {
	for lines := json.NewDecoder(response); ; {
		var line T
		if err := lines.Decode(&line); err != nil {
			return fmt.Errorf("cannot read the daemon's answer: %w", c.requestError(ctx, err))
		}
		if end, err := take(line); end || err != nil {
			return err
		}
	}
}
