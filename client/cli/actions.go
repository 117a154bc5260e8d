package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"wsync/daemon/api"
)

func (c *command) pauseCommand() *cli.Command {
	return c.actionCommand(api.Pause, sectionRemotes, "NAME [REMOTE]", "stop mirroring for a while",
		"Stops all transfers to a remote, or to all of a workspace, until `wsync resume`; changes are still noticed.", "paused")
}

func (c *command) resumeCommand() *cli.Command {
	return c.actionCommand(api.Resume, sectionRemotes, "NAME [REMOTE]", "go on after pause, or try again now",
		"Ends a pause, and tries again at once what is due later or was halted by a guard.", "resumed")
}

func (c *command) resyncCommand() *cli.Command {
	return c.actionCommand(api.Resync, sectionRemotes, "NAME [REMOTE]", "compare names, sizes and times now",
		"Compares the whole workspace with a remote, or with all of them, by names, sizes, times and modes, and repairs what\ndiffers; files that changed here since the last pass are compared by content. What somebody changed on a remote and\ngave the same size and time again is not found.", "resyncing")
}

func (c *command) approveCommand() *cli.Command {
	return c.actionCommand(api.Approve, sectionRemotes, "NAME [REMOTE]", "let held deletions happen",
		"Lets the deletions happen that a guard holds now, as `wsync status` shows them, and no others. Where\nanother directory has taken the place of the workspace's, accepts that one instead.", "approved")
}

func (c *command) restartCommand() *cli.Command {
	return c.actionCommand(api.Restart, sectionWorkspaces, "NAME", "restart a workspace's monitor",
		"Restarts the process that watches and mirrors a workspace, also after it has failed for good.", "restarted")
}

// actionCommand is a command that asks for an action and says that it is done.
func (c *command) actionCommand(action api.Action, section, arguments, usage, description, done string) *cli.Command {
	return &cli.Command{
		Name:        string(action),
		Category:    section,
		Usage:       usage,
		ArgsUsage:   arguments,
		Description: description,
		Action: func(cCtx *cli.Context) error {
			workspace, remote := cCtx.Args().Get(0), cCtx.Args().Get(1)
			daemon, err := c.connect()
			if err != nil {
				return err
			}
			if err := daemon.Act(cCtx.Context, action, workspace, remote); err != nil {
				return fmt.Errorf("cannot %s %s: %w", action, target(workspace, remote), err)
			}
			c.result("%s %s", done, target(workspace, remote))
			return nil
		},
	}
}
