package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/journal"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// entry is a workspace with everything about it. Daemon.lock guards it.
type entry struct {
	workspace  config.Workspace
	supervisor *watchdog.Supervisor
	process    watchdog.Status
	// since is when the process last changed its state.
	since time.Time
	// report is the monitor's last one, nil while none runs, and earlier the last
	// one of the monitor before.
	report  *report.Report
	earlier *report.Report
	barrier uint64
	// verify is the last barrier that somebody waits for to be verified by rsync.
	verify uint64
	orders map[string]report.Orders
	// comparisons, listings, questions and trials are those that somebody waits for.
	comparisons []report.Comparison
	// suspended gives up those of them that somebody may go on with, by their IDs.
	suspended map[string]*time.Timer
	listings  []report.Listing
	questions []report.Question
	trials    []report.Trial
	// ping is the last question to the monitor whether it is alive, pinged when it was
	// asked, or when an earlier one was answered after that.
	ping   uint64
	pinged time.Time
	// silent: the status that is shown says that it does not answer.
	silent bool
	// attached is the barrier that was placed when a remote was attached. What
	// the monitor reports before it knows of that one may be about another
	// remote, which had the name before.
	attached map[string]uint64
	// provisional are the remotes of which it is not decided yet whether they are
	// attached, each with the one that it is to replace, nil for none. The workspace file
	// has that one instead.
	provisional map[string]*config.Remote
	// released is the barrier that was placed when the held deletions of a remote
	// were let go of, to be judged anew. What is reported as held before the
	// monitor knows of that one is not held any more.
	released map[string]uint64
	log      *zap.Logger
	// journal takes in events about the workspace; told is what it knows of the remotes,
	// by name, and last what it remembers of them, by their IDs.
	journal *journal.Writer
	told    map[string]told
	last    map[string]journal.Last
	// crashes are those of its monitor in the last hour.
	crashes crashes
}

// restore brings the workspaces of the file to life.
func (d *Daemon) restore(workspaces []config.Workspace) {
	identified := false
	for i := range workspaces {
		w := &workspaces[i]
		for j := range w.Remotes {
			if r := &w.Remotes[j]; r.ID == "" {
				r.ID, identified = config.NewID(), true
			}
		}
		if w.Root != nil {
			continue
		}
		// Without the lock: a dead mount may take its time.
		if id, err := config.IdentifyRoot(w.LocalPath); err == nil {
			w.Root, identified = &id, true
		}
	}
	last, crashed := make([]map[string]journal.Last, len(workspaces)), make([]crashes, len(workspaces))
	for i, w := range workspaces {
		directory := d.journalDirectory(w)
		last[i], crashed[i] = journal.LastOf(directory), crashesIn(directory, time.Now())
	}
	d.lock.Do(func() {
		for i, w := range workspaces {
			d.insert(w)
			d.entries[w.Name].last, d.entries[w.Name].crashes = last[i], crashed[i]
		}
		if identified {
			if err := d.save(); err != nil {
				d.log.Error("Cannot save the workspaces", zap.Error(err))
			}
		}
	})
}

// insert makes the entry of a workspace and starts its monitor if it has
// remotes. The lock is held.
func (d *Daemon) insert(w config.Workspace) {
	name := w.Name
	e := &entry{log: d.log, workspace: w, orders: make(map[string]report.Orders), attached: make(map[string]uint64), released: make(map[string]uint64), provisional: make(map[string]*config.Remote), suspended: make(map[string]*time.Timer)}
	e.told, e.last = make(map[string]told), make(map[string]journal.Last)
	e.journal = journal.NewWriter(d.journalDirectory(w), journal.One(journal.SeriesDaemon), journal.DefaultBounds)
	policy := watchdog.Policy{Limit: d.settings.RestartLimit, Window: d.settings.RestartWindow}
	e.become(watchdog.Status{State: watchdog.Stopped})
	e.supervisor = watchdog.NewSupervisor(d.log, policy, d.launch, func(s watchdog.Status, r *report.Report) {
		d.lock.Do(func() { d.observe(e, s, r) })
	})
	d.entries[name] = e
	d.order = append(d.order, name)
	for _, e := range d.entries {
		d.apply(e) // which is to know of it
	}
}

// apply gives the monitor of a workspace its definition, or ends it when there
// is nothing to do. The lock is held.
func (d *Daemon) apply(e *entry) {
	e.supervisor.Define(d.definition(e))
	if len(e.workspace.Remotes) > 0 {
		e.supervisor.Start()
	} else {
		e.supervisor.Stop()
	}
	d.bump()
}

// definition is what the monitor of a workspace is told. The lock is held.
func (d *Daemon) definition(e *entry) report.Definition {
	s := d.settings
	orders := make(map[string]report.Orders, len(e.orders))
	for name, o := range e.orders {
		orders[name] = o
	}
	return report.Definition{
		Workspace: e.workspace.Clone(),
		Settings: report.Settings{
			LogFile:            s.WorkspaceLogPath(e.workspace.Name),
			LogLevel:           s.LogLevel,
			LogMaxSize:         s.LogMaxSize,
			RunDirectory:       filepath.Join(s.RunDirectory(), e.workspace.State()),
			Watcher:            s.Watcher,
			MaxWatches:         s.MaxWatches,
			PollInterval:       s.PollInterval,
			FullPassInterval:   s.FullPassInterval,
			VerifyInterval:     s.VerifyInterval,
			HoldDeletionsShare: s.HoldDeletionsShare,
			HoldDeletionsCount: s.HoldDeletionsCount,
			OnSyncTimeout:      s.OnSyncTimeout,
		},
		Sources:     d.sources(),
		SSHAuthSock: d.authSock,
		Barrier:     e.barrier,
		Verify:      e.verify,
		Ping:        e.ping,
		Orders:      orders,
		Comparisons: slices.Clone(e.comparisons),
		Listings:    slices.Clone(e.listings),
		Questions:   slices.Clone(e.questions),
		Trials:      slices.Clone(e.trials),
	}
}

// sources are the directories of all workspaces. The lock is held.
func (d *Daemon) sources() []string {
	sources := make([]string, 0, len(d.order))
	for _, name := range d.order {
		sources = append(sources, d.entries[name].workspace.LocalPath)
	}
	return sources
}

// observe takes in what a supervisor saw. The lock is held.
func (d *Daemon) observe(e *entry, s watchdog.Status, r *report.Report) {
	if d.entries[e.workspace.Name] != e {
		return // removed; its monitor is ending
	}
	news := e.isNews(s, r)
	e.tellProcess(s)
	e.become(s)
	switch {
	case r != nil:
		if e.report == nil || r.Pong > e.report.Pong {
			// Another process than the one that was asked, or one that answers,
			// though others may have asked again meanwhile.
			e.pinged = time.Now()
		}
		e.report = r
		e.rememberLast(r)
		d.learn(e)
	case s.State != watchdog.Running:
		e.dropReport()
	}
	e.silent = e.silent && e.isSilent() // only a ping finds that it is
	if news {
		d.bump()
	} else {
		d.wake()
	}
}

// become takes in what the process is now.
func (e *entry) become(s watchdog.Status) {
	if s.State != e.process.State || s.PID != e.process.PID {
		e.since = time.Now()
	}
	e.process = s
}

// dropReport forgets what a monitor has reported that is ending.
func (e *entry) dropReport() {
	if e.report != nil {
		e.report, e.earlier = nil, e.report
	}
}

// learn takes from a report what the workspace file keeps: which destinations
// hold nothing foreign, and the identity of a directory that was
// not there when the daemon started. The lock is held.
func (d *Daemon) learn(e *entry) {
	learnt := false
	for i := range e.workspace.Remotes {
		r := &e.workspace.Remotes[i]
		if status := e.status(r.Name); r.AdoptionPending && status != nil && status.Adopted && e.isAbout(status) {
			r.AdoptionPending, r.AdoptDelete, r.AdoptOverwrite, learnt = false, false, false, true
		}
	}
	if root := e.report.Root; e.workspace.Root == nil && root != nil {
		id := *root
		e.workspace.Root, learnt = &id, true
	}
	if !learnt {
		return
	}
	if err := d.save(); err != nil {
		d.log.Error("Cannot save the workspaces", zap.Error(err))
	}
	d.apply(e)
}

// status is what the monitor last reported of a remote, or nil.
func (e *entry) status(remote string) *report.RemoteStatus { return statusIn(e.report, remote) }

// statusIn is what a report, which may be nil, says of a remote, or nil.
func statusIn(r *report.Report, remote string) *report.RemoteStatus {
	if r == nil {
		return nil
	}
	for i := range r.Remotes {
		if r.Remotes[i].Name == remote {
			return &r.Remotes[i]
		}
	}
	return nil
}

// isAbout reports whether a status is certain to be about the remote that has the
// name now.
func (e *entry) isAbout(s *report.RemoteStatus) bool { return s.Asked >= e.attached[s.Name] }

// isProvisional reports whether it is not decided yet whether a remote is attached.
func (e *entry) isProvisional(remote string) bool {
	_, is := e.provisional[remote]
	return is
}

// dropStatus forgets what the monitor last reported of a remote.
func (e *entry) dropStatus(remote string) {
	if e.report == nil {
		return
	}
	r := *e.report // answers that are being written share the old one
	r.Remotes = slices.DeleteFunc(slices.Clone(r.Remotes), func(s report.RemoteStatus) bool { return s.Name == remote })
	e.report = &r
}

// remote finds a remote of the workspace; it is -1 if there is none.
func (e *entry) remote(name string) int {
	return slices.IndexFunc(e.workspace.Remotes, func(r config.Remote) bool { return r.Name == name })
}

// save writes the workspace file. The lock is held.
func (d *Daemon) save() error {
	all := d.workspaces()
	for i, name := range d.order {
		if provisional := d.entries[name].provisional; len(provisional) > 0 {
			all[i] = all[i].Clone()
			var certain []config.Remote
			for _, r := range all[i].Remotes {
				before, ok := provisional[r.Name]
				switch {
				case !ok:
					certain = append(certain, r)
				case before != nil:
					certain = append(certain, *before)
				}
			}
			all[i].Remotes = certain
		}
	}
	return config.SaveWorkspaces(d.settings.WorkspaceConfigFilePath, all)
}

// workspaces are the definitions in the order of the file. The lock is held.
func (d *Daemon) workspaces() []config.Workspace {
	var all []config.Workspace
	for _, name := range d.order {
		all = append(all, d.entries[name].workspace)
	}
	return all
}

// bump tells all who wait that the status has changed. The lock is held.
func (d *Daemon) bump() {
	d.revision++
	d.wake()
}

// wake has all who wait look again. The lock is held.
func (d *Daemon) wake() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// workspaceStatus is the status of a workspace. The lock is held.
func (d *Daemon) workspaceStatus(e *entry) api.WorkspaceStatus {
	s := api.WorkspaceStatus{
		Workspace: e.workspace.Clone(),
		Monitor: api.MonitorStatus{
			State:     string(e.process.State),
			PID:       e.process.PID,
			Restarts:  e.process.Restarts,
			LastExit:  e.process.LastExit,
			NextStart: timeOrNil(e.process.NextStart),
			Crashes:   e.crashes.report(time.Now()),
		},
		Remotes: []report.RemoteStatus{},
	}
	if e.report != nil {
		s.Watch, s.Halted = e.report.Watch, e.report.Halted
	}
	if e.isSilent() {
		s.Monitor.SilentSince = timeOrNil(e.pinged)
	}
	for _, r := range e.workspace.Remotes {
		s.Remotes = append(s.Remotes, d.remoteStatus(e, r).Plain())
	}
	return s
}

// remoteStatus is what the monitor reported of a remote, or what the lack of a
// report means. The lock is held.
func (d *Daemon) remoteStatus(e *entry, r config.Remote) report.RemoteStatus {
	// Trouble is shown at once; good news and what can be approved must be certain.
	if status := e.status(r.Name); status != nil && (e.isAbout(status) || !status.State.InSync() && status.Held == nil) {
		s := *status
		s.Destination, s.Hint = r.Destination(), e.hint(s)
		e.recall(&s, r)
		if s.State.Well() && e.isSilent() {
			s.State, s.Since = report.Unknown, e.pinged
			s.Error, s.Hint = "the monitor does not answer", "wsync restart "+e.workspace.Name
		}
		return s
	}
	s := report.RemoteStatus{Name: r.Name, Destination: r.Destination(), State: report.Starting, Since: e.since, PendingEverything: true, Adopted: !r.AdoptionPending}
	if before := statusIn(e.earlier, r.Name); before != nil && e.isAbout(before) {
		s.LastSuccess, s.LastFullPass, s.Drift, s.Verified = before.LastSuccess, before.LastFullPass, before.Drift, before.Verified
	}
	e.recall(&s, r)
	e.tellEnded(&s)
	return s
}

// tellEnded puts into a status, of a remote or of the workspace, that there is no monitor,
// and why, and reports whether that is so. The lock is held.
func (e *entry) tellEnded(s *report.RemoteStatus) bool {
	logs, again := "wsync logs "+e.workspace.Name, "wsync restart "+e.workspace.Name
	switch e.process.State {
	case watchdog.Failed:
		s.State, s.Error = report.Failed, "the monitor died too often: "+e.process.LastExit
		s.Hint = "see " + logs + ", then " + again
		if e.process.LastExit == killed {
			s.Hint = "see who kills it (dmesg, if memory has run out), then " + again
		}
	case watchdog.BackingOff:
		s.State, s.Error, s.NextRetry = report.Retrying, "the monitor died: "+e.process.LastExit, timeOrNil(e.process.NextStart)
		s.Hint = logs + " says why"
		if e.process.LastExit == killed {
			s.Hint = "it could not say why; if memory has run out, dmesg does"
		}
	default:
		return false
	}
	return true
}

// killed is how a monitor ended that could say nothing.
const killed = "signal: killed"

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// forget removes an entry. The lock is held.
func (d *Daemon) forget(name string) {
	delete(d.entries, name)
	d.order = slices.DeleteFunc(d.order, func(n string) bool { return n == name })
	d.bump()
}

// removeRunDirectory removes what the monitor of a removed workspace left.
func (d *Daemon) removeRunDirectory(state string) {
	if err := os.RemoveAll(filepath.Join(d.settings.RunDirectory(), state)); err != nil {
		d.log.Warn("Cannot remove a run directory", zap.Error(err))
	}
}
