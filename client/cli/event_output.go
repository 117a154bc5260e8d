package cli

import (
	"fmt"
	"strings"
	"time"

	"wsync/monitor/report"
)

// momentLayout is how a point in time is printed that may be days ago.
const momentLayout = "2006-01-02 15:04:05"

// event prints an event, in JSON a line.
func (p *printer) event(e report.Event, asJSON bool) error {
	if asJSON {
		p.jsonLine(e)
		return p.unwritten
	}
	head := e.Time.In(time.Local).Format(momentLayout) + "  "
	if about := target(e.Workspace, e.Remote); about != "" {
		head += plain(about) + "  "
	}
	var b strings.Builder
	for _, line := range p.eventLines(e) {
		b.WriteString(head + line + "\n")
	}
	p.print(b.String())
	return p.unwritten
}

// sentNamed is how many of the paths that were sent are in a line.
const sentNamed = 5

// eventLines says what has happened, in one line or, of paths, in one each.
func (p *printer) eventLines(e report.Event) []string {
	switch e.Kind {
	case report.EventSent:
		return []string{sentLine("sent "+count(e.Count, "path"), e)}
	case report.EventFullPass:
		if e.Count == 0 {
			return []string{"compared all, and found nothing to send"}
		}
		return []string{sentLine("compared all, and sent "+count(e.Count, "path"), e)}
	case report.EventRepaired:
		return []string{sentLine("compared all, and repaired "+count(e.Count, "difference")+" of which nothing had told", e)}
	case report.EventDeleted:
		verb := "deleted"
		if e.Unsure {
			verb = "deleted, as far as is known,"
		}
		return pathLines(e.PathList, verb, func(path report.EventPath) string { return wholeName(path.Name()) })
	case report.EventRenamed:
		return pathLines(e.PathList, "renamed", func(path report.EventPath) string { return wholeName(path.Before()) + " to " + wholeName(path.Name()) })
	case report.EventFailing:
		return pathLines(e.PathList, "failing", func(path report.EventPath) string {
			return wholeName(path.Name()) + ": " + short(plain(path.Problem))
		})
	case report.EventDifference:
		return pathLines(e.PathList, "differs", func(path report.EventPath) string {
			return fmt.Sprintf("%-7s %s", path.Kind, wholeName(path.Name()))
		})
	case report.EventState:
		return []string{p.stateText(e)}
	}
	return []string{plain(strings.TrimSpace(plainEvent(e)))}
}

// sentLine is what was sent: what there is to say, how much that was, and some of it.
func sentLine(what string, e report.Event) string {
	if e.Bytes > 0 {
		what += ", " + size(e.Bytes)
	}
	var names []string
	for _, path := range e.Paths[:min(len(e.Paths), sentNamed)] {
		names = append(names, wholeName(path.Name()))
	}
	if len(names) == 0 {
		return what
	}
	what += ": " + strings.Join(names, ", ")
	if more := e.Count - len(names); more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	return what
}

// pathLines is a line for each path, and one for those that are not named.
func pathLines(paths report.PathList, verb string, say func(report.EventPath) string) (lines []string) {
	for _, path := range paths.Paths {
		lines = append(lines, verb+" "+say(path))
	}
	if more := paths.Unnamed(); more > 0 {
		lines = append(lines, fmt.Sprintf("%s %d more, which are not named here", verb, more))
	}
	return lines
}

// stateText says what a remote is doing.
func (p *printer) stateText(e report.Event) string {
	state := string(e.State)
	if e.State == report.Syncing {
		state = "sending"
	}
	text := p.paint(stateColour(e.State), state)
	if e.Error != "" {
		text += ": "
		if e.ErrorPath != "" {
			text += wholeName(e.ErrorPath) + ": "
		}
		text += short(plain(e.Error))
	}
	return text
}

// plainEvent says what has happened that has little to say.
func plainEvent(e report.Event) string {
	switch e.Kind {
	case report.EventHeld:
		if e.Count == 0 {
			return "held: " + e.Error
		}
		return sentLine("held "+count(e.Count, "deletion"), e) + ": " + e.Error
	case report.EventApproved:
		if e.Count == 0 {
			return "approved " + e.Detail
		}
		return sentLine("approved "+count(e.Count, "deletion"), e)
	case report.EventHookFailed:
		return "a command failed: " + short(e.Error)
	case report.EventLost:
		return "changes were missed, and all is compared: " + e.Detail
	case report.EventOmitted:
		return count(e.Count, "event") + " could not be written to the journal"
	case report.EventAttached:
		return "attached to " + e.Detail
	case report.EventDetached:
		return "detached from " + e.Detail
	case report.EventElsewhere:
		return "is at " + e.Detail + " from now on"
	case report.EventSet:
		return "set " + e.Detail
	case report.EventIgnore:
		return "changed what is ignored"
	case report.EventName:
		return "is called " + e.Detail + " from now on"
	case report.EventPaused, report.EventResumed, report.EventResync:
		return string(e.Kind)
	case report.EventRestart:
		return "restart of the monitor"
	case report.EventAdded:
		return "added " + e.Detail
	case report.EventRemoved:
		return "removed " + e.Detail
	case report.EventMonitorStarted:
		return fmt.Sprintf("monitor started (pid %d)", e.PID)
	case report.EventMonitorEnded:
		return "monitor died: " + e.Detail
	case report.EventDaemonStarted:
		return fmt.Sprintf("daemon started (pid %d)", e.PID)
	case report.EventDaemonStopped:
		return "daemon stopped"
	case report.EventVerified:
		if e.Count == 0 {
			return "verified: nothing differs"
		}
		return "verified: " + count(e.Count, "difference")
	}
	return string(e.Kind) + " " + e.Detail // of a daemon that knows more
}
