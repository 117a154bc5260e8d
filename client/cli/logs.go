package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// followInterval is how often logs that are followed are looked at.
const followInterval = 200 * time.Millisecond

func (c *command) logsCommand() *cli.Command {
	return &cli.Command{
		Name:      "logs",
		Category:  sectionStatus,
		Usage:     "show the logs of the daemon and of workspaces",
		ArgsUsage: "[NAME]",
		Description: "Prints the end of all logs, by time; with NAME that of the workspace's, and of what the daemon has to say about it. No\n" +
			"daemon is needed for it. It is what the programs have to say, what changed its state and what was deleted or repaired\n" +
			"among it; all that was sent and deleted is in `wsync log`. The log of a workspace that was removed is kept for 30 days.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what is logged from now on"},
			&cli.IntFlag{Name: "lines", Aliases: []string{"n"}, Value: 50, Usage: "begin with the last `LINES` (default 50, with --since all)"},
			&cli.StringFlag{Name: "since", Usage: "begin at `TIME`: 2d, tuesday, 2026-01-31 or '2026-01-31 14:30'"},
			&cli.StringFlag{Name: "grep", Usage: "print only lines that match `PATTERN`, a regular expression ((?i) for any case)"},
			&cli.StringFlag{Name: "level", Usage: "print only what is as severe as `LEVEL`: " + strings.Join(logLevels, ", ")},
			&cli.BoolFlag{Name: "daemon", Usage: "print the daemon's log alone"},
			&cli.BoolFlag{Name: "json", Usage: "print the lines as they are, in JSON"},
		},
		Action: c.logs,
	}
}

// logLevels are those of lines, the least severe first.
var logLevels = []string{"debug", "info", "warn", "error"}

// logFilter reads the options that say which lines are wanted.
func (c *command) logFilter(cCtx *cli.Context) (f logFilter, err error) {
	if f.since, err = c.moment(cCtx, "since", false); err != nil {
		return f, err
	}
	if pattern := cCtx.String("grep"); pattern != "" {
		if f.pattern, err = regexp.Compile(pattern); err != nil {
			return f, &usageError{message: fmt.Sprintf("cannot use --grep: %v", err)}
		}
	}
	if level := cCtx.String("level"); level != "" {
		if f.level = slices.Index(logLevels, level); f.level < 0 {
			return f, &usageError{message: fmt.Sprintf("cannot use --level: %q: expected one of %s", level, strings.Join(logLevels, ", "))}
		}
	}
	f.last = cCtx.Int("lines")
	switch {
	case f.last < 0:
		return f, &usageError{message: fmt.Sprintf("cannot show a log: --lines is %d: expected 0 or more", f.last)}
	case !f.since.IsZero() && !cCtx.IsSet("lines"):
		f.last = -1
	}
	return f, nil
}

func (c *command) logs(cCtx *cli.Context) error {
	name, onlyDaemon := cCtx.Args().First(), cCtx.Bool("daemon")
	if name != "" && onlyDaemon {
		return &usageError{message: "cannot show a log: a workspace and --daemon exclude each other"}
	}
	filter, err := c.logFilter(cCtx)
	if err != nil {
		return err
	}
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	shown := 0
	m := &logMerger{
		filter:  filter,
		sources: func() []logSource { return logSources(settings, name, onlyDaemon) },
		show: func(l logLine) {
			shown++
			if cCtx.Bool("json") {
				c.print(string(l.text) + "\n")
			} else {
				c.print(l.readable(time.Local) + "\n")
			}
		},
	}
	defer m.close()
	if err := m.begin(cCtx.Bool("follow")); err != nil {
		return fmt.Errorf("cannot show a log: %w", err)
	}
	path, hint := settings.DaemonLogPath(), "wsync daemon start"
	if name != "" {
		path, hint = settings.WorkspaceLogPath(name), "wsync list"
	}
	if shown == 0 && !m.has(path) && (name != "" || onlyDaemon || m.none()) {
		return withHint(fmt.Errorf("cannot show a log: there is none yet at %s", path), "%s", hint)
	}
	if !cCtx.Bool("follow") {
		return nil
	}
	return c.followLogs(cCtx.Context, m)
}

// followLogs shows what is logged until ctx is done.
func (c *command) followLogs(ctx context.Context, m *logMerger) error {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for c.unwritten == nil {
		select {
		case <-ctx.Done():
			return nil // the user has seen enough
		case <-ticker.C:
		}
		if err := m.next(); err != nil {
			return fmt.Errorf("cannot follow a log: %w", err)
		}
	}
	return nil
}
