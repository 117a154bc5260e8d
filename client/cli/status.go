package cli

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
)

func (c *command) statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Category:  sectionStatus,
		Usage:     "say what is going on, and why",
		ArgsUsage: "[NAME [REMOTE]]",
		Description: `Describes what the workspaces and their remotes are doing, what is wrong, and what to do about it:
the worst first, and in the last line how all remotes stand.

--paths lists every path that a remote lacks, however many there are: how it stands (pending, sending, failing, held or,
where an option of the remote says that nobody waits for it, skipped), since when, why, and when it is tried again.
--held lists all that guards hold, by name, as wsync diff does: the remote is asked for it. With --json both print a
line for each path, and one for each remote.

--watch is a live view that fits the terminal: the worst first, what is pending, how fast it goes, how long the last
changes took, what is wrong, and what has happened to the selected one; ? in it tells the keys. It goes on when the
daemon is restarted. On what is no terminal, or a dumb one, it prints a line for each change; with --json one for each
status.

--check is for scripts, and waits for nothing: it prints a line for each remote that is not in sync, or of which a
verification has found what differs, and nothing else. The exit code is 0 if all are in sync, 5 if guards are all that
is in the way, and 4 otherwise; with --json a line says whether somebody is needed ("attention").`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "paths", Usage: "list every path that is not there"},
			&cli.BoolFlag{Name: "held", Usage: "list everything that is held"},
			&cli.BoolFlag{Name: "check", Usage: "print what is not in sync only, and end with 4 or 5 if anything is"},
			&cli.BoolFlag{Name: "watch", Usage: "go on until it is left, and show every change"},
			jsonFlag(),
		},
		Action: c.status,
	}
}

func (c *command) status(cCtx *cli.Context) error {
	name, remote, asJSON := cCtx.Args().Get(0), cCtx.Args().Get(1), cCtx.Bool("json")
	if err := oneOf(cCtx, "paths", "held", "watch", "check"); err != nil {
		return err
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	status, err := daemon.Status(cCtx.Context, name, remote, 0)
	if err != nil {
		return statusError(target(name, remote), err)
	}
	switch {
	case cCtx.Bool("paths"):
		return c.statusPaths(cCtx.Context, daemon, status, remote, asJSON)
	case cCtx.Bool("held"):
		return c.statusHeld(cCtx.Context, daemon, status, asJSON)
	case cCtx.Bool("check"):
		return c.checkStatus(status.Workspaces, asJSON)
	case cCtx.Bool("watch"):
		return c.watch(cCtx.Context, daemon, name, remote, status, asJSON)
	case asJSON:
		return c.json(status)
	case len(status.Workspaces) == 0:
		c.list(nil, false)
	default:
		c.print(c.statusText(status.Workspaces))
	}
	c.problems(status.Daemon)
	c.versions(status.Daemon.Version, c.deps.Version)
	return nil
}

// oneOf returns an error if more than one of some options is given.
func oneOf(cCtx *cli.Context, names ...string) error {
	given := slices.DeleteFunc(names, func(name string) bool { return !cCtx.Bool(name) })
	if len(given) < 2 {
		return nil
	}
	return &usageError{message: fmt.Sprintf("--%s and --%s do not go together", given[0], given[1]), hint: "give one of them"}
}

func statusError(name string, err error) error {
	if name == "" {
		return fmt.Errorf("cannot get the status: %w", err)
	}
	return fmt.Errorf("cannot get the status of %s: %w", name, err)
}
