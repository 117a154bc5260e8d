package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"wsync/client"
	"wsync/client/live"
	"wsync/client/screen"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// watch shows status and each newer one until ctx is done: as a view where there is a screen
// for it, elsewhere in a line for each change, and in JSON in a line for each status.
func (c *command) watch(ctx context.Context, daemon *client.Client, name, remote string, status *api.Status, asJSON bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &liveBackend{command: c, daemon: daemon, workspace: name, remote: remote, first: status}
	var err error
	switch {
	case asJSON:
		err = c.watchPlain(ctx, cancel, b, func(s *api.Status) { c.jsonLine(s) })
	case c.hasScreen():
		err = screen.Run(ctx, b, status, screen.Options{Colour: c.colour, Unicode: isUnicode(c.deps.Env)})
	default:
		said := make(spoken)
		err = c.watchPlain(ctx, cancel, b, func(s *api.Status) {
			for _, line := range said.lines(s.Workspaces) {
				c.result("%s  %s", c.now().Local().Format(momentLayout), line)
			}
		})
	}
	if err != nil {
		return statusError(target(name, remote), err)
	}
	return c.unwritten
}

// hasScreen reports whether there is a terminal on which text can be put anywhere, and keys
// can be pressed.
func (c *command) hasScreen() bool {
	term := c.deps.Env("TERM")
	return isTerminal(c.deps.Stdout) && isTerminal(c.deps.Stdin) && term != "dumb" && term != ""
}

// isUnicode reports whether the locale is one in which all characters can be shown.
func isUnicode(env func(string) string) bool {
	locale := strings.ToLower(cmp.Or(env("LC_ALL"), env("LC_CTYPE"), env("LANG")))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}

// watchPlain shows each status, and says when there is none, until ctx is done or nothing can
// be written any more.
func (c *command) watchPlain(ctx context.Context, cancel context.CancelFunc, b *liveBackend, show func(*api.Status)) error {
	show(b.first)
	gone := false
	return b.Follow(ctx, func(u live.Update) {
		switch {
		case u.Err != nil && !gone:
			gone = true
			c.note("there is no status until the daemon is back: %s", u.Err)
		case u.Status != nil:
			gone = false
			show(u.Status)
		}
		if c.unwritten != nil {
			cancel()
		}
	})
}

// spoken is what was said of each remote last.
type spoken map[live.Key]string

// lines say what has changed, but for what passes within moments or changes all the time.
func (s spoken) lines(workspaces []api.WorkspaceStatus) (lines []string) {
	present := make(map[live.Key]bool)
	say := func(key live.Key, text string) {
		present[key] = true
		if s[key] != text {
			s[key] = text
			lines = append(lines, key.String()+"  "+text)
		}
	}
	for _, w := range worstFirst(workspaces) {
		for _, r := range w.Remotes {
			say(live.Key{Workspace: w.Workspace.Name, Remote: r.Name}, changeText(w, r))
		}
		if len(w.Remotes) == 0 {
			say(live.Key{Workspace: w.Workspace.Name}, "no remotes yet")
		}
	}
	for key := range s {
		if !present[key] {
			delete(s, key)
			lines = append(lines, key.String()+"  is not there any more")
		}
	}
	return lines
}

// changeText is what a remote is doing, in words that stay the same while it does.
func changeText(w api.WorkspaceStatus, r report.RemoteStatus) string {
	text := string(r.State)
	switch r.State {
	case report.Confirming:
		text = string(report.InSync)
	case report.Pending, report.Syncing:
		text = "sending"
	}
	if problem := trouble(w, r); problem != "" {
		text += ": " + oneLine(problem)
	}
	return text
}

// liveBackend is whom live views ask.
type liveBackend struct {
	*command
	daemon            *client.Client
	workspace, remote string
	first             *api.Status
}

// Board implements live.Backend.
func (b *liveBackend) Board(status *api.Status, now time.Time) live.Board {
	return b.asOf(now).board(status)
}

// Follow implements live.Backend.
func (b *liveBackend) Follow(ctx context.Context, tell func(live.Update)) error {
	return live.Follow(ctx, b.daemon, b.workspace, b.remote, b.first, tell)
}

// eventsTime is how far back events are told.
const eventsTime = 24 * time.Hour

// Events implements live.Backend.
func (b *liveBackend) Events(ctx context.Context, of live.Key, line func(string)) error {
	p := b.asOf(b.now())
	f := &follower{
		query: api.EventsQuery{Workspace: of.Workspace, Remote: of.Remote, Since: b.now().Add(-eventsTime), Follow: true},
		show: func(e report.Event) error {
			at := momentText(e.Time, b.now()) + "  "
			for _, text := range p.eventLines(e) {
				line(at + oneLine(text))
			}
			return nil
		},
	}
	return f.follow(ctx, b.daemon, func() {})
}

// momentText is a point in time of the last day or so, in the least room.
func momentText(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.YearDay() != now.YearDay() || at.Year() != now.Year() {
		return at.Format("Jan _2 15:04")
	}
	return at.Format(time.TimeOnly)
}

// done are the words for an action that is done.
var done = map[api.Action]string{api.Pause: "paused", api.Resume: "resumed", api.Resync: "resyncing", api.Approve: "approved", api.Restart: "restarted"}

// Act implements live.Backend.
func (b *liveBackend) Act(ctx context.Context, action api.Action, of live.Key, held string) (string, error) {
	act := b.daemon.Act
	if action == api.Approve {
		act = func(ctx context.Context, _ api.Action, workspace, remote string) (*api.WorkspaceStatus, error) {
			return b.daemon.ApproveHeld(ctx, workspace, remote, held)
		}
	}
	status, err := act(ctx, action, of.Workspace, of.Remote)
	if err != nil {
		return "", err
	}
	var said []string
	b.saying(live.Output{Line: func(line string) { said = append(said, line) }}).acted(done[action], of.Workspace, of.Remote, status.Approved)
	return strings.Join(said, "; "), nil
}

// Held implements live.Backend.
func (b *liveBackend) Held(ctx context.Context, of live.Key, out live.Output) error {
	status, err := b.daemon.Status(ctx, of.Workspace, of.Remote, 0)
	if err != nil {
		return err
	}
	err = b.saying(out).statusHeld(ctx, b.daemon, status, false)
	var coded *codedError
	if errors.As(err, &coded) && coded.err == nil { // it has said why
		return errNotWhole
	}
	return err
}

var errNotWhole = errors.New("the list is not whole")

// Verify implements live.Backend.
func (b *liveBackend) Verify(ctx context.Context, of live.Key, out live.Output) error {
	d := &differences{command: b.saying(out), workspace: of.Workspace}
	_, err := d.find(ctx, api.Compare{Remote: of.Remote, Checksum: true})
	return err
}

// Explain implements live.Backend.
func (b *liveBackend) Explain(ctx context.Context, of live.Key, path string, out live.Output) error {
	status, err := b.daemon.Workspace(ctx, of.Workspace)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(path, "/") {
		path = status.Workspace.LocalPath + string(os.PathSeparator) + path // wherever the view was started
	}
	x, err := b.askAbout(ctx, of.Workspace, path, of.Remote, false)
	if err != nil {
		return err
	}
	b.saying(out).explanation(x)
	return nil
}

// saying is a command that prints to out.
func (b *liveBackend) saying(out live.Output) *command {
	results, rest := &lineWriter{out: out}, &lineWriter{out: out}
	return &command{deps: b.deps, printer: &printer{out: results, err: rest, rewrites: out.Progress != nil, now: b.now}}
}

// lineWriter takes what a printer writes apart.
type lineWriter struct {
	out  live.Output
	line strings.Builder // that is not at its end yet
}

// Write implements io.Writer.
func (w *lineWriter) Write(data []byte) (int, error) {
	text := string(data)
	if progress, ok := strings.CutPrefix(text, "\r"); ok {
		w.out.Progress(strings.TrimSuffix(progress, "\x1b[K"))
		return len(data), nil
	}
	for {
		line, rest, whole := strings.Cut(text, "\n")
		w.line.WriteString(line)
		if !whole {
			return len(data), nil
		}
		w.out.Line(w.line.String())
		w.line.Reset()
		text = rest
	}
}
