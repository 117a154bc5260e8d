package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"wsync/daemon/api"
)

func (c *command) renameCommand() *cli.Command {
	return &cli.Command{
		Name:      "rename",
		Category:  sectionWorkspaces,
		Usage:     "give a workspace or a remote another name",
		ArgsUsage: "NAME [REMOTE] NEW",
		Description: `Gives the workspace NAME, or its REMOTE, the name NEW. Mirroring goes on, and pauses and held deletions
stay. Only the name changes: to mirror to another place, see wsync set.`,
		Action: func(cCtx *cli.Context) error {
			words := cCtx.Args().Slice()
			workspace, remote, name := words[0], "", words[len(words)-1]
			if len(words) == 3 {
				remote = words[1]
			}
			daemon, err := c.connect()
			if err != nil {
				return err
			}
			if err := daemon.Rename(cCtx.Context, workspace, api.Rename{Remote: remote, New: name}); err != nil {
				return fmt.Errorf("cannot rename %s to %s: %w", target(workspace, remote), name, err)
			}
			c.result("renamed %s to %s", target(workspace, remote), name)
			return nil
		},
	}
}
