package cli

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsync/client/live"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// asOf is a printer of the same for a point in time, without colours.
func (p *printer) asOf(now time.Time) *printer {
	return &printer{out: p.out, err: p.err, now: func() time.Time { return now }}
}

// board is a status for a live view, the worst first whatever workspace it is of.
func (p *printer) board(status *api.Status) live.Board {
	b := live.Board{Notes: p.daemonNotes(status.Daemon)}
	b.Summary, _ = standingsText(status.Workspaces)
	standing := make(map[live.Key]report.Standing)
	for _, w := range status.Workspaces {
		for _, r := range w.Remotes {
			row := p.row(w, r)
			standing[row.Key()] = p.order(r)
			b.Rows = append(b.Rows, row)
		}
		if len(w.Remotes) == 0 {
			row := p.emptyRow(w)
			standing[row.Key()] = report.StandsInSync + 1
			b.Rows = append(b.Rows, row)
		}
	}
	slices.SortStableFunc(b.Rows, func(a, b live.Row) int { return cmp.Compare(standing[a.Key()], standing[b.Key()]) })
	return b
}

// passingTime is how long a remote may be behind and be taken for one that is in sync: in a
// list that is looked at, rows are not to change places with each change.
const passingTime = 5 * time.Second

// order is how a remote stands, for its place in the list.
func (p *printer) order(r report.RemoteStatus) report.Standing {
	s := r.Standing()
	if s == report.StandsBehind && (r.OldestPending == nil || p.now().Sub(*r.OldestPending) < passingTime) && r.State != report.Starting {
		return report.StandsInSync
	}
	return s
}

// daemonNotes is what is wrong with the daemon itself.
func (p *printer) daemonNotes(daemon api.DaemonStatus) (notes []string) {
	for _, problem := range []struct{ what, why string }{
		{"the daemon cannot log: ", daemon.LogProblem},
		{"wsync log is not told of everything: ", daemon.JournalProblem},
		{"the daemon cannot run NotifyCommand, and nobody is told of trouble: ", daemon.NotifyProblem},
	} {
		if problem.why != "" {
			notes = append(notes, oneLine(plain(problem.what+problem.why)))
		}
	}
	return notes
}

// row is a remote.
func (p *printer) row(w api.WorkspaceStatus, r report.RemoteStatus) live.Row {
	now := p.now()
	row := live.Row{
		Workspace: w.Workspace.Name, Remote: r.Name, Destination: oneLine(plain(destination(w.Workspace, r.Name))),
		Standing: r.Standing().String(), Level: levelOf(r), State: stateText(r, now), Since: age(r.Since, now),
		Latencies: r.Latencies, Problem: oneLine(cmp.Or(trouble(w, r), monitorText(w.Workspace.Name, w.Monitor, now))), Hint: oneLine(plain(r.Hint)),
		ErrorPath: r.ErrorPath, Halted: w.Halted != nil,
		Details: func() []string { return p.details(w, r) },
	}
	row.State = strings.Replace(row.State, "retrying in", "retry in", 1) // there is little room
	switch {
	case r.PendingEverything:
		row.Pending = "all"
	case r.Pending > 0:
		row.Pending = strconv.Itoa(r.Pending)
	}
	if r.State == report.Pending {
		row.State = string(r.State) // how much is said beside it
	}
	if r.Window != nil && row.Problem == "" {
		row.Problem = p.windowText(r.Window)
	}
	if r.Transfer != nil && r.Transfer.Rate > 0 {
		row.Rate = size(r.Transfer.Rate) + "/s"
	}
	if r.Held != nil {
		row.Held = r.Held.ID
	}
	return row
}

// emptyRow is a workspace without remotes.
func (p *printer) emptyRow(w api.WorkspaceStatus) live.Row {
	return live.Row{
		Workspace: w.Workspace.Name, Level: live.Off, State: "no remotes yet", Standing: "no remotes", Since: "-",
		Hint:    "wsync attach " + w.Workspace.Name + " REMOTE DEST",
		Details: func() []string { return p.details(w) },
	}
}

// trouble is what is wrong with a remote, in words that stay the same as long as it is; "" for
// nothing.
func trouble(w api.WorkspaceStatus, r report.RemoteStatus) string {
	switch {
	case r.Error != "":
		return problemText(r)
	case r.Held != nil:
		return short(plain(heldText(r.Held)))
	case w.Halted != nil:
		return short(plain(w.Halted.Reason))
	case r.Verified != nil && r.Verified.Open > 0:
		return count(r.Verified.Open, "difference") + " found by wsync verify"
	}
	return ""
}

// levelOf is what to make of how a remote stands.
func levelOf(r report.RemoteStatus) live.Level {
	switch s := r.Standing(); {
	case s <= report.StandsOffline:
		return live.Bad
	case s == report.StandsPaused:
		return live.Off
	case s == report.StandsInSync:
		return live.Good
	}
	return live.Busy
}

// details are all that there is to say about some remotes of a workspace.
func (p *printer) details(w api.WorkspaceStatus, remotes ...report.RemoteStatus) []string {
	w.Remotes = remotes
	var b block
	p.workspace(&b, w)
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}
