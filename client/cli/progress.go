package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"wsync/monitor/report"
)

// How far something is that takes long is told on stderr: on a terminal by one line, which
// is written anew, and elsewhere by a plain line now and then.

// plainInterval is the least time between two plain lines.
const plainInterval = 10 * time.Second

// progressLine is where it is told.
type progressLine struct {
	*printer
	shown bool
	// said is when a plain line was written last or, at first, when it began.
	said time.Time
}

func (p *printer) progressLine() *progressLine { return &progressLine{printer: p, said: p.now()} }

// show says how far something is, of which name is the name.
func (l *progressLine) show(name string, parts []part) {
	switch {
	case l.rewrites:
		_, _ = io.WriteString(l.err, "\r"+fitted(name, parts, terminalWidth(l.err)-1)+"\x1b[K")
		l.shown = true
	case l.now().Sub(l.said) >= plainInterval:
		l.said = l.now()
		l.note("%s: %s", name, joinParts(parts))
	}
}

// clear takes the line away.
func (l *progressLine) clear() {
	if l.shown {
		_, _ = io.WriteString(l.err, "\r\x1b[K")
		l.shown = false
	}
}

// terminalWidth is how many columns a terminal has; 80 if it does not say.
func terminalWidth(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// part is a part of what there is to say. The one with the least worth is left out first
// where there is little room, and that of the worth wordy is cut before.
type part struct {
	worth int
	text  string
}

const (
	wordy = iota // the file that is on its way
	lesser
	middling
	worthy
	essential
)

// joinParts is all of it.
func joinParts(parts []part) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	return strings.Join(texts, ", ")
}

// transferParts says how far a transfer is.
func transferParts(t *report.Transfer) []part {
	if t.Looking {
		return lookingParts(t.Looked, t.Found)
	}
	if t.TotalFiles == 0 && t.Files == 0 {
		return nil // it sends no contents, as far as is known
	}
	parts := amountParts(t.Files, t.TotalFiles, t.Bytes, t.TotalBytes, t.Rate, t.Remaining)
	if t.Path != "" && (t.Files < t.TotalFiles || t.TotalFiles == 0) {
		parts = append(parts, part{wordy, "now " + short(plain(t.Path))})
	}
	return parts
}

// lookingParts says what was found so far by somebody who looks for what is to be sent.
func lookingParts(looked, found int) []part {
	parts := []part{{essential, "looking"}}
	if looked > 0 {
		parts = append(parts, part{worthy, entryCount(looked) + " seen"})
	}
	if found > 0 {
		parts = append(parts, part{middling, count(found, "file") + " to send so far"})
	}
	return parts
}

// comparisonParts says how far a comparison is.
func comparisonParts(c *report.ComparisonStatus) []part {
	if c.TotalFiles == 0 {
		return lookingParts(0, 0)
	}
	if c.Error != "" {
		done := fmt.Sprintf("%d of %s compared", c.Files, count(c.TotalFiles, "file"))
		return []part{{worthy, done}, {essential, "tried again"}, {wordy, c.Error}}
	}
	return append([]part{{worthy, "compared"}}, amountParts(c.Files, c.TotalFiles, c.Bytes, c.TotalBytes, c.Rate, c.Remaining)...)
}

// amountParts says how much is done of what there is to do, how fast, and how long it
// takes. Totals of 0 are not known.
func amountParts(files, totalFiles int, bytes, totalBytes, rate int64, remaining time.Duration) []part {
	parts := []part{{worthy, count(files, "file")}, {essential, size(bytes)}}
	if totalFiles > 0 {
		parts = []part{{worthy, fmt.Sprintf("%d of %s", files, count(totalFiles, "file"))}, {essential, fmt.Sprintf("%s of %s", size(bytes), size(totalBytes))}}
	}
	if rate > 0 {
		parts = append(parts, part{lesser, size(rate) + "/s"})
	}
	if remaining > 0 {
		parts = append(parts, part{middling, duration(remaining) + " left"})
	}
	return parts
}

// shortestWord is how many columns of a name are worth to be shown.
const shortestWord = 10

// fitted is a line of width columns at most: what has no room is left out.
func fitted(name string, parts []part, width int) string {
	name, parts = plain(name), slices.Clone(parts)
	line := func() string {
		if len(parts) == 0 {
			return name
		}
		return name + ": " + joinParts(parts)
	}
	for len(parts) > 0 && columns(line()) > width {
		least := slices.MinFunc(parts, func(a, b part) int { return a.worth - b.worth })
		i := slices.Index(parts, least)
		if room := columns(least.text) - (columns(line()) - width); least.worth == wordy && room >= shortestWord {
			parts[i] = part{wordy, cutColumns(least.text, room)}
			continue
		}
		parts = slices.Delete(parts, i, i+1)
	}
	return cutColumns(line(), width)
}

// columns is how many columns of a terminal a text takes at most.
func columns(s string) (n int) {
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns is 2 for the wide characters of East Asia and all that may be as wide.
func runeColumns(r rune) int {
	if r >= 0x1100 && r != '…' {
		return 2
	}
	return 1
}

// cutColumns leaves out the end of what takes more columns than there are.
func cutColumns(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	var b strings.Builder
	room := width - 1
	for _, r := range s {
		if room -= runeColumns(r); room < 0 {
			break
		}
		b.WriteRune(r)
	}
	if width > 0 {
		b.WriteRune('…')
	}
	return b.String()
}
