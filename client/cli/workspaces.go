package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/exclude"
)

func (c *command) addCommand() *cli.Command {
	return &cli.Command{
		Name:        "add",
		Category:    sectionWorkspaces,
		Usage:       "make a directory a workspace",
		ArgsUsage:   "NAME PATH",
		Description: "Makes the directory PATH a workspace, which can be mirrored to any number of remotes.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "on-empty", Usage: "`halt|allow` mirroring when PATH is suddenly empty (default halt)"},
			&cli.BoolFlag{Name: "skip-git", Usage: "leave out what is called .git, at any level: neither send nor delete it"},
			&cli.BoolFlag{Name: "gitignore", Usage: "leave out what .gitignore files and .git/info/exclude name"},
			&cli.StringSliceFlag{Name: "ignore", Usage: "leave out what matches `PATTERN`, as in gitignore(5); repeatable"},
			&cli.BoolFlag{Name: "no-default-ignores", Usage: "do without the built-in rules, which wsync ignore lists"},
			tagFlag(),
		},
		Action: c.add,
	}
}

func (c *command) add(cCtx *cli.Context) error {
	name, path := cCtx.Args().Get(0), cCtx.Args().Get(1)
	onEmpty := cCtx.String("on-empty")
	switch onEmpty {
	case "", config.OnEmptyHalt, config.OnEmptyAllow:
	default:
		return &usageError{message: fmt.Sprintf("cannot add %s: --on-empty is %q: expected halt or allow", name, onEmpty)}
	}
	if path == "" {
		return &usageError{message: fmt.Sprintf("cannot add %s: the path is empty", name)}
	}
	patterns, tags := cCtx.StringSlice("ignore"), cCtx.StringSlice("ignore-tagged")
	if err := checkIgnores(patterns, tags); err != nil {
		return &usageError{message: fmt.Sprintf("cannot add %s: %v", name, err)}
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	path, err = absolutePath(path)
	if err != nil {
		return fmt.Errorf("cannot add %s: %w", name, err)
	}
	c.warnMissing("rsync")
	status, err := daemon.AddWorkspace(cCtx.Context, api.AddWorkspace{
		Name: name, LocalPath: path, OnEmpty: onEmpty,
		SkipGit: cCtx.Bool("skip-git"), GitIgnore: cCtx.Bool("gitignore"), NoDefaultIgnores: cCtx.Bool("no-default-ignores"),
		Ignore: patterns, IgnoreTagged: tags,
	})
	if err != nil {
		return fmt.Errorf("cannot add %s: %w", name, err)
	}
	c.result("added %s: %s", name, status.Workspace.LocalPath)
	for _, note := range status.Notes {
		c.note("%s", note)
	}
	if info, err := os.Lstat(filepath.Join(path, exclude.GitFileName)); err == nil && info.Mode().IsRegular() && !cCtx.Bool("gitignore") {
		c.hint("what its .gitignore files name is mirrored, too; to leave it out: wsync ignore %s --gitignore on", name)
	}
	return nil
}

func (c *command) removeCommand() *cli.Command {
	return &cli.Command{
		Name:        "remove",
		Category:    sectionWorkspaces,
		Usage:       "forget a workspace",
		ArgsUsage:   "NAME",
		Description: "Forgets a workspace and its remotes; neither its directory nor what the remotes hold is touched.",
		Action: func(cCtx *cli.Context) error {
			name := cCtx.Args().First()
			daemon, err := c.connect()
			if err != nil {
				return err
			}
			if err := daemon.RemoveWorkspace(cCtx.Context, name); err != nil {
				return fmt.Errorf("cannot remove %s: %w", name, err)
			}
			c.result("removed %s", name)
			return nil
		},
	}
}

func (c *command) listCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Category:    sectionWorkspaces,
		Aliases:     []string{"ls"},
		Usage:       "list workspaces and remotes",
		ArgsUsage:   "[NAME [REMOTE]]",
		Description: "Prints a line per workspace and remote with its state, the worst first, and on a terminal how all stand.\nThere, long names and destinations are cut in the middle so that a line fits; where that is not\nenough, destinations and then verifications are left out.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "long", Aliases: []string{"l"}, Usage: "also print times, pending paths, restarts and directories"},
			jsonFlag(),
		},
		Action: func(cCtx *cli.Context) error {
			daemon, err := c.connect()
			if err != nil {
				return err
			}
			name, remote := cCtx.Args().Get(0), cCtx.Args().Get(1)
			status, err := daemon.Status(cCtx.Context, name, remote, 0)
			switch {
			case err != nil && name == "":
				return fmt.Errorf("cannot list the workspaces: %w", err)
			case err != nil:
				return fmt.Errorf("cannot list %s: %w", target(name, remote), err)
			}
			if cCtx.Bool("json") {
				// An empty list, not null.
				return c.json(append([]api.WorkspaceStatus{}, status.Workspaces...))
			}
			c.list(status.Workspaces, cCtx.Bool("long"))
			return nil
		},
	}
}

func (c *command) infoCommand() *cli.Command {
	return &cli.Command{
		Name:        "info",
		Category:    sectionWorkspaces,
		Usage:       "describe workspaces in detail",
		ArgsUsage:   "[NAME [REMOTE]]",
		Description: "Describes how the workspaces are watched, and how each of their remotes is served and why.",
		Flags:       []cli.Flag{jsonFlag()},
		Action: func(cCtx *cli.Context) error {
			name, remote := cCtx.Args().Get(0), cCtx.Args().Get(1)
			daemon, err := c.connect()
			if err != nil {
				return err
			}
			status, err := daemon.Status(cCtx.Context, name, remote, 0)
			switch {
			case err != nil && name == "":
				return fmt.Errorf("cannot describe the workspaces: %w", err)
			case err != nil:
				return fmt.Errorf("cannot describe %s: %w", target(name, remote), err)
			case cCtx.Bool("json") && name != "" && len(status.Workspaces) == 1:
				return c.json(status.Workspaces[0])
			case cCtx.Bool("json"):
				return c.json(append([]api.WorkspaceStatus{}, status.Workspaces...)) // not null
			case len(status.Workspaces) == 0:
				c.list(nil, false)
			}
			for i, workspace := range status.Workspaces {
				if i > 0 {
					c.print("\n")
				}
				c.info(workspace)
			}
			return nil
		},
	}
}
