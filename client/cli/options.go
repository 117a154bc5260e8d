package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"wsync/config"
	"wsync/daemon/api"
)

func (c *command) setCommand() *cli.Command {
	return &cli.Command{
		Name:      "set",
		Category:  sectionRemotes,
		Usage:     "change options while it runs, or list them",
		ArgsUsage: "NAME [REMOTE] [K=V...]",
		Description: `Changes options of REMOTE, or without it of the workspace NAME. They are in force at once; a transfer
that is under way begins anew where it must. KEY= goes back to the default. Without KEY=VALUE, lists
all options with their values.
` + optionsHelp("Options of a remote, also for wsync attach --set", config.Remote{}.Options()) +
			optionsHelp("Options of a workspace", config.Workspace{}.Options()) + placesHelp,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "delete-existing", Usage: "with destination=: delete what is there and not in the workspace"},
			&cli.BoolFlag{Name: "overwrite-existing", Usage: "with destination=: overwrite what is there with other contents"},
			&cli.BoolFlag{Name: "offline", Usage: "with destination=: go there although no connection can be made now"},
			jsonFlag(),
		},
		Action: c.set,
	}
}

// optionsHelp explains options under a heading.
func optionsHelp(heading string, options []config.Option) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s:\n", heading)
	for _, o := range options {
		fmt.Fprintf(&b, "  %-17s %s:\n  %17s %s (default %s)\n", o.Name, o.Meaning, "", o.Expected, o.Default)
	}
	return b.String()
}

// setFlag is the option of attach for all options of a remote.
func setFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "set", Usage: "give an option another value, `KEY=VALUE`, as wsync set does; repeatable"}
}

// assignments reads options as they stand on the command line.
func assignments(words []string) (all []config.Assignment, err error) {
	for _, word := range words {
		a, err := config.ParseAssignment(word)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (c *command) set(cCtx *cli.Context) error {
	workspace, words := cCtx.Args().First(), cCtx.Args().Tail()
	remote := ""
	if len(words) > 0 && !strings.Contains(words[0], "=") {
		remote, words = words[0], words[1:]
	}
	cannot := func(err error) error {
		return fmt.Errorf("cannot set options of %s: %w", target(workspace, remote), err)
	}
	set, err := assignments(words)
	if err != nil {
		return &usageError{message: cannot(err).Error(), hint: "wsync set --help has the options"}
	}
	if place := placeIn(set, remote); place != "" {
		if len(set) > 1 {
			return &usageError{message: cannot(fmt.Errorf("%s stands alone: set the others by themselves", place)).Error()}
		}
		if remote == "" {
			return c.setPath(cCtx, workspace, set[0].Value)
		}
		return c.setDestination(cCtx, workspace, remote, set[0].Value)
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	var status *api.WorkspaceStatus
	if len(set) > 0 {
		status, err = daemon.SetOptions(cCtx.Context, workspace, remote, api.SetOptions{Options: set})
	} else {
		status, err = daemon.Workspace(cCtx.Context, workspace)
	}
	if err != nil {
		return cannot(err)
	}
	for _, note := range status.Notes {
		c.note("%s", note)
	}
	options, err := optionsOf(status.Workspace, remote)
	if err != nil {
		return cannot(err)
	}
	switch {
	case cCtx.Bool("json"):
		return c.json(options)
	case len(set) > 0:
		text := optionsText(options)
		if text == "" {
			text = "all options have their defaults"
		}
		c.result("set %s: %s", target(workspace, remote), text)
	default:
		c.options(options)
	}
	return nil
}

// optionsOf are the options of a remote of w, or its own.
func optionsOf(w config.Workspace, remote string) ([]config.Option, error) {
	if remote == "" {
		return w.Options(), nil
	}
	for _, r := range w.Remotes {
		if r.Name == remote {
			return r.Options(), nil
		}
	}
	return nil, fmt.Errorf("workspace %s has no remote %q", w.Name, remote)
}
