package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsync/client"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// openLine is an open path in JSON, and openResult how a remote stands, the last line
// about it.
type (
	openLine struct {
		Workspace string `json:"workspace"`
		Remote    string `json:"remote"`
		report.OpenPath
	}
	openResult struct {
		Workspace string       `json:"workspace"`
		Remote    string       `json:"remote"`
		State     report.State `json:"state"`
		Error     string       `json:"error,omitempty"`
		Hint      string       `json:"hint,omitempty"`
		NextRetry *time.Time   `json:"next_retry,omitempty"`
		// Paths is how many were listed, and NamesSought is as in RemoteStatus.
		Paths       int `json:"paths"`
		NamesSought int `json:"names_sought,omitempty"`
		// Unlisted is why there is no list, "" if there is one.
		Unlisted string `json:"unlisted,omitempty"`
	}
)

// openPaths prints what remotes lack, as it comes.
type openPaths struct {
	*command
	workspace string
	asJSON    bool
	failed    bool
	remote    *openResult // nil before the first
}

// statusPaths lists all paths that remotes lack, of each workspace that status has.
func (c *command) statusPaths(ctx context.Context, daemon *client.Client, status *api.Status, remote string, asJSON bool) error {
	failed := false
	for _, w := range status.Workspaces {
		o := &openPaths{command: c, workspace: w.Workspace.Name, asJSON: asJSON}
		if err := daemon.Open(ctx, o.workspace, api.ListOpen{Remote: remote}, o.take); err != nil {
			return fmt.Errorf("cannot list the paths of %s: %w", target(o.workspace, remote), err)
		}
		o.end()
		failed = failed || o.failed
	}
	if failed {
		return &codedError{code: exitFailed}
	}
	return c.unwritten
}

// take prints a line of the answer. The error is that it cannot be printed.
func (o *openPaths) take(line api.Open) error {
	switch s := line.Status; {
	case s != nil:
		o.end()
		o.remote = &openResult{Workspace: o.workspace, Remote: s.Name, State: s.State, Error: problemText(*s), Hint: s.Hint, NextRetry: s.NextRetry, NamesSought: s.NamesSought}
		if !o.asJSON {
			o.print(o.remoteLine(*s))
		}
	case line.Path != nil:
		o.remote.Paths++
		if o.asJSON {
			o.jsonLine(openLine{o.workspace, line.Remote, *line.Path})
		} else {
			o.print("  " + openText(*line.Path, o.now()) + "\n")
		}
	case line.Error != "":
		o.failed, o.remote.Unlisted = true, line.Error
		if !o.asJSON {
			o.note("cannot list the paths of %s: %s", target(o.workspace, line.Remote), line.Error)
		}
	}
	return o.unwritten
}

// end ends what there is to say of a remote.
func (o *openPaths) end() {
	if o.remote != nil && o.asJSON {
		o.jsonLine(*o.remote)
	}
	o.remote = nil
}

// remoteLine says how a remote stands as a whole, before its paths.
func (o *openPaths) remoteLine(s report.RemoteStatus) string {
	line := target(o.workspace, s.Name) + "  " + o.paint(stateColour(s.State), stateText(s, o.now()))
	if text := problemText(s); text != "" {
		line += ": " + strings.ReplaceAll(text, "\n", " ")
	}
	if s.NamesSought > 0 {
		line += fmt.Sprintf("; other names of %s are searched for", count(s.NamesSought, "changed file"))
	}
	return line + "\n"
}

// openText is an open path in one line: how it stands, its name, since when, and why.
func openText(p report.OpenPath, now time.Time) string {
	name := wholeName(p.Name())
	switch {
	case p.Everything && p.State == report.PathHeld:
		name = "everything"
	case p.Everything:
		name = "everything: a full pass is due"
	case name == "":
		name = "."
	case p.Tree:
		name += "/ and all below it"
	}
	if p.From != "" {
		name += ", renamed from " + wholeName(p.Before())
	}
	text := fmt.Sprintf("%-8s %s", p.State, name)
	if p.Since != nil {
		text += ", for " + age(*p.Since, now)
	}
	if p.Attempts > 0 {
		text += ", failed " + times(p.Attempts)
	}
	if p.Problem != "" {
		text += ": " + strings.ReplaceAll(plain(p.Problem), "\n", " ")
	}
	switch {
	case p.Window:
		text += "; it waits for the window"
	case p.Problem != "" || p.NextTry != nil && p.NextTry.After(now):
		text += nextTry(p.NextTry, now)
	}
	return text
}

// statusHeld lists all that guards hold, of each remote in status that has something held.
func (c *command) statusHeld(ctx context.Context, daemon *client.Client, status *api.Status, asJSON bool) error {
	d := &differences{command: c, asJSON: asJSON, only: report.StateHeld, line: c.progressLine()}
	held := false
	for _, w := range status.Workspaces {
		d.workspace = w.Workspace.Name
		if w.Halted != nil {
			c.note("nothing is sent or deleted of %s: %s", d.workspace, w.Halted.Reason)
		}
		for _, remote := range w.Remotes {
			if remote.Held == nil {
				continue
			}
			held = true
			if !asJSON {
				c.print(fmt.Sprintf("%s  %s\n", target(d.workspace, remote.Name), strings.ReplaceAll(plain(heldText(remote.Held)), "\n", " ")))
			}
			if remote.Held.Other != "" {
				continue // nothing is held but the place
			}
			err := daemon.Compare(ctx, d.workspace, api.Compare{Remote: remote.Name}, d.take)
			if d.clear(); err != nil {
				return fmt.Errorf("cannot list what is held of %s: %w", target(d.workspace, remote.Name), err)
			}
		}
	}
	switch {
	case d.failed:
		return &codedError{code: exitFailed}
	case !held:
		c.note("nothing is held")
	}
	return c.unwritten
}

// heldResult ends the list of what is held of a remote.
func (d *differences) heldResult(remote string, result api.ComparisonResult) {
	name := target(d.workspace, remote)
	if result.Summary == nil {
		d.failure(fmt.Errorf("cannot list what is held of %s: %w", name, withHint(errors.New(result.Error), "%s", result.Hint)))
		return
	}
	for _, place := range result.Summary.Unreachable {
		d.print("  unreachable " + wholeName(place) + "/ and all below it\n")
	}
}
