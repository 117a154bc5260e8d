package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// journalPriorities are syslog's priorities, as systemd's journal takes them in front of a
// line, for zap's levels.
var journalPriorities = map[string]int{"debug": 7, "info": 6, "warn": 4, "error": 3, "dpanic": 2, "panic": 2, "fatal": 2}

// defaultPriority is that of a line without a known level.
const defaultPriority = 6

// isJournal tells whether what is written to w goes to systemd's journal. stream is
// $JOURNAL_STREAM, DEVICE:INODE of what systemd has connected with it: a child may have
// inherited the variable, and been given another output.
func isJournal(w io.Writer, stream string) bool {
	file, ok := w.(*os.File)
	if !ok || stream == "" {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// journalConsole is a console for systemd's journal, which has the time and the level of a
// line beside it.
type journalConsole struct{ w io.Writer }

func (c journalConsole) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		priority, text := defaultPriority, plain(string(line))
		if e, ok := readLogEntry(line, time.Local, ""); ok {
			text = e.text
			if known, ok := journalPriorities[e.level]; ok {
				priority = known
			}
		}
		if _, err := (prioritized{c.w, priority}).Write([]byte(text + "\n")); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// prioritized puts a priority in front of each line. It is written whole lines.
type prioritized struct {
	w        io.Writer
	priority int
}

func (p prioritized) Write(text []byte) (int, error) {
	var b strings.Builder
	for line := range bytes.Lines(text) {
		fmt.Fprintf(&b, "<%d>%s", p.priority, line)
	}
	if _, err := io.WriteString(p.w, b.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}
