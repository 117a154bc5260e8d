package cli

// What people read is printed here and in status_output.go, by these rules:
//
//   - Results go to stdout, everything else to stderr.
//   - No banner, no capital at the beginning, no period at the end.
//   - An error is one line, "wsync: cannot X: why". Where there is a next step,
//     a line "hint: ..." follows. With --json it is an object, in one line.
//   - Colour only marks states, only on a terminal, and never with NO_COLOR.
//   - Names of files and the words of other programs pass through plain, so
//     that none of them can steer the terminal.
//   - Durations are coarse: nobody reads "1h12m3.5s".

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"wsync/client/service"
	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// printer prints for people, and JSON for scripts.
type printer struct {
	out, err io.Writer
	colour   bool // of out
	// rewrites: err is a terminal on which a line can be written anew.
	rewrites bool
	now      func() time.Time
	// errorsInJSON: an error that ends the command is part of what a script reads.
	errorsInJSON bool
	// unwritten is why a result could not be written first, nil if all was.
	unwritten error
}

func newPrinter(out, err io.Writer, env func(string) string) *printer {
	return &printer{
		out: out, err: err,
		colour:   isTerminal(out) && env("NO_COLOR") == "" && env("TERM") != "dumb",
		rewrites: isTerminal(err) && env("TERM") != "dumb" && env("TERM") != "",
		now:      time.Now,
	}
}

// isTerminal says whether stream, a reader or a writer, is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// print prints a result as it is.
func (p *printer) print(s string) {
	_, err := io.WriteString(p.out, s)
	p.wrote(err)
}

// wrote takes in how a result was written. A command goes on after a failure, but it
// is one.
func (p *printer) wrote(err error) {
	if err != nil && p.unwritten == nil {
		p.unwritten = fmt.Errorf("cannot print the result: %w", err)
	}
}

// result prints one line of result.
func (p *printer) result(format string, a ...any) { p.print(plain(fmt.Sprintf(format, a...)) + "\n") }

// note prints one line that is no result.
func (p *printer) note(format string, a ...any) {
	fmt.Fprintln(p.err, "wsync: "+plain(fmt.Sprintf(format, a...)))
}

// hint prints a next step.
func (p *printer) hint(format string, a ...any) {
	fmt.Fprintln(p.err, "hint: "+plain(fmt.Sprintf(format, a...)))
}

// json prints v as a script reads it.
func (p *printer) json(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	p.wrote(encoder.Encode(v))
	return p.unwritten
}

// jsonLine prints v as one of several lines.
func (p *printer) jsonLine(v any) {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	p.wrote(encoder.Encode(v))
}

// failure prints the error that ends a command.
func (p *printer) failure(err error) {
	var coded *codedError
	if errors.As(err, &coded) && coded.err == nil {
		return
	}
	f := failureOf(err)
	if p.errorsInJSON && p.unwritten == nil {
		p.jsonLine(f)
		return
	}
	p.note("%s", f.Error)
	if f.Usage != "" {
		fmt.Fprintln(p.err, "usage: "+f.Usage)
	}
	if f.Hint != "" {
		p.hint("%s", f.Hint)
	}
}

// list prints a line per workspace and remote, the worst first, and on a terminal how all
// stand: a script counts lines.
func (p *printer) list(workspaces []api.WorkspaceStatus, long bool) {
	if len(workspaces) == 0 {
		p.hint("there is no workspace yet: wsync add NAME PATH")
		return
	}
	p.print(p.listTable(workspaces, long).text(p.room()))
	if line := summary(workspaces); line != "" && p.room() > 0 {
		p.print("\n" + line)
	}
}

// listTable is a table with a row per workspace and remote. Where there is little room the
// names and places are cut, and what is said of an error, but never the state.
func (p *printer) listTable(workspaces []api.WorkspaceStatus, long bool) *table {
	const name, place, words = 12, 16, 18
	var states []report.State
	t := &table{columns: []column{{heading: "WORKSPACE", least: name}, {heading: "REMOTE", least: name}, {heading: "DESTINATION", least: place, spare: 1}}}
	spares := map[string]int{"VERIFIED": 2, "PATH": 3} // status and info have them, too
	column := func(cells *[]string, heading, cell string, least int) {
		if cells == nil {
			t.columns = append(t.columns, column{heading: heading, least: least, spare: spares[heading]})
			return
		}
		*cells = append(*cells, cell)
	}
	verified := anyVerified(workspaces)
	// rest adds what follows the destination, or its headings.
	rest := func(cells *[]string, w api.WorkspaceStatus, state, proof, since, pending, problem string) {
		if verified {
			column(cells, "VERIFIED", cmp.Or(proof, "-"), 0)
		}
		column(cells, "STATE", state, 0)
		column(cells, "SINCE", since, 0)
		if long {
			column(cells, "PENDING", pending, 0)
			column(cells, "RESTARTS", strconv.Itoa(w.Monitor.Restarts), 0)
			column(cells, "PATH", plain(w.Workspace.LocalPath), place)
		}
		column(cells, "ERROR", problem, words) // last, because it may be long
	}
	rest(nil, api.WorkspaceStatus{}, "", "", "", "", "")
	add := func(w api.WorkspaceStatus, s report.State, remote, destination, state, proof, since, pending, problem string) {
		states = append(states, s)
		cells := []string{plain(w.Workspace.Name), plain(remote), oneLine(plain(destination))}
		rest(&cells, w, state, proof, since, pending, oneLine(problem))
		t.add(cells...)
	}
	for _, w := range worstFirst(workspaces) {
		for _, r := range w.Remotes {
			add(w, r.State, r.Name, destination(w.Workspace, r.Name), stateText(r, p.now()), p.verifiedText(r.Verified), age(r.Since, p.now()), pendingText(r), problemText(r))
		}
		if len(w.Remotes) == 0 {
			add(w, report.Paused, "-", "-", "no remotes", "", "-", "-", "")
		}
	}
	for i := range t.columns {
		if t.columns[i].heading == "STATE" {
			t.columns[i].paint = func(row int, cell string) string { return p.paint(stateColour(states[row]), cell) }
		}
	}
	return t
}

// room is how many columns the terminal has, 0 for what is none.
func (p *printer) room() int {
	file, ok := p.out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// oneLine is text without its ends of lines.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// options prints a line per option.
func (p *printer) options(options []config.Option) {
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OPTION\tVALUE\tDEFAULT\tMEANING")
	for _, o := range options {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s: %s\n", o.Name, plain(o.Value), o.Default, o.Meaning, o.Expected)
	}
	p.wrote(table.Flush())
}

// optionsText names the options that do not have their defaults, "" if all do.
func optionsText(options []config.Option) string {
	var set []string
	for _, o := range options {
		if o.Value != o.Default {
			set = append(set, o.Name+"="+o.Value)
		}
	}
	return strings.Join(set, " ")
}

// daemonStatus prints the status of the daemon.
func (p *printer) daemonStatus(daemon api.DaemonStatus, settings config.Settings) {
	var b block
	b.field(0, "state", "running for "+age(daemon.Since, p.now()))
	b.field(0, "pid", strconv.Itoa(daemon.PID))
	b.field(0, "version", daemon.Version)
	b.field(0, "socket", settings.DaemonCommandSocketPath)
	b.field(0, "logs", daemon.LogDirectory)
	if daemon.LogProblem != "" {
		b.field(0, "", "cannot log: "+daemon.LogProblem)
	}
	if daemon.NotifyProblem != "" {
		b.field(0, "notices", "cannot run NotifyCommand: "+daemon.NotifyProblem)
	}
	if daemon.MetricsAddress != "" {
		b.field(0, "metrics", "http://"+daemon.MetricsAddress+"/metrics")
	}
	if daemon.MetricsProblem != "" {
		b.field(0, "metrics", "cannot be served: "+daemon.MetricsProblem)
	}
	p.print(b.String())
}

// problems warns of what is wrong with the daemon itself.
func (p *printer) problems(daemon api.DaemonStatus) {
	if daemon.LogProblem != "" {
		p.note("the daemon cannot log: %s", daemon.LogProblem)
	}
	if daemon.JournalProblem != "" {
		p.note("wsync log is not told of everything: %s", daemon.JournalProblem)
	}
	if daemon.MetricsProblem != "" {
		p.note("the daemon cannot serve the metrics: %s", daemon.MetricsProblem)
	}
	if daemon.NotifyProblem != "" {
		p.note("the daemon cannot run NotifyCommand, and nobody is told of trouble: %s", daemon.NotifyProblem)
	}
}

// versions warns when the daemon is another wsync than this one.
func (p *printer) versions(daemon, own string) {
	if daemon != own {
		p.note("the daemon is version %s, this is %s", daemon, own)
		p.hint("wsync daemon restart")
	}
}

// serviceText describes a service.
func (p *printer) serviceText(status serviceStatus, s *service.Service) {
	var b block
	state := status.State
	if status.Why != "" {
		state += " (" + status.Why + ")"
	}
	if status.PID != 0 {
		state += fmt.Sprintf(" (pid %d)", status.PID)
	}
	b.field(0, "service", fmt.Sprintf("%s, by %s", status.Name, status.Kind))
	b.field(0, "state", state)
	b.field(0, "file", status.File)
	begins := "by hand only: it is not enabled"
	switch {
	case status.Enabled && status.Lingers && status.Kind == "systemd":
		begins = "when the system starts"
	case status.Enabled:
		begins = "with your first login, and ends with your last session"
	}
	b.field(0, "begins", begins)
	b.field(0, "log", s.LogCommand())
	p.print(b.String())
	if status.OtherPID != 0 {
		p.note("a daemon runs that is not the service's (pid %d)", status.OtherPID)
		p.hint("wsync daemon stop, then wsync daemon start")
	} else if status.PID == 0 {
		p.hint("%s", s.StartCommand())
	}
}

// reloaded says which settings are in force, and which are not yet.
func (p *printer) reloaded(r *api.Reloaded) {
	if len(r.Applied) > 0 {
		p.result("in force now: %s", strings.Join(r.Applied, ", "))
	}
	if len(r.NeedRestart) > 0 {
		p.result("in force after a restart: %s", strings.Join(r.NeedRestart, ", "))
		p.hint("wsync daemon restart")
	}
	if len(r.Applied)+len(r.NeedRestart) == 0 {
		p.result("no setting has changed")
	}
}

// acted says that an action is done, and what it has approved.
func (p *printer) acted(done, workspace, remote string, approved []api.Approved) {
	if len(approved) == 0 {
		p.result("%s %s", done, target(workspace, remote))
	}
	for _, a := range approved {
		what := "the directory " + a.Directory + " that is there now"
		if a.Held != nil {
			what = heldText(a.Held)
		}
		p.result("%s %s: %s", done, target(workspace, a.Remote), what)
	}
}

// held prints what a guard holds.
func (p *printer) held(held *report.Held) {
	p.note("%s", heldText(held))
	p.samples(p.err, held)
}

// heldText says how many deletions are held, and why.
func heldText(held *report.Held) string {
	if held.Other != "" {
		return held.Reason
	}
	what := count(held.Count, "deletion")
	switch {
	case held.Overwritten > 0 && held.Count == 0:
		what = count(held.Overwritten, "overwriting")
	case held.Overwritten > 0:
		what += " and " + count(held.Overwritten, "overwriting")
	}
	return strings.TrimSuffix(what+": "+held.Reason, ": ")
}

// stateText says what a remote is doing, in a few words.
func stateText(remote report.RemoteStatus, now time.Time) string {
	retry := "retrying now"
	if remote.NextRetry != nil && remote.NextRetry.After(now) {
		// Rounded up: "in 0s" would be a lie for most of a second.
		retry = "retrying in " + duration(remote.NextRetry.Sub(now)+time.Second-time.Nanosecond)
	}
	switch remote.State {
	case report.Pending:
		return "pending " + pendingText(remote)
	case report.Retrying:
		return retry
	case report.Offline:
		return "offline, " + retry
	}
	return string(remote.State)
}

// pendingText says how many paths are not acknowledged by the remote.
func pendingText(remote report.RemoteStatus) string {
	if remote.PendingEverything {
		return "everything"
	}
	if remote.Pending == 0 && remote.NamesSought > 0 {
		return "names" // a file's other names are looked for
	}
	return strconv.Itoa(remote.Pending)
}

// destination returns where a remote of workspace is, as a user writes it.
func destination(workspace config.Workspace, name string) string {
	for _, remote := range workspace.Remotes {
		if remote.Name == name {
			return remote.Destination()
		}
	}
	return "-"
}

// The colours, all of one length.
const (
	noColour = "39"
	red      = "31"
	green    = "32"
	yellow   = "33"
)

func stateColour(state report.State) string {
	switch state {
	case report.InSync, report.Confirming:
		return green
	case report.Offline, report.Halted, report.Failed, report.Unknown:
		return red
	case report.Paused:
		return noColour
	}
	return yellow
}

// paint colours s, if colours are wanted.
func (p *printer) paint(colour, s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// plain makes what could steer a terminal visible instead.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) || r == '\n' {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// The most that a word and a text take where there is little room; a path may
// have 4 kB.
const (
	shortWord = 100
	shortText = 400
)

// short leaves out the middle of what is too long for a line, which --json has
// whole: words first, because a text says most at its end.
func short(s string) string {
	if len(s) <= shortWord {
		return s
	}
	words := strings.Split(s, " ")
	for i, word := range words {
		words[i] = cutMiddle(word, shortWord)
	}
	return cutMiddle(strings.Join(words, " "), shortText)
}

// age says for how long something has been so.
func age(since, now time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return duration(max(now.Sub(since), 0))
}

// duration is d in its largest fitting unit.
func duration(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// size is a number of bytes in its largest fitting unit.
func size(bytes int64) string {
	value, unit := float64(bytes), "B"
	for _, larger := range []string{"kB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// count is a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
