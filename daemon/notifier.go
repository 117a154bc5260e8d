package daemon

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/report"
)

const (
	// noticePause is the least time between two looks at all remotes: a busy
	// monitor reports fifty times a second.
	noticePause = 200 * time.Millisecond
	// maxCommands is how many commands run at a time, when many remotes get
	// into trouble at once.
	maxCommands = 4
)

// subject is a remote that may be told of, or a workspace: then the status has no name.
type subject struct {
	workspace, localPath, destination string
	status                            report.RemoteStatus
}

// remoteKey names a remote of all workspaces.
type remoteKey struct{ workspace, remote string }

// notifier tells of workspaces and remotes that get into trouble and out of it, by running a
// command. It only reads the daemon's state, so that nothing waits for it.
type notifier struct {
	log   *zap.Logger
	delay time.Duration
	// command runs the command, with these variables in its environment, until
	// it ends or ctx is done. The error is why it could not be run.
	command func(ctx context.Context, variables []string) error
	// problem is why the command could not be run when it was last tried, nil if it
	// could.
	problem atomic.Pointer[string]

	// since is when it began: nobody is told of what was found before.
	since time.Time

	// Of the goroutine of run.
	notices map[remoteKey]notice
	running map[remoteKey]bool // those whose command runs
}

// newNotifier returns the notifier that the settings ask for, nil for none.
func newNotifier(settings config.Settings, log *zap.Logger) *notifier {
	args := settings.NotifyArgs()
	if args == nil {
		return nil
	}
	log = log.Named("notify")
	c := notifyCommand{log: log, args: args, limit: commandTime}
	n := &notifier{log: log, delay: settings.NotifyDelay, command: c.run, since: time.Now()}
	err := c.check()
	if err != nil {
		log.Warn("NotifyCommand cannot be run: nobody will be told of trouble", zap.Error(err))
	}
	n.tried(err)
	return n
}

// tried takes in whether the command could be run.
func (n *notifier) tried(err error) {
	if err == nil {
		n.problem.Store(nil)
		return
	}
	text := err.Error()
	n.problem.Store(&text)
}

// why says why nobody can be told of trouble, "" if somebody can, or nobody is to be.
func (n *notifier) why() string {
	if n == nil {
		return ""
	}
	if problem := n.problem.Load(); problem != nil {
		return *problem
	}
	return ""
}

// startNotifier starts the notifier that the settings ask for, if any, before
// anything is served. stop ends it and returns when no command is left.
func (d *Daemon) startNotifier(ctx context.Context) (stop func()) {
	n := newNotifier(d.settings, d.log)
	d.notifier = n
	if n == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { n.run(ctx, d.subjects) })
	return func() { cancel(); running.Wait() }
}

// run looks at the remotes after each change until ctx is done, and returns
// when no command is left. state returns all remotes, and what is closed at
// the next change.
func (n *notifier) run(ctx context.Context, state func() ([]subject, <-chan struct{})) {
	n.notices, n.running = make(map[remoteKey]notice), make(map[remoteKey]bool)
	var commands sync.WaitGroup
	defer commands.Wait()
	slots := make(chan struct{}, maxCommands)
	ended := make(chan remoteKey)
	tell := func(key remoteKey, variables []string) {
		n.running[key] = true
		commands.Go(func() {
			select {
			case slots <- struct{}{}:
				n.tried(n.command(ctx, variables))
				<-slots
			case <-ctx.Done():
			}
			select {
			case ended <- key:
			case <-ctx.Done():
			}
		})
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		subjects, changed := state()
		now := time.Now()
		if next := n.look(subjects, now, tell); !next.IsZero() {
			timer.Reset(next.Sub(now))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		case key := <-ended:
			delete(n.running, key)
		}
		select {
		case <-ctx.Done():
		case <-time.After(noticePause):
		}
	}
}

// look decides about all remotes, and returns when to look again at the latest,
// zero for not before the next change.
func (n *notifier) look(subjects []subject, now time.Time, tell func(remoteKey, []string)) (next time.Time) {
	present := make(map[remoteKey]bool, len(subjects))
	for _, s := range subjects {
		key := remoteKey{s.workspace, s.status.Name}
		present[key] = true
		known := n.notices[key]
		if found, is := known.differs(s.status, n.since); is && !n.running[key] {
			n.notices[key] = found
			tell(key, s.differs())
			continue // the rest is decided when the command has ended
		}
		notice, due, again := known.look(s.status, now, n.delay)
		if !again.IsZero() && (next.IsZero() || again.Before(next)) {
			next = again
		}
		if due && n.running[key] {
			continue // decided anew when the command has ended
		}
		n.notices[key] = notice
		if due {
			tell(key, s.variables())
		}
	}
	for key := range n.notices {
		if !present[key] {
			delete(n.notices, key)
		}
	}
	return next
}

// name is what it is called.
func (s subject) name() string {
	if s.status.Name == "" {
		return s.workspace
	}
	return s.workspace + "/" + s.status.Name
}

// variables are the environment of the command.
func (s subject) variables() []string {
	r := s.status
	event, message := "trouble", fmt.Sprintf("%s is %s", s.name(), r.State)
	t, _ := mood(r)
	switch {
	case t == well && r.Name == "":
		event, message = "well", s.name()+" works again"
		s.status.State = "" // what its remotes do is another matter
	case t == well:
		event = "well"
	case r.State == report.Pending || r.State == report.Syncing:
		message = s.name() + " cannot send everything"
	}
	if r.Error != "" {
		message += ": "
		if r.ErrorPath != "" {
			message += r.ErrorPath + ": "
		}
		message += r.Error
	}
	return s.variablesOf(event, message, s.hint(t))
}

// differs are the environment of the command when a verification in the background has
// found differences.
func (s subject) differs() []string {
	v := s.status.Verified
	message := fmt.Sprintf("%s: a verification has found %d differences", s.name(), v.Differences)
	if v.Differences == 1 {
		message = strings.TrimSuffix(message, "s")
	}
	switch {
	case v.Repaired == v.Differences:
		message += ", being repaired"
	case v.Repaired > 0:
		message += fmt.Sprintf(", %d being repaired", v.Repaired)
	}
	if len(v.Found) > 0 {
		message += ": " + v.Found[0].Path
	}
	hint := ""
	if v.Open > 0 {
		hint = fmt.Sprintf("wsync verify %s %s --repair", s.workspace, s.status.Name)
	}
	return s.variablesOf("differs", message, hint)
}

// variablesOf are the variables of an event.
func (s subject) variablesOf(event, message, hint string) []string {
	r := s.status
	held, differences := 0, 0
	if r.Held != nil {
		held = r.Held.Count
	}
	if r.Verified != nil {
		differences = r.Verified.Open
	}
	return []string{
		variable("EVENT", event),
		variable("WORKSPACE", s.workspace),
		variable("LOCAL_PATH", s.localPath),
		variable("REMOTE", r.Name),
		variable("DESTINATION", s.destination),
		variable("STATE", string(r.State)),
		variable("ERROR", r.Error),
		variable("ERROR_PATH", r.ErrorPath),
		variable("HELD", strconv.Itoa(held)),
		variable("DIFFERENCES", strconv.Itoa(differences)),
		variable("HINT", hint),
		variable("MESSAGE", message),
	}
}

// hint is a next step.
func (s subject) hint(t trouble) string {
	if t == well {
		return ""
	}
	return cmp.Or(s.status.Hint, "wsync status "+s.workspace)
}

// maxVariable is the size in bytes to which a variable is cut: the system
// takes no arbitrary ones.
const maxVariable = 4096

// variable is an element of an environment. A NUL byte would end it.
func variable(name, value string) string {
	value = strings.ReplaceAll(value, "\x00", " ")
	return "WSYNC_" + name + "=" + value[:min(len(value), maxVariable)]
}

// subjects are all workspaces and remotes, with what is closed at the next change.
func (d *Daemon) subjects() (all []subject, changed <-chan struct{}) {
	d.lock.Do(func() {
		changed = d.changed
		for _, name := range d.order {
			e := d.entries[name]
			whole := e.mood()
			all = append(all, subject{name, e.workspace.LocalPath, "", whole})
			t, _ := mood(whole)
			for _, r := range e.workspace.Remotes {
				s := subject{name, e.workspace.LocalPath, r.Destination(), d.remoteStatus(e, r)}
				if t != well { // it is told of the workspace, once
					s.status.State, s.status.Error = report.Starting, ""
				}
				all = append(all, s)
			}
		}
	})
	return all, changed
}

// mood is what there is to tell of the workspace itself, as the status of a remote without
// a name: what keeps all of its remotes from being served. The lock is held.
func (e *entry) mood() report.RemoteStatus {
	name := e.workspace.Name
	s := report.RemoteStatus{State: report.Starting, Since: e.since}
	switch {
	case e.tellEnded(&s):
	case e.report == nil || e.workspace.Paused: // nothing is known, or wanted
	case e.report.Halted != nil:
		s.State, s.Since, s.Error, s.Hint = report.Halted, e.report.Halted.Since, e.report.Halted.Reason, e.hint(s)
	case e.isSilent():
		s.State, s.Since, s.Error, s.Hint = report.Unknown, e.pinged, "the monitor does not answer", "wsync restart "+name
	case e.report.Watch.Armed:
		s.State = report.InSync
	}
	return s
}
