package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"wsync/daemon/api"
)

// anyOrAll are the arguments of commands that are for all workspaces when none is named.
const anyOrAll = "[NAME [REMOTE]]"

func (c *command) pauseCommand() *cli.Command {
	return c.actionCommand(api.Pause, sectionRemotes, anyOrAll, "stop mirroring for a while",
		"Stops all transfers to a remote, to all of a workspace, or of all workspaces, until `wsync resume`; changes are still\nnoticed.", "paused")
}

func (c *command) resumeCommand() *cli.Command {
	return c.actionCommand(api.Resume, sectionRemotes, anyOrAll, "go on after pause, or try again now",
		"Ends a pause, and tries again at once what is due later or was halted by a guard. Without NAME in all workspaces.", "resumed")
}

func (c *command) resyncCommand() *cli.Command {
	return c.actionCommand(api.Resync, sectionRemotes, anyOrAll, "compare names, sizes and times now",
		"Compares the whole workspace with a remote, or with all of them, by names, sizes, times and modes, and repairs what\ndiffers; files that changed here since the last pass are compared by content. What somebody changed on a remote and\ngave the same size and time again is not found: that takes `wsync verify --repair`. Without NAME it does so for all\nworkspaces.", "resyncing")
}

func (c *command) approveCommand() *cli.Command {
	return c.actionCommand(api.Approve, sectionRemotes, anyOrAll, "let held deletions happen",
		"Lets the deletions happen that a guard holds now, as `wsync status` shows them, and no others, and says which. Where\nanother directory has taken the place of the workspace's, accepts that one instead. Without NAME it approves all that\nis held.", "approved")
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
			if workspace == "" {
				acted, err := daemon.ActAll(cCtx.Context, action)
				if err != nil {
					return fmt.Errorf("cannot %s: %w", action, err)
				}
				return c.actedOnAll(action, done, acted)
			}
			status, err := daemon.Act(cCtx.Context, action, workspace, remote)
			if err != nil {
				return fmt.Errorf("cannot %s %s: %w", action, target(workspace, remote), err)
			}
			c.acted(done, workspace, remote, status.Approved)
			return nil
		},
	}
}

// actedOnAll says what became of an action that was asked of all workspaces. The error is
// the first refusal, so that its kind decides about the exit code.
func (c *command) actedOnAll(action api.Action, done string, acted *api.Acted) error {
	if len(acted.Done) == 0 && len(acted.Refused) == 0 {
		c.note("there is nothing to %s", action)
	}
	for _, status := range acted.Done {
		c.acted(done, status.Workspace.Name, "", status.Approved)
	}
	for _, refused := range acted.Refused {
		c.failure(fmt.Errorf("cannot %s %s: %w", action, refused.Workspace, refused.Error))
	}
	if len(acted.Refused) > 0 {
		return &codedError{code: exitCode(acted.Refused[0].Error)}
	}
	return nil
}
