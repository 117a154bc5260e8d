package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/config"
	"wsync/monitor/report"
)

func (c *command) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Category:  sectionStatus,
		Usage:     "look for what keeps a mirror from working well",
		ArgsUsage: "[NAME]",
		Description: `Examines this machine, the workspaces and their remotes, and prints a line for each check: ok, warn
or fail, and what to do. Each remote is connected to, and tried out in a scratch directory at its
destination, which is removed again; nothing else is changed. It also works without a daemon, but runs
ssh as you, with your agent, where the daemon may have another. The exit code is 1 if a check fails.`,
		Flags:  []cli.Flag{jsonFlag()},
		Action: c.doctor,
	}
}

func (c *command) doctor(cCtx *cli.Context) error {
	examination, err := c.examination(cCtx)
	if err != nil {
		return fmt.Errorf("cannot examine: %w", err)
	}
	checks := []report.Check{}
	failed := false
	err = c.deps.Examine(cCtx.Context, examination, func(check report.Check) {
		failed = failed || check.Status == report.CheckFail
		checks = append(checks, check)
		if !cCtx.Bool("json") {
			c.checked(check)
		}
	})
	if err != nil {
		return fmt.Errorf("cannot examine: %w", err)
	}
	if cCtx.Bool("json") {
		if err := c.json(checks); err != nil {
			return err
		}
	}
	if failed {
		return &codedError{code: exitFailed}
	}
	return nil
}

// examination is what is to be examined: what the daemon knows or, without one, what is in
// its file.
func (c *command) examination(cCtx *cli.Context) (e report.Examination, err error) {
	if e.Settings, err = config.LoadSettings(c.deps.Env); err != nil {
		return e, err
	}
	status, err := c.clientOf(e.Settings).Status(cCtx.Context, "", "", 0)
	switch {
	case err == nil:
		e.Known, e.Daemon = make(map[string]report.Report), status.Daemon.PID
		for _, w := range status.Workspaces {
			e.All = append(e.All, w.Workspace)
			e.Known[w.Workspace.Name] = report.Report{Watch: w.Watch, Halted: w.Halted, Remotes: w.Remotes}
		}
	case !errors.Is(err, client.ErrNoDaemon):
		return e, err
	default:
		if e.All, err = config.LoadWorkspaces(e.Settings.WorkspaceConfigFilePath); err != nil {
			return e, err
		}
	}
	name := cCtx.Args().First()
	for _, w := range e.All {
		if name == "" || w.Name == name {
			e.Workspaces = append(e.Workspaces, w)
		}
	}
	if name != "" && len(e.Workspaces) == 0 {
		return e, fmt.Errorf("there is no workspace %s", name)
	}
	return e, nil
}

// checked prints a check, and its remedy below.
func (c *command) checked(check report.Check) {
	subject := strings.Trim(check.Workspace+"/"+check.Remote, "/")
	if subject != "" {
		subject += ": "
	}
	c.result("%-4s  %s%s: %s", check.Status, subject, check.Name, check.Found)
	if check.Remedy != "" && check.Status != report.CheckOK {
		c.result("      remedy: %s", check.Remedy)
	}
}
