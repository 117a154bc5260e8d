package client

import (
	"context"
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
		return eachLine(ctx, c, response, func(line api.Happened) (end bool, err error) {
			if line.End {
				return true, nil
			}
			return false, each(line.Event)
		})
	})
}
