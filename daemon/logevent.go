package daemon

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"wsync/monitor/report"
)

// eventMessages are those of the events that the daemon logs. What a process of a monitor
// does its supervisor logs.
var eventMessages = map[report.EventKind]string{
	report.EventHeld:      "Held for approval",
	report.EventApproved:  "Approved",
	report.EventAttached:  "Remote attached",
	report.EventDetached:  "Remote detached",
	report.EventElsewhere: "Is at another place",
	report.EventSet:       "Options set",
	report.EventIgnore:    "What is ignored was changed",
	report.EventName:      "Has another name",
	report.EventPaused:    "Paused",
	report.EventResumed:   "Resumed",
	report.EventResync:    "Full pass asked for",
	report.EventRestart:   "Restart asked for",
	report.EventAdded:     "Workspace added",
	report.EventRemoved:   "Workspace removed",
}

// logEvent writes an event to the log, if it is one for people who look for what has
// happened.
func logEvent(log *zap.Logger, e report.Event) {
	level, message := zapcore.InfoLevel, eventMessages[e.Kind]
	switch {
	case e.Kind == report.EventState:
		message = "Remote is " + string(e.State)
		if e.State == report.Syncing {
			message = "Remote is being sent to"
		}
		if !e.State.Well() && e.State != report.Paused || e.Error != "" {
			level = zapcore.WarnLevel
		}
	case e.Kind == report.EventHeld:
		level = zapcore.WarnLevel
	case message == "":
		return
	}
	log.Log(level, message, eventFields(e)...)
}

// eventFields are what is known of an event.
func eventFields(e report.Event) (fields []zap.Field) {
	for _, f := range []struct{ name, value string }{
		{"workspace", e.Workspace}, {"remote", e.Remote}, {"detail", e.Detail},
		{"path", e.ErrorPath}, {"error", e.Error}, {"hint", e.Hint},
	} {
		if f.value != "" {
			fields = append(fields, zap.String(f.name, f.value))
		}
	}
	if e.Count > 0 {
		fields = append(fields, zap.Int("count", e.Count))
	}
	if paths := e.PathList.Names(); len(paths) > 0 {
		fields = append(fields, zap.Strings("paths", paths))
	}
	return fields
}

// tell writes an event that is about no workspace that there is to the journal, and to the log.
func (d *Daemon) tell(e report.Event) {
	d.journal.Write(e)
	logEvent(d.log, e)
}
