package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// block builds lines of a label and a value.
type block struct{ strings.Builder }

// field adds a line. Without a label the value continues the field above.
func (b *block) field(indent int, label, value string) {
	fmt.Fprintf(b, "%*s%-*s %s\n", indent, "", 14-indent, label, strings.ReplaceAll(short(plain(value)), "\n", " "))
}

// statusText describes what the workspaces are doing, the worst first, and how all stand
// at its end, where a terminal shows it.
func (p *printer) statusText(workspaces []api.WorkspaceStatus) string {
	var b block
	for i, workspace := range worstFirst(workspaces) {
		if i > 0 {
			b.WriteByte('\n')
		}
		p.workspace(&b, workspace)
	}
	if line := summary(workspaces); line != "" {
		b.WriteString("\n" + line)
	}
	return b.String()
}

// attached says that a remote is attached and how it fares.
func (p *printer) attached(workspace, destination string, remote report.RemoteStatus) {
	state := stateText(remote, p.now())
	switch remote.State {
	case report.Starting, report.Pending, report.Syncing:
		state = "the first pass is running"
	}
	p.result("attached %s to %s: %s", target(workspace, remote.Name), destination, state)
	if remote.Error != "" {
		p.note("%s: %s", target(workspace, remote.Name), problemText(remote))
	}
	switch {
	case remote.Hint != "":
		p.hint("%s", remote.Hint)
	case !remote.State.InSync() && remote.State != report.Paused && remote.Error == "":
		p.hint("wsync status %s", workspace)
	}
}

// behind prints a line per remote that a wait found not in sync, and the next step
// where there is one. confirmed: it waited until rsync had verified it, too.
func (p *printer) behind(remotes []api.BehindRemote, confirmed bool) {
	for _, behind := range remotes {
		remote := behind.Remote
		state := stateText(remote, p.now())
		if remote.State.InSync() {
			// As far as its monitor knows; it has not seen yet all that there is.
			state = "no answer yet"
			if confirmed {
				state = "not confirmed yet"
			}
		}
		line := fmt.Sprintf("%s is not in sync: %s", target(behind.Workspace, remote.Name), state)
		switch {
		case remote.Error != "":
			line += ": " + problemText(remote)
		case remote.Held != nil:
			line += ": " + heldText(remote.Held)
		case remote.Window != nil:
			line += ": " + p.windowText(remote.Window)
		}
		p.note("%s", line)
		switch {
		case remote.Hint != "":
			p.hint("%s", remote.Hint)
		case remote.State == report.Paused:
			p.hint("wsync resume %s %s", behind.Workspace, remote.Name)
		}
	}
}

// workspace adds what there is to know about a workspace now; what is as it
// should be is left out.
func (p *printer) workspace(b *block, workspace api.WorkspaceStatus) {
	name := workspace.Workspace.Name
	fmt.Fprintf(b, "%s  %s\n", name, plain(workspace.Workspace.LocalPath))
	if text := monitorText(name, workspace.Monitor, p.now()); text != "" {
		b.field(2, "monitor", text)
	}
	b.crashes(workspace.Monitor, p.now())
	if text := watchText(workspace); text != "" {
		b.field(2, "watch", text)
	}
	b.ignoreProblems(workspace.Watch)
	if halt := workspace.Halted; halt != nil {
		b.field(2, "halted", fmt.Sprintf("for %s: %s", age(halt.Since, p.now()), halt.Reason))
	}
	for _, remote := range workspace.Remotes {
		b.remoteHeading(workspace, remote)
		p.remote(b, remote)
	}
	if len(workspace.Remotes) == 0 {
		b.field(2, "remotes", fmt.Sprintf("none yet: wsync attach %s REMOTE DEST", name))
	}
}

func (b *block) remoteHeading(workspace api.WorkspaceStatus, remote report.RemoteStatus) {
	fmt.Fprintf(b, "  %s  %s\n", remote.Name, plain(destination(workspace.Workspace, remote.Name)))
}

// windowText says what waits for a window, and until when.
func (p *printer) windowText(w *report.Window) string {
	until, now := w.Until.Local(), p.now().Local()
	form := "15:04"
	if until.Sub(now) > 24*time.Hour || until.YearDay() != now.YearDay() {
		form = "Mon 15:04"
	}
	what := count(w.Paths, "large file") + " wait"
	switch {
	case w.All:
		what = "all waits"
	case w.Paths == 1:
		what += "s"
	}
	return what + " until " + until.Format(form)
}

// remote adds what there is to know about a remote now.
func (p *printer) remote(b *block, remote report.RemoteStatus) {
	now := p.now()
	state := p.paint(stateColour(remote.State), stateText(remote, now))
	// Not through field, which would make the colours visible.
	fmt.Fprintf(b, "    %-10s %s, for %s\n", "state", state, age(remote.Since, now))
	if remote.NamesSought > 0 {
		b.field(4, "searching", fmt.Sprintf("for other names of %s, hard links, that nobody has seen yet", count(remote.NamesSought, "changed file")))
	}
	if remote.Pending > 0 || remote.PendingEverything {
		pending := "everything"
		if !remote.PendingEverything {
			pending = count(remote.Pending, "path")
		}
		if remote.OldestPending != nil {
			pending += ", the oldest for " + age(*remote.OldestPending, now)
		}
		b.field(4, "pending", pending)
	}
	if window := remote.Window; window != nil {
		b.field(4, "window", p.windowText(window))
	}
	if transfer := remote.Transfer; transfer != nil {
		b.field(4, "transfer", transferText(transfer, now))
	}
	if remote.Error != "" {
		b.field(4, "error", problemText(remote))
	}
	if remote.Unsupported > 0 {
		b.field(4, "unsupported", count(remote.Unsupported, "path")+" that it cannot hold; wsync info has the reasons")
	}
	if remote.LeftOut > 0 {
		b.field(4, "left out", count(remote.LeftOut, "path")+", FIFOs, sockets or devices; wsync info names the first")
	}
	if held := remote.Held; held != nil {
		b.field(4, "held", heldText(held))
		b.sample(4, held.Sample, held.Count)
	}
	if postponed := remote.Postponed; postponed != nil {
		b.field(4, "to delete", postponedText(postponed, now))
	}
	if kept := remote.Kept; kept != nil {
		b.field(4, "kept", directories(kept.Count)+" gone here, for what is ignored there")
		b.sample(4, kept.Sample, kept.Count)
	}
	if remote.Hint != "" {
		b.field(4, "hint", remote.Hint)
	}
	b.field(4, "last sent", ago(remote.LastSuccess, now))
	if len(remote.Latencies) > 0 {
		b.field(4, "latency", latencyText(remote.Latencies))
	}
	full := ago(remote.LastFullPass, now)
	if remote.LastFullPass != nil {
		full += fmt.Sprintf(", repaired %d", remote.Drift)
	}
	b.field(4, "full pass", full)
	p.verification(b, remote)
	if text := hookText(remote.Hook, now); text != "" {
		b.field(4, "on-sync", text)
	}
}

// hookText says how the commands fare that are run after something was sent, "" if there
// is nothing to know.
func hookText(h *report.HookStatus, now time.Time) string {
	var parts []string
	switch {
	case h == nil:
		return ""
	case h.Running != nil:
		parts = append(parts, "running for "+age(*h.Running, now))
	}
	switch {
	case h.Error != "":
		parts = append(parts, "failed "+ago(h.Ended, now)+": "+h.Error+"; tried again with the next change, or by wsync resume")
	case h.Ended != nil:
		parts = append(parts, "done "+ago(h.Ended, now))
	}
	return strings.Join(parts, ", ")
}

// latencyText says how long the last changes took.
func latencyText(latencies []time.Duration) string {
	text := shortDuration(latencies[len(latencies)-1])
	if n := len(latencies); n > 1 {
		text += fmt.Sprintf(", the last %d changes %s to %s", n, shortDuration(slices.Min(latencies)), shortDuration(slices.Max(latencies)))
	}
	return text
}

// shortDuration is a duration to two digits or so, from milliseconds on.
func shortDuration(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return duration(d)
}

// postponedText says what is to be deleted later, and when.
func postponedText(p *report.Postponed, now time.Time) string {
	more := ""
	if p.More {
		more = " and more"
	}
	return fmt.Sprintf("%s%s to come, the first %s", count(p.Count, "deletion"), more, dueText(&p.First, now))
}

// dueText says when something is due: in how long, and from a day on at which time.
func dueText(due *time.Time, now time.Time) string {
	switch {
	case due == nil:
		return "later"
	case !due.After(now):
		return "now"
	case due.Sub(now) >= 24*time.Hour:
		return "at " + due.Local().Format("2006-01-02 15:04")
	}
	return "in " + age(now, *due)
}

// info describes a workspace as it is defined and served.
func (p *printer) info(workspace api.WorkspaceStatus) {
	var b block
	definition, monitor, watch := workspace.Workspace, workspace.Monitor, workspace.Watch
	fmt.Fprintf(&b, "%s  %s\n", definition.Name, plain(definition.LocalPath))
	onEmpty := definition.OnEmpty
	if onEmpty == "" {
		onEmpty = "halt"
	}
	b.field(2, "on empty", onEmpty)
	b.field(2, "left out", leftOut(definition))
	state := monitor.State
	if monitor.PID > 0 {
		state += fmt.Sprintf(", pid %d", monitor.PID)
	}
	state += ", " + count(monitor.Restarts, "restart")
	if monitor.LastExit != "" {
		state += ", the last end: " + monitor.LastExit
	}
	b.field(2, "monitor", state)
	b.crashes(monitor, p.now())
	if watch.Backend != "" {
		b.field(2, "watch", fmt.Sprintf("%s, %s watched, %d polled, events lost %s", watch.Backend, directories(watch.Directories), watch.Polled, times(watch.Overflows)))
	}
	if watch.Silent > 0 {
		b.field(2, "polled", fmt.Sprintf("%s on %s, every %s: changes made elsewhere are no events there", directories(watch.Silent), plain(watch.SilentTypes), watch.PollInterval))
	}
	b.ignoreProblems(watch)
	if n := watch.LinkedOutside; n > 0 {
		verb := "have"
		if n == 1 {
			verb = "has"
		}
		b.field(2, "hard links", fmt.Sprintf("%s %s names outside as well; what is written by such a name is found by full passes only", count(n, "file"), verb))
	}
	for _, remote := range workspace.Remotes {
		b.remoteHeading(workspace, remote)
		p.remote(&b, remote)
		b.unsupported(remote)
		if options, err := optionsOf(definition, remote.Name); err == nil && optionsText(options) != "" {
			b.field(4, "options", optionsText(options))
		}
		for i, line := range remote.Strategy {
			label := ""
			if i == 0 {
				label = "strategy"
			}
			b.field(4, label, line)
		}
	}
	p.print(b.String())
}

// transferText describes a transfer, with the file that is on its way, which is what a
// person wants to know when it takes long.
func transferText(transfer *report.Transfer, now time.Time) string {
	text := fmt.Sprintf("%s for %s", transfer.Kind, age(transfer.Since, now))
	if parts := transferParts(transfer); len(parts) > 0 {
		text += ": " + joinParts(parts)
	}
	return text
}

// sample adds lines for what is part of count things.
func (b *block) sample(indent int, some []string, count int) {
	for _, s := range some {
		b.field(indent, "", s)
	}
	if more := count - len(some); more > 0 && len(some) > 0 {
		b.field(indent, "", fmt.Sprintf("and %d more", more))
	}
}

// ignoreProblems says which rules cannot be read.
func (b *block) ignoreProblems(watch report.Watch) {
	if watch.IgnoreProblemCount == 0 {
		return
	}
	b.field(2, "ignore rules", count(watch.IgnoreProblemCount, "problem")+"; what cannot be read ignores nothing")
	b.sample(2, watch.IgnoreProblems, watch.IgnoreProblemCount)
}

// leftOut says what may be left out of a workspace, the weakest rules first.
func leftOut(w config.Workspace) string {
	var parts []string
	if !w.NoDefaultIgnores {
		parts = append(parts, "built-in rules")
	}
	if w.SkipGit {
		parts = append(parts, ".git")
	}
	for _, tag := range w.IgnoreTagged {
		parts = append(parts, "directories with "+tag)
	}
	parts = append(parts, w.Ignore...)
	files := ".wsyncignore files"
	if w.GitIgnore {
		files = ".gitignore and " + files
	}
	return strings.Join(append(parts, files), ", ")
}

// unsupported lists what a destination cannot hold, and what is left out there.
func (b *block) unsupported(remote report.RemoteStatus) {
	list := func(label string, count int, first []report.Unsupported) {
		for _, u := range first {
			b.field(4, label, u.Path+": "+u.Problem)
			label = ""
		}
		if more := count - len(first); more > 0 && label == "" {
			b.field(4, "", fmt.Sprintf("and %d more", more))
		}
	}
	list("cannot hold", remote.Unsupported, remote.UnsupportedPaths)
	list("left out", remote.LeftOut, remote.LeftOutPaths)
}

// longSilence is how long a monitor that has very much to read may take to answer.
const longSilence = 10 * time.Second

// monitorText says what is wrong with a monitor, or "".
func monitorText(name string, monitor api.MonitorStatus, now time.Time) string {
	exit := ""
	if monitor.LastExit != "" {
		exit = ": " + monitor.LastExit
	}
	switch monitor.State {
	case "failed":
		return fmt.Sprintf("failed after %s%s; try again: wsync restart %s", count(monitor.Restarts, "restart"), exit, name)
	case "backing off":
		next := "now"
		if monitor.NextStart != nil && monitor.NextStart.After(now) {
			next = "in " + duration(monitor.NextStart.Sub(now)+time.Second-time.Nanosecond)
		}
		return fmt.Sprintf("died%s; starting again %s", exit, next)
	}
	if silent := monitor.SilentSince; silent != nil {
		text := "does not answer, for " + age(*silent, now)
		if now.Sub(*silent) >= longSilence {
			text += "; if that stays so: wsync restart " + name
		}
		return text
	}
	return ""
}

// crashes says that a monitor that works now, or again, has died lately.
func (b *block) crashes(monitor api.MonitorStatus, now time.Time) {
	c := monitor.Crashes
	if c == nil || monitor.State == "failed" {
		return
	}
	text := fmt.Sprintf("the monitor crashed %s, last %s", times(c.Count), ago(&c.Last, now))
	if monitor.State != "backing off" || c.LastExit != monitor.LastExit { // else it is said above
		text += ": " + c.LastExit
	}
	b.field(2, "crashes", text)
}

// watchText says what limits the watching of a workspace, or "".
func watchText(workspace api.WorkspaceStatus) string {
	watch := workspace.Watch
	var parts []string
	switch {
	case workspace.Monitor.State != "running" || watch.Backend == "":
		return "" // there is no watcher, and the monitor's line says why
	case !watch.Armed && workspace.Halted != nil:
		// There is nothing to watch perhaps, and the next line says why.
	case !watch.Armed:
		parts = append(parts, "starting, "+directories(watch.Directories)+" so far")
	case watch.Polled > 0:
		parts = append(parts, fmt.Sprintf("%s of %d polled", directories(watch.Polled), watch.Directories+watch.Polled))
	}
	if !watch.Lossless {
		parts = append(parts, watch.Backend+" may miss events, full passes follow each burst")
	}
	if watch.Problem != "" {
		parts = append(parts, watch.Problem)
	}
	return strings.Join(parts, "; ")
}

// ago says when something last happened.
func ago(t *time.Time, now time.Time) string {
	if t == nil {
		return "never"
	}
	return age(*t, now) + " ago"
}

func directories(n int) string {
	if n == 1 {
		return "1 directory"
	}
	return fmt.Sprintf("%d directories", n)
}

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// problemText is why a remote is not in sync, with the path if it is about one;
// "" for none.
func problemText(remote report.RemoteStatus) string {
	if remote.ErrorPath == "" {
		return short(plain(remote.Error))
	}
	return short(plain(remote.ErrorPath + ": " + remote.Error))
}
