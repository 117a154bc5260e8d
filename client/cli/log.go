package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// logDays is how far back the log goes when nobody says.
const logDays = "7d"

func (c *command) logCommand() *cli.Command {
	return &cli.Command{
		Name:      "log",
		Category:  sectionStatus,
		Usage:     "say what has happened, and what was deleted",
		ArgsUsage: "[NAME [REMOTE]]",
		Description: "Prints what has happened in the last days: what was sent, deleted and renamed on the remotes, what was repaired, failed\n" +
			"or was held, and what the remotes and wsync itself were doing, the newest last. A line has one deletion, unless there\n" +
			"were very many at once. It is kept for a month, though not more than the journals hold. `wsync events` goes on with\n" +
			"what happens from now on; `wsync logs` has the logs of the programs.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "since", Value: logDays, Usage: "begin at `TIME`: 2d, tuesday, 2026-01-31 or '2026-01-31 14:30' (default 7d)"},
			&cli.StringFlag{Name: "until", Usage: "end at `TIME`, or with a day"},
			&cli.BoolFlag{Name: "deleted", Usage: "print deletions only"},
			&cli.StringFlag{Name: "path", Usage: "print only what names `PATH`, what is below it, or a pattern such as '*.txt'"},
			jsonFlag(),
		},
		Action: c.log,
	}
}

func (c *command) eventsCommand() *cli.Command {
	return &cli.Command{
		Name:      "events",
		Category:  sectionStatus,
		Usage:     "say what happens, as it happens",
		ArgsUsage: "[NAME]",
		Description: "Prints what happens from now on, as `wsync log` does of what has, until it is interrupted. When the daemon ends, it\n" +
			"waits for the next one and goes on where it was, on a terminal or not. With --json each event is a line.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "since", Usage: "begin with what has happened since `TIME`: 10m, yesterday or 14:30"},
			jsonFlag(),
		},
		Action: c.events,
	}
}

// moment is the value of an option that parseMoment reads, zero if it is not set.
func (c *command) moment(cCtx *cli.Context, name string, end bool) (time.Time, error) {
	text := cCtx.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseMoment(text, c.now(), end)
	if err != nil {
		return t, &usageError{message: fmt.Sprintf("cannot use --%s: %v", name, err)}
	}
	return t, nil
}

func (c *command) log(cCtx *cli.Context) (err error) {
	query := api.EventsQuery{
		Workspace: cCtx.Args().Get(0), Remote: cCtx.Args().Get(1),
		Deleted: cCtx.Bool("deleted"), Path: cCtx.String("path"),
	}
	if query.Since, err = c.moment(cCtx, "since", false); err != nil {
		return err
	}
	if query.Until, err = c.moment(cCtx, "until", true); err != nil {
		return err
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	n := 0
	err = daemon.Events(cCtx.Context, query, func(e report.Event) error {
		n++
		return c.event(e, cCtx.Bool("json"))
	})
	switch {
	case err != nil && query.Workspace == "":
		return fmt.Errorf("cannot show what has happened: %w", err)
	case err != nil:
		return fmt.Errorf("cannot show what has happened in %s: %w", target(query.Workspace, query.Remote), err)
	case n == 0:
		c.note("nothing of the kind has happened since %s", query.Since.Local().Format(momentLayout))
	}
	return nil
}

// reconnectInterval is how often a daemon is looked for that has ended.
const reconnectInterval = 500 * time.Millisecond

func (c *command) events(cCtx *cli.Context) error {
	query := api.EventsQuery{Workspace: cCtx.Args().Get(0), Follow: true}
	var err error
	if query.Since, err = c.moment(cCtx, "since", false); err != nil {
		return err
	}
	if query.Since.IsZero() {
		query.Since = c.now()
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	f := &follower{query: query, show: func(e report.Event) error { return c.event(e, cCtx.Bool("json")) }}
	err = f.follow(cCtx.Context, daemon, func() { c.note("the daemon has ended; what happens is told when it is back") })
	if err != nil && c.unwritten == nil { // the user may have seen enough
		return fmt.Errorf("cannot follow what happens: %w", err)
	}
	return nil
}

// follow shows events until ctx is done, over restarts of the daemon, of whose ends it calls
// ended. It is an error if there is none at first.
func (f *follower) follow(ctx context.Context, daemon *client.Client, ended func()) error {
	for first, said := true, false; ; first = false {
		err := daemon.Events(ctx, f.next(), func(e report.Event) error {
			said = false
			return f.take(e)
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, client.ErrNoDaemon) || first && err == client.ErrNoDaemon: // which is that of one that never was there
			return err
		case !said:
			said = true
			ended()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reconnectInterval):
		}
	}
}

// overlapTime is how much earlier than the last event is asked for again when the daemon is
// back: events need not come in the order of their times.
const overlapTime = 10 * time.Second

// follower follows events over several daemons, and shows each once.
type follower struct {
	query api.EventsQuery
	show  func(report.Event) error
	last  time.Time
	// shown are the events of the last overlapTime and some before, in JSON, and tidied
	// when older ones were forgotten last.
	shown  map[string]time.Time
	tidied time.Time
}

// next is what to ask a daemon for.
func (f *follower) next() api.EventsQuery {
	query := f.query
	if since := f.last.Add(-overlapTime); since.After(query.Since) {
		query.Since = since
	}
	return query
}

// take shows an event, unless it was shown before.
func (f *follower) take(e report.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, ok := f.shown[string(text)]; ok {
		return nil
	}
	if f.shown == nil {
		f.shown = make(map[string]time.Time)
	}
	if e.Time.After(f.last) {
		f.last = e.Time
	}
	if f.last.Sub(f.tidied) > overlapTime {
		f.tidied = f.last
		maps.DeleteFunc(f.shown, func(_ string, at time.Time) bool { return f.last.Sub(at) > overlapTime })
	}
	f.shown[string(text)] = e.Time
	return f.show(e)
}
