package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// logText makes a line of a log readable:
//
//	2006-01-02 04:05:06.123 info  message key=value key="another value"
//
// with the time in location, and source before the message unless that is "": then
// nothing else says so. What is not JSON, the traces of a panic for one, stays as it is.
func logText(line []byte, location *time.Location, source string) string {
	e, ok := readLogEntry(line, location, source)
	if !ok {
		return plain(untabbed(string(line)))
	}
	head := ""
	if source != "" {
		head = plain(source) + "  "
	}
	return fmt.Sprintf("%s %-5s %s%s", e.at, e.level, head, e.text)
}

// untabbed has spaces for tabs: the stack of a program that died has them.
func untabbed(s string) string { return strings.ReplaceAll(s, "\t", "    ") }

// logEntry is a line of a log, to be read by people.
type logEntry struct{ at, level, text string }

// readLogEntry takes a line of a log apart; ok is false if it is none of zap's. source is
// what is known without the line, "" for nothing.
func readLogEntry(line []byte, location *time.Location, source string) (e logEntry, ok bool) {
	fields, err := orderedFields(line)
	if err != nil {
		return e, false
	}
	var message string
	var rest, below strings.Builder
	for _, f := range fields {
		switch f.key {
		case "ts":
			e.at = logValue(f.value)
			if t, err := time.Parse(time.RFC3339, e.at); err == nil {
				e.at = t.In(location).Format(momentLayout + ".000")
			}
		case "level":
			e.level = plain(logString(f.value))
		case "msg":
			message = plain(logString(f.value))
		case "stacktrace":
			below.WriteString("\n" + plain(untabbed(logString(f.value))))
		case "logger", "workspace":
			if value := logValue(f.value); source == "" || f.key == "workspace" && value != source {
				rest.WriteString(" " + f.key + "=" + value)
			}
		default:
			rest.WriteString(" " + plain(f.key) + "=" + logValue(f.value))
		}
	}
	e.text = message + rest.String() + below.String()
	return e, true
}

// console makes the lines of a log that are written to it readable.
type console struct{ w io.Writer }

func (c console) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if _, err := io.WriteString(c.w, logText(bytes.TrimSuffix(line, []byte("\n")), time.Local, "")+"\n"); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// logField is a field of a JSON object.
type logField struct {
	key   string
	value json.RawMessage
}

// orderedFields returns the fields of a JSON object in their order.
func orderedFields(object []byte) ([]logField, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("not an object: %v", token)
	}
	var fields []logField
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		f := logField{key: key.(string)} // or the decoder had refused it
		if err := decoder.Decode(&f.value); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	_, err := decoder.Token() // the end of the object
	return fields, err
}

// logString is the string in value, or value itself.
func logString(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return string(value)
	}
	return s
}

// logValue is a value, in quotes if it would not be clear where it ends.
func logValue(value json.RawMessage) string {
	s := logString(value)
	if value[0] != '"' {
		return plain(s)
	}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '=' || !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
