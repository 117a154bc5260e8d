package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"wsync/daemon/api"
)

func (c *command) verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Category:  sectionStatus,
		Usage:     "prove that remotes are equal, by contents",
		ArgsUsage: "NAME [REMOTE]",
		Description: `Compares all of the workspace NAME with a remote, or with all of them, by contents, and lists what differs. Both sides
read all of their files; changes are mirrored meanwhile. The exit code is 0 if all is equal but for what is on its way,
which is said to be so, and 4 if not. With --repair, what differs though nothing had changed here is sent, or deleted
there, as changes are: guards hold deletions. The exit code is 0 then if all that is on the remotes, too. wsync status
and list say when it was, and what differed. One that is interrupted is gone on with by the same command, for an hour.
wsync set NAME REMOTE verify=7d has it done in the background.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "repair", Usage: "bring in line what differs, and wait for that"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON, a line for each difference and one for each remote"},
		},
		Action: c.verify,
	}
}

func (c *command) verify(cCtx *cli.Context) error {
	workspace, remote := cCtx.Args().Get(0), cCtx.Args().Get(1)
	d := &differences{command: c, workspace: workspace, asJSON: cCtx.Bool("json")}
	daemon, err := d.find(cCtx.Context, api.Compare{Remote: remote, Checksum: true, Repair: cCtx.Bool("repair")})
	switch {
	case errors.Is(err, context.Canceled) && d.compared:
		return withHint(err, "the same command goes on where this one was, for an hour")
	case err != nil:
		return err
	}
	code := exitDone
	switch {
	case d.failed:
		code = exitFailed
	case d.wrong:
		code = exitNotInSync
	}
	if d.repair > 0 {
		repaired, err := c.waitFor(cCtx.Context, daemon, api.Wait{Workspace: workspace, Remote: remote, Confirmed: true})
		if err != nil {
			return fmt.Errorf("cannot wait for %s: %w", target(workspace, remote), err)
		}
		if code == exitDone {
			code = waitCode(repaired)
		}
		c.repaired(repairLine{workspace, remote, d.repair, *repaired}, d.asJSON)
	}
	if code != exitDone {
		return &codedError{code: code}
	}
	return nil
}

// repairLine says in JSON what became of a repair: Repair is how many differences it was
// about.
type repairLine struct {
	Workspace string `json:"workspace"`
	Remote    string `json:"remote,omitempty"`
	Repair    int    `json:"repair"`
	api.WaitResult
}

// repaired says what became of a repair.
func (c *command) repaired(line repairLine, asJSON bool) {
	switch {
	case asJSON:
		(&differences{command: c}).jsonLine(line)
	case line.InSync:
		c.result("%s: repaired %s", target(line.Workspace, line.Remote), count(line.Repair, "difference"))
	default:
		c.behind(line.Behind, true)
	}
}
