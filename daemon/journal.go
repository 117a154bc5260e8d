package daemon

import (
	"cmp"
	"path/filepath"
	"strings"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/journal"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// journalDirectory is where the journals of a workspace are, which its monitor shares.
func (d *Daemon) journalDirectory(w config.Workspace) string {
	return filepath.Join(d.settings.RunDirectory(), w.State(), journal.Directory)
}

// ownJournal is where the journal is of what is about no workspace.
func (d *Daemon) ownJournal() string { return filepath.Join(d.settings.Directory, journal.Directory) }

// journalProblem says why a journal cannot be written, "" if all can. The lock is held.
func (d *Daemon) journalProblem() string {
	problem := d.journal.Problem()
	for _, name := range d.order {
		e := d.entries[name]
		problem = cmp.Or(problem, e.journal.Problem())
		if e.report != nil {
			problem = cmp.Or(problem, e.report.Journal)
		}
	}
	return problem
}

// tell writes an event about the workspace, or a remote of it, to the journal, and to the
// log. The lock is held.
func (e *entry) tell(event report.Event) {
	if event.Workspace == "" {
		event.Workspace = e.workspace.Name
	}
	if i := e.remote(event.Remote); i >= 0 && event.RemoteID == "" {
		event.RemoteID = e.workspace.Remotes[i].ID
	}
	e.journal.Write(event)
	logEvent(e.log, event)
}

// tellAction tells of an action on a workspace or, unless that is "", a remote of it. The
// lock is held.
func (e *entry) tellAction(action api.Action, remote string, approved []api.Approved) {
	kind := map[api.Action]report.EventKind{
		api.Pause: report.EventPaused, api.Resume: report.EventResumed, api.Resync: report.EventResync, api.Restart: report.EventRestart,
	}[action]
	if kind != "" {
		e.tell(report.Event{Kind: kind, Remote: remote})
	}
	for _, a := range approved {
		event := report.Event{Kind: report.EventApproved, Remote: a.Remote, Detail: a.Directory}
		if a.Held != nil {
			event.PathList, event.Detail = heldPaths(a.Held), a.Held.Other
		}
		e.tell(event)
	}
}

// tellAttached tells that a remote was attached, or is elsewhere. The lock is held.
func (e *entry) tellAttached(remote string, elsewhere bool) {
	i := e.remote(remote)
	if i < 0 || e.workspace.Remotes[i].LookOnly {
		return
	}
	kind := report.EventAttached
	if elsewhere {
		kind = report.EventElsewhere
	}
	e.tell(report.Event{Kind: kind, Remote: remote, Detail: e.workspace.Remotes[i].Destination()})
}

// tellProcess tells, and remembers, what the monitor's process does, before it is taken in. The lock is
// held.
func (e *entry) tellProcess(now watchdog.Status) {
	before := e.process
	died := now.State == watchdog.BackingOff || now.State == watchdog.Failed || now.Restarts > before.Restarts
	switch {
	case now.State != before.State && died && now.LastExit != "" && before.State != watchdog.BackingOff:
		e.tell(report.Event{Kind: report.EventMonitorEnded, PID: before.PID, Detail: now.LastExit})
		e.crashes.add(time.Now(), now.LastExit)
	case now.State == watchdog.Failed && before.State != watchdog.Failed:
		e.tell(report.Event{Kind: report.EventMonitorEnded, Detail: now.LastExit})
		e.crashes.add(time.Now(), now.LastExit)
	}
	if now.PID != 0 && now.PID != before.PID {
		e.tell(report.Event{Kind: report.EventMonitorStarted, PID: now.PID})
	}
}

// assignments are options as one sets them.
func assignments(options []config.Assignment) string {
	var words []string
	for _, o := range options {
		words = append(words, o.Name+"="+o.Value)
	}
	return strings.Join(words, " ")
}

// rememberLast takes in when remotes were sent something last. The lock is held.
func (e *entry) rememberLast(r *report.Report) {
	for _, remote := range e.workspace.Remotes {
		s := statusIn(r, remote.Name)
		if s == nil || !e.isAbout(s) {
			continue
		}
		last := e.last[remote.ID]
		if s.LastSuccess != nil {
			last.Sent = *s.LastSuccess
		}
		if s.LastFullPass != nil {
			last.FullPass = *s.LastFullPass
		}
		e.last[remote.ID] = last
	}
}

// recall puts into a status what was known of a remote before its monitor began. The lock
// is held.
func (e *entry) recall(s *report.RemoteStatus, r config.Remote) {
	last := e.last[r.ID]
	if s.LastSuccess == nil {
		s.LastSuccess = timeOrNil(last.Sent)
	}
	if s.LastFullPass == nil {
		s.LastFullPass = timeOrNil(last.FullPass)
	}
}
