package cli

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"time"
)

// logLine is a line of a log.
type logLine struct {
	text []byte // without the line break
	// at is when it was logged; what has no time of its own, such as the traces of a panic,
	// has that of the line before.
	at time.Time
	// source is what it is of: "daemon", or the name of a workspace.
	source string
	logHead
}

// logHead is what is known of a line that is JSON.
type logHead struct {
	Time      time.Time `json:"ts"`
	Level     string    `json:"level"`
	Workspace string    `json:"workspace"`
}

// parseLogLine reads a line. What is not JSON is as severe as can be: a program says so
// when it dies.
func parseLogLine(text []byte, source string, before time.Time) logLine {
	l := logLine{text: text, at: before, source: source}
	if bytes.HasPrefix(text, []byte("{")) && json.Unmarshal(text, &l.logHead) == nil {
		if !l.Time.IsZero() {
			l.at = l.Time
		}
	} else {
		l.logHead = logHead{Level: logLevels[len(logLevels)-1]}
	}
	return l
}

// readable is the line for people.
func (l logLine) readable(location *time.Location) string { return logText(l.text, location, l.source) }

// logFilter says which lines are wanted.
type logFilter struct {
	since   time.Time // zero for whenever
	level   int       // of logLevels, at least
	pattern *regexp.Regexp
	// last is how many there are at most at the beginning, -1 for any number.
	last int
}

// wants reports whether a line is wanted but for its time. The one that has another level
// than those that are known, such as a panic, is very severe.
func (f logFilter) wants(l logLine, about string) bool {
	level := slices.Index(logLevels, l.Level)
	switch {
	case about != "" && l.Workspace != about:
		return false
	case level >= 0 && level < f.level:
		return false
	}
	return f.pattern == nil || f.pattern.MatchString(l.readable(time.Local))
}
