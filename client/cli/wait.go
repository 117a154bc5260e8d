package cli

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

func (c *command) waitCommand() *cli.Command {
	return &cli.Command{
		Name:        "wait",
		Category:    sectionStatus,
		Usage:       "wait until all changes are mirrored",
		ArgsUsage:   "[NAME [REMOTE]]",
		Description: "Returns once everything that changed before is on the remotes. A small change is when the remote's sftp server has\nsaid so; with --confirmed, when a run of rsync has also compared the contents of what changed and repaired what sftp\ncannot carry (fractions of a second, owners), which otherwise follows after two quiet seconds. What did not change here\nis not compared. The exit code is 4 if that takes too long, or at once if a remote needs you, 5 if a guard against\ndeletion is all that is in the way. A remote needs you when it is paused, refuses the login or the write, has another\nhost key, or has had no room several times; a network or a server that is away is waited for.",
		Flags: []cli.Flag{
			durationFlag("timeout", 5*time.Minute, "wait for `DURATION` at most, such as 30s; 0 for ever (default 5m)"),
			&cli.BoolFlag{Name: "confirmed", Usage: "wait until rsync has confirmed what changed"},
			jsonFlag(),
		},
		Action: c.wait,
	}
}

func (c *command) wait(cCtx *cli.Context) error {
	workspace, remote := cCtx.Args().Get(0), cCtx.Args().Get(1)
	timeout := durationOf(cCtx, "timeout")
	if timeout < 0 {
		return &usageError{message: fmt.Sprintf("cannot wait: --timeout is %v: expected 0 or more", timeout)}
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	result, err := c.waitFor(cCtx.Context, daemon, api.Wait{Workspace: workspace, Remote: remote, Timeout: timeout, Confirmed: cCtx.Bool("confirmed")})
	if err != nil {
		if workspace == "" {
			return fmt.Errorf("cannot wait: %w", err)
		}
		return fmt.Errorf("cannot wait for %s: %w", target(workspace, remote), err)
	}
	if cCtx.Bool("json") {
		if err := c.json(result); err != nil {
			return err
		}
	} else {
		c.behind(result.Behind, cCtx.Bool("confirmed"))
	}
	if code := waitCode(result); code != exitDone {
		return &codedError{code: code}
	}
	return nil
}

// waitCode returns the exit code for the result of a wait.
func waitCode(result *api.WaitResult) int {
	if result.InSync {
		return exitDone
	}
	for _, behind := range result.Behind {
		if behind.Remote.State != report.Halted {
			return exitNotInSync
		}
	}
	if len(result.Behind) == 0 {
		return exitNotInSync
	}
	return exitHeld
}
