package worker

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/remote"
)

// A file beside the stamp remembers which deletions are postponed, and until when: a line
// for each, and one without a name if there are more. What it lacks is postponed anew.

func postponedPath(stamp string) string { return stamp + ".postponed" }

// readPostponed reads the file; what cannot be read of it is left out.
func readPostponed(world World, stamp string) remote.Postponed {
	data, err := world.Read(postponedPath(stamp))
	if err != nil {
		return remote.Postponed{}
	}
	var names []remote.Postponement
	more := false
	for line := range strings.Lines(string(data)) {
		q, err := parsePostponed(strings.TrimSuffix(line, "\n"))
		switch {
		case err != nil:
		case q.Path == "":
			more = true
		default:
			names = append(names, q)
		}
	}
	return remote.NewPostponed(names, more)
}

// formatPostponed is a line of the file, without its end.
func formatPostponed(q remote.Postponement) string {
	kind := "file"
	if q.Dir {
		kind = "dir"
	}
	return strings.Join([]string{q.Due.Format(time.RFC3339Nano), kind, strconv.Quote(q.Path), strconv.Quote(q.MovedTo)}, " ")
}

// parsePostponed reads such a line.
func parsePostponed(line string) (q remote.Postponement, err error) {
	due, rest, _ := strings.Cut(line, " ")
	if q.Due, err = time.Parse(time.RFC3339Nano, due); err != nil {
		return q, err
	}
	kind, rest, _ := strings.Cut(rest, " ")
	q.Dir = kind == "dir"
	path, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return q, err
	}
	moved, found := strings.CutPrefix(rest[len(path):], " ")
	if !found {
		return q, errors.New("half a line")
	}
	if q.Path, err = strconv.Unquote(path); err != nil {
		return q, err
	}
	q.MovedTo, err = strconv.Unquote(moved)
	return q, err
}

// writePostponed replaces the file, or removes it if nothing is postponed.
func writePostponed(world World, stamp string, p remote.Postponed) error {
	path := postponedPath(stamp)
	if p.Len() == 0 && !p.More() {
		return world.Remove(path)
	}
	var text bytes.Buffer
	for q := range p.All() {
		fmt.Fprintln(&text, formatPostponed(q))
	}
	if p.More() {
		fmt.Fprintln(&text, formatPostponed(remote.Postponement{}))
	}
	return world.Write(path, text.Bytes())
}

// rememberPostponed has the next monitor know what is postponed, before anybody is told that
// the remote is in sync; the caller holds mu.
func (w *Worker) rememberPostponed() {
	is := w.machine.Postponed()
	if is.Same(w.postponed) {
		return
	}
	w.postponed = is
	if err := writePostponed(w.World, w.Stamp, is); err != nil {
		w.Log.Warn("Cannot remember what is to be deleted later", zap.Error(err))
	}
}
