package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// Events calls each for every event that a query asks for. It returns nil when there are
// no more, which a query with Follow never says: that ends with ctx, or the daemon. An
// error of each ends it, too.
func (c *Client) Events(ctx context.Context, query api.EventsQuery, each func(report.Event) error) error {
	return c.ask(ctx, 0, http.MethodGet, api.EventsPath, query.Values(), nil, func(ctx context.Context, response io.Reader) error {
		for lines := json.NewDecoder(response); ; {
			var line api.Happened
			if err := lines.Decode(&line); err != nil {
				return fmt.Errorf("cannot read the daemon's answer: %w", c.requestError(ctx, err))
			}
			if line.End {
				return nil
			}
			if err := each(line.Event); err != nil {
				return err
			}
		}
	})
}
