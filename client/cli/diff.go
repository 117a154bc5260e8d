package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func (c *command) diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Category:  sectionStatus,
		Usage:     "say what differs on a remote",
		ArgsUsage: "NAME [REMOTE]",
		Description: `Lists what the next full pass would send, delete and change on a remote of the workspace NAME, or on all of them, by
name, with sizes and times on both sides, and changes nothing. It goes by sizes and times, as a pass does; files whose
size and time are equal are compared with --checksum only, which reads all of them on both sides. What is on its way,
held or failing is said to be so; wsync thinks that the rest is equal. It works while mirroring is paused, and waits for
a transfer that is under way. The exit code is 0 if nothing differs and 4 if something does.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "checksum", Usage: "compare contents, too"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON, a line for each difference and one for each remote"},
		},
		Action: c.diff,
	}
}

func (c *command) diff(cCtx *cli.Context) error {
	d := &differences{command: c, workspace: cCtx.Args().Get(0), asJSON: cCtx.Bool("json")}
	if _, err := d.find(cCtx.Context, api.Compare{Remote: cCtx.Args().Get(1), Checksum: cCtx.Bool("checksum")}); err != nil {
		return err
	}
	switch {
	case d.failed:
		return &codedError{code: exitFailed}
	case d.differ:
		return &codedError{code: exitNotInSync}
	}
	return nil
}

// find has remotes compared, and prints what differs.
func (d *differences) find(ctx context.Context, compare api.Compare) (*client.Client, error) {
	d.line = d.progressLine()
	daemon, err := d.connect()
	if err != nil {
		return nil, err
	}
	err = daemon.Compare(ctx, d.workspace, compare, d.take)
	d.clear()
	if err != nil {
		return nil, fmt.Errorf("cannot compare %s: %w", target(d.workspace, compare.Remote), err)
	}
	return daemon, nil
}

// differences prints what a comparison finds, as it comes.
type differences struct {
	*command
	workspace string
	asJSON    bool
	// only: differences in this state are told, and no others; "" for all.
	only report.DifferenceState
	// waits is the remote of which it was said that it has to be waited for.
	waits string
	// line says how far it is.
	line *progressLine
	// failed: something could not be compared. differ: something differs, wrong: also
	// other than what is on its way, or is being repaired.
	failed, differ, wrong bool
	// repair is how much is being repaired.
	repair int
	// compared: some files were, of which the daemon remembers that.
	compared bool
}

// differenceLine is a difference in JSON, and resultLine how a remote was compared.
type (
	differenceLine struct {
		Workspace string `json:"workspace"`
		Remote    string `json:"remote"`
		report.Difference
	}
	resultLine struct {
		Workspace string `json:"workspace"`
		Remote    string `json:"remote"`
		api.ComparisonResult
	}
)

// take prints a line of the answer. The error is that it cannot be printed.
func (d *differences) take(line api.Compared) error {
	switch {
	case line.Progress != nil:
		d.progressed(line)
	case line.Difference != nil && d.only != "" && line.Difference.State != d.only:
	case line.Difference != nil && d.asJSON:
		d.jsonLine(differenceLine{d.workspace, line.Remote, *line.Difference})
	case line.Difference != nil:
		d.clear()
		indent := ""
		if d.only != "" { // a heading says what they have in common
			indent, line.Difference.State = "  ", ""
		}
		d.print(indent + differenceText(*line.Difference) + "\n")
	case line.Result != nil:
		d.result(line.Remote, *line.Result)
	}
	return d.unwritten
}

// result says how a remote was compared.
func (d *differences) result(remote string, result api.ComparisonResult) {
	d.clear()
	s := result.Summary
	if s == nil {
		d.failed = true
	} else if s.Differences > 0 || len(s.Unreachable) > 0 {
		d.differ = true
	}
	if s != nil {
		d.repair += s.Repair
		d.wrong = d.wrong || s.Differences-s.Repair > s.Pending || len(s.Unreachable) > 0 || s.Pending > 0 && !result.State.Well()
	}
	if d.asJSON {
		d.jsonLine(resultLine{d.workspace, remote, result})
		return
	}
	if d.only != "" {
		d.heldResult(remote, result)
		return
	}
	name := target(d.workspace, remote)
	if s == nil {
		d.failure(fmt.Errorf("cannot compare %s: %w", name, withHint(errors.New(result.Error), "%s", result.Hint)))
		return
	}
	d.command.result("%s: %s", name, summaryText(*s))
	if result.State == report.Paused {
		d.note("%s is paused", name)
	}
	if s.Skipped > 0 {
		d.note("%s: %s not there, as its options say", name, isOrAre(s.Skipped))
	}
	for _, place := range s.Unreachable {
		d.note("%s: %s was on a file system that is no longer mounted, and was not compared", name, place)
	}
	for _, note := range s.Notes {
		d.note("%s: %s", name, note)
	}
}

func isOrAre(entries int) string {
	if entries == 1 {
		return "1 entry is"
	}
	return entryCount(entries) + " are"
}

// progressed says what takes so long.
func (d *differences) progressed(line api.Compared) {
	p, name := line.Progress, target(d.workspace, line.Remote)
	d.compared = d.compared || p.Files > 0
	switch {
	case line.Resumed:
		d.note("%s: going on where it was interrupted, after %s", name, count(p.Files, "file"))
	case p.State == report.ComparisonWaiting && line.Transfer != nil && line.Transfer.Kind != "comparison":
		if d.waits != line.Remote {
			d.waits = line.Remote
			d.note("%s: waiting for a transfer (%s)", name, line.Transfer.Kind)
		}
	case p.State == report.ComparisonRunning:
		d.line.show(name, comparisonParts(p))
	}
}

// clear takes the line away that says how far it is.
func (d *differences) clear() {
	if d.line != nil { // there is one as soon as a comparison runs
		d.line.clear()
	}
}
