package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/config"
	"wsync/daemon/api"
)

// backgroundFlag has a daemon print nothing of what it logs: its output is the log.
const backgroundFlag = "background"

func (c *command) daemonCommand() *cli.Command {
	return &cli.Command{
		Name:        "daemon",
		Category:    sectionDaemon,
		Usage:       "start, stop and look at the daemon",
		Description: "The daemon does the mirroring; there is one per user.",
		Subcommands: []*cli.Command{
			{
				Name:        "start",
				Usage:       "start the daemon in the background",
				Description: "Starts the daemon in the background and returns once it answers; one that runs already is left alone.",
				Action:      c.daemonStart,
			},
			{
				Name:        "stop",
				Usage:       "stop the daemon",
				Description: "Stops the daemon and all mirroring, and returns once it is gone; without a daemon there is nothing to do.",
				Action:      c.daemonStop,
			},
			{
				Name:        "restart",
				Usage:       "stop the daemon and start it again",
				Description: "Stops the daemon if it runs, and starts it; what changes in between is found when it starts.",
				Action:      c.daemonRestart,
			},
			{
				Name:        "reload",
				Usage:       "have the daemon read its settings anew",
				Description: "Has the daemon read its settings anew, as SIGHUP does, and says which of those that changed are in force now and\nwhich need a restart. Settings that cannot be read change nothing.",
				Action:      c.daemonReload,
			},
			{
				Name:        "status",
				Usage:       "say whether the daemon runs",
				Description: "Describes the daemon; the exit code is 3 if none runs.",
				Flags:       []cli.Flag{jsonFlag()},
				Action:      c.daemonStatusAction,
			},
			{
				Name:        "run",
				Usage:       "be the daemon, in the foreground",
				Description: "Runs the daemon in the foreground until it is stopped or interrupted, as a service manager wants it: what it logs is\nalso printed, with the priorities of systemd's journal where it goes there, and SIGHUP has it read its settings\nanew. The exit code is 6 if starting it again would not help: another daemon runs, or a file of its own is wrong.",
				Flags:       []cli.Flag{&cli.BoolFlag{Name: backgroundFlag, Usage: "print nothing of what is logged", Hidden: true}},
				Action:      c.daemonRun,
			},
		},
	}
}

func (c *command) daemonStart(cCtx *cli.Context) error {
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	switch status, err := c.clientOf(settings).Status(cCtx.Context, "", "", 0); {
	case err == nil:
		c.result("the daemon is already running (pid %d)", status.Daemon.PID)
		c.problems(status.Daemon)
		c.versions(status.Daemon.Version, c.deps.Version)
		return nil
	case !errors.Is(err, client.ErrNoDaemon):
		return fmt.Errorf("cannot start the daemon: cannot tell whether one is running: %w", err)
	}
	return c.start(cCtx.Context, settings)
}

// start starts the daemon, by its service if it is one, and says so.
func (c *command) start(ctx context.Context, settings config.Settings) error {
	c.warnMissing("rsync")
	if s := c.installedService(); s != nil {
		_, err := s.State(ctx)
		if err == nil {
			return c.startService(ctx, s, settings, s.Start)
		}
		c.note("its service %s is not there to start the daemon: %v", s.Name, err)
	}
	status, err := startDaemon(ctx, c.clientOf(settings), settings, os.Environ())
	if err != nil {
		return fmt.Errorf("cannot start the daemon: %w", err)
	}
	c.result("the daemon is running (pid %d)", status.Daemon.PID)
	c.problems(status.Daemon)
	return nil
}

// daemonStop is content when no daemon runs: that is what was asked for.
func (c *command) daemonStop(cCtx *cli.Context) error {
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	switch pid, err := stopDaemon(cCtx.Context, c.clientOf(settings)); {
	case errors.Is(err, client.ErrNoDaemon):
		c.result("the daemon is not running")
	case err != nil:
		return fmt.Errorf("cannot stop the daemon: %w", err)
	default:
		c.result("the daemon is stopped (pid %d)", pid)
	}
	return nil
}

func (c *command) daemonRestart(cCtx *cli.Context) error {
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	if s := c.installedService(); s != nil {
		if state, err := s.State(cCtx.Context); err == nil && state.Running() {
			return c.startService(cCtx.Context, s, settings, s.Restart)
		}
	}
	if _, err := stopDaemon(cCtx.Context, c.clientOf(settings)); err != nil && !errors.Is(err, client.ErrNoDaemon) {
		return fmt.Errorf("cannot stop the daemon: %w", err)
	}
	return c.start(cCtx.Context, settings)
}

func (c *command) daemonStatusAction(cCtx *cli.Context) error {
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	status, err := c.clientOf(settings).Status(cCtx.Context, "", "", 0)
	if err != nil {
		return fmt.Errorf("cannot get the daemon's status: %w", err)
	}
	if cCtx.Bool("json") {
		return c.json(status.Daemon)
	}
	c.daemonStatus(status.Daemon, settings)
	c.versions(status.Daemon.Version, c.deps.Version)
	return nil
}

// daemonReload says what became of the settings.
func (c *command) daemonReload(cCtx *cli.Context) error {
	connected, err := c.connect()
	if err != nil { // the daemon would find the same
		return fmt.Errorf("cannot reload the settings: %w; a daemon that runs keeps those from before", err)
	}
	reloaded, err := connected.Reload(cCtx.Context)
	if err != nil {
		return fmt.Errorf("cannot reload the settings: %w", err)
	}
	c.reloaded(reloaded)
	return nil
}

func (c *command) daemonRun(cCtx *cli.Context) error {
	var also []io.Writer
	if !cCtx.Bool(backgroundFlag) {
		also = append(also, c.logOutput())
		// A reader of the output that leaves must not take the daemon along.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
	settings, err := config.LoadSettings(c.deps.Env)
	if err == nil {
		nameProcess("wsync")
		if err = c.deps.RunDaemon(cCtx.Context, settings, c.deps.Version, also...); err != nil {
			err = fmt.Errorf("cannot run the daemon: %w", err)
		}
	}
	if staysDown(err) {
		return &codedError{code: exitStaysDown, err: err}
	}
	return err
}

// staysDown tells whether a daemon that ended with err would do so again: a file has to
// be changed first, or another daemon stopped.
func staysDown(err error) bool {
	var refused *api.Error
	return errors.Is(err, config.ErrMalformed) || errors.As(err, &refused) && refused.Kind == api.Conflict
}

// logOutput is where a daemon in the foreground prints what it logs. When that is systemd's
// journal, so does what the command itself has to say at its end.
func (c *command) logOutput() io.Writer {
	if !isJournal(c.deps.Stderr, c.deps.Env("JOURNAL_STREAM")) {
		return console{c.deps.Stderr}
	}
	c.err = prioritized{c.deps.Stderr, journalPriorities["error"]}
	return journalConsole{c.deps.Stderr}
}
