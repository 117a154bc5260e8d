package watchdog

import (
	"bytes"
	"strings"
	"unicode"
)

const (
	// maxLine is how much of a line is looked at, maxWords how much of it is kept, in bytes and
	// in characters.
	maxLine  = 4096
	maxWords = 300
)

// lastWords is an io.Writer for what a process says on its standard error. It keeps the line
// that says why it died: the last one, or that with which the Go runtime begins to tell of a
// crash, before many lines about goroutines.
type lastWords struct {
	name    string // the process's own, with which its messages begin
	line    []byte // that has not ended, maxLine bytes of it at most
	words   string
	crashed bool // words are the beginning of a crash
}

// crashes are how the Go runtime begins to tell of one.
var crashes = []string{"panic: ", "fatal error: ", "runtime: ", "SIG"}

func (w *lastWords) Write(p []byte) (int, error) {
	rest, ended := p, true
	for ended {
		var line []byte
		line, rest, ended = bytes.Cut(rest, []byte("\n"))
		w.line = append(w.line, line[:min(len(line), maxLine-len(w.line))]...)
		if ended {
			w.take()
		}
	}
	return len(p), nil
}

// take takes in that a line has ended.
func (w *lastWords) take() {
	line := strings.TrimPrefix(harmless(w.line), w.name+": ")
	w.line = w.line[:0]
	switch {
	case w.crashed, line == "", strings.HasPrefix(line, "hint: "): // which is what to do, and not why
		return
	}
	for _, crash := range crashes {
		w.crashed = w.crashed || strings.HasPrefix(line, crash)
	}
	w.words = line
}

// text is what it has said, in one line, "" for nothing. Nothing may be written any more.
func (w *lastWords) text() string {
	w.take()
	words := []rune(w.words)
	if len(words) <= maxWords {
		return w.words
	}
	const gap = " ... "
	half := (maxWords - len(gap)) / 2
	return string(words[:half]) + gap + string(words[len(words)-half:])
}

// harmless is a line without what is not printed, such as what a terminal obeys.
func harmless(line []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, string(line)))
}
