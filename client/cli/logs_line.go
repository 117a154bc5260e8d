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
	level  string
}

// parseLogLine reads a line. What is not JSON is as severe as can be: a program says so
// when it dies.
func parseLogLine(text []byte, source string, before time.Time) logLine {
	l := logLine{text: text, at: before, source: source, level: logLevels[len(logLevels)-1]}
	level, at, ok := logHead(text)
	if !ok {
		return l
	}
	l.level = level
	if !at.IsZero() {
		l.at = at
	}
	return l
}

// logHead returns the level and the time of a line that is JSON. As a rule it begins with them, and
// nothing else has to be read: there may be very many lines.
func logHead(text []byte) (level string, at time.Time, ok bool) {
	if rest, found := bytes.CutPrefix(text, []byte(`{"level":"`)); found {
		if word, rest, found := bytes.Cut(rest, []byte(`","ts":"`)); found {
			moment, _, _ := bytes.Cut(rest, []byte(`"`))
			if at, err := time.Parse(time.RFC3339Nano, string(moment)); err == nil {
				return string(word), at, true
			}
		}
	}
	var head struct {
		Time  time.Time `json:"ts"`
		Level string    `json:"level"`
	}
	if !bytes.HasPrefix(text, []byte("{")) || json.Unmarshal(text, &head) != nil {
		return "", time.Time{}, false
	}
	return head.Level, head.Time, true
}

// isAbout reports whether a line has a workspace's name as that of the workspace.
func (l logLine) isAbout(workspace string) bool {
	return bytes.Contains(l.text, []byte(`"workspace":"`+workspace+`"`)) // a quote in a value is escaped
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
	level := slices.Index(logLevels, l.level)
	switch {
	case about != "" && !l.isAbout(about):
		return false
	case level >= 0 && level < f.level:
		return false
	}
	return f.pattern == nil || f.pattern.MatchString(l.readable(time.Local))
}
