package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"wsync/client/live"
)

// layout is how many lines of the screen are for what.
type layout struct {
	notes int // what is wrong with the daemon itself
	rows  int // of the list
	pane  int // about the selected row, with its heading
}

// The fewest lines that are worth something.
const (
	leastRows = 3
	leastPane = 3
	mostNotes = 2
)

// layout divides the screen: a line with the summary, one with the headings and the last one
// are always there. The pane has a third of the rest and all that the list does not need.
func (m Model) layout() (l layout) {
	room := m.height - 3
	if m.height >= 16 {
		l.notes = min(len(m.board.Notes), mostNotes)
		room -= l.notes
	}
	l.pane = max(room/3, leastPane)
	if room < leastRows+leastPane {
		l.pane = 0
	}
	l.rows = max(room-l.pane, 1)
	if spare := l.rows - max(len(m.board.Rows), leastRows); spare > 0 && l.pane > 0 {
		l.rows, l.pane = l.rows-spare, l.pane+spare
	}
	return l
}

// View returns the lines of the screen, each as wide as that at most.
func (m Model) View() []string {
	if m.width < 1 || m.height < 1 {
		return nil
	}
	var lines []string
	if m.page != nil {
		lines = m.pageView()
	} else {
		lines = m.listView()
	}
	if len(lines) > m.height {
		lines = append(lines[:m.height-1:m.height-1], lines[len(lines)-1])
	}
	return lines
}

// listView is the screen without a page.
func (m Model) listView() []string {
	l := m.layout()
	lines := []string{m.header()}
	for _, note := range m.board.Notes[:l.notes] {
		lines = append(lines, m.paint(bad, m.options.cut(note, m.width)))
	}
	columns := m.columns()
	lines = append(lines, m.paint(faint, m.options.cut(m.heading(columns), m.width)))
	shown := m.board.Rows[min(m.top, len(m.board.Rows)):]
	for i := range l.rows {
		switch {
		case i < len(shown):
			lines = append(lines, m.rowLine(columns, shown[i]))
		case i == 0:
			lines = append(lines, m.options.cut("  there is no workspace yet: wsync add NAME PATH", m.width))
		default:
			lines = append(lines, "")
		}
	}
	if l.pane > 0 {
		lines = append(lines, m.pane(l.pane)...)
	}
	return append(lines, m.footer("? help  q quit  enter more  "+actionKeys))
}

// header is the first line: how all stand, or since when that is not known.
func (m Model) header() string {
	clock := m.now.Format("15:04:05")
	if m.isStale() {
		return m.paint(bad, m.options.cut(m.staleText(), m.width))
	}
	text := m.board.Summary
	if _, standings, ok := strings.Cut(text, ": "); ok && ansi.StringWidth(text) > m.width {
		text = standings
	}
	if room := m.width - ansi.StringWidth(text); room > len(clock)+1 {
		text += strings.Repeat(" ", room-len(clock)) + clock
	}
	return m.paint(bold, m.options.cut(text, m.width))
}

// staleText says since when nothing is known, and why.
func (m Model) staleText() string {
	since := max(m.now.Sub(m.at), 0).Truncate(time.Second)
	text := fmt.Sprintf("no daemon for %s: below is what was", since)
	if m.gone == nil {
		return fmt.Sprintf("no answer for %s: below is what was", since)
	}
	return text + "; " + visible(m.gone.Error()) + "; wsync daemon start"
}

// column is a column of the list.
type column struct {
	heading string
	width   int
	cell    func(row live.Row) string
}

const gap = "  "

// columns are those that have room: the name and the state always, of the others the most
// important first, as long as there is some left for what is wrong.
func (m Model) columns() []column {
	name := column{"NAME", 4, func(r live.Row) string { return r.Key().String() }}
	state := column{"STATE", 5, m.stateCell}
	problem := column{"ERROR", 0, func(r live.Row) string { return r.Problem }}
	for _, row := range m.board.Rows {
		name.width = max(name.width, ansi.StringWidth(name.cell(row)))
		state.width = max(state.width, ansi.StringWidth(state.cell(row)))
		problem.width = max(problem.width, ansi.StringWidth(row.Problem))
	}
	room := m.width - len("> ") - len(gap)
	state.width = (state.width + 3) / 4 * 4 // what counts seconds is not to move all that is beside it
	name.width = min(name.width, max(m.width/4, 16), 40)
	state.width = min(state.width, 30, max(room-name.width, 1))
	room -= name.width + state.width
	columns := []column{name, state}
	const leastProblem = 10
	wanted := 0
	if problem.width > 0 {
		wanted = min(problem.width, leastProblem) + len(gap)
	}
	for _, c := range []column{
		{"PENDING", 7, func(r live.Row) string { return fmt.Sprintf("%7s", r.Pending) }},
		{"LATENCY", 8, func(r live.Row) string { return fmt.Sprintf("%8s", m.options.graph(r.Latencies, 8)) }},
		{"RATE", 10, func(r live.Row) string { return fmt.Sprintf("%10s", r.Rate) }},
	} {
		if need := len(gap) + c.width; room-need >= wanted {
			columns, room = append(columns, c), room-need
		}
	}
	if problem.width = room - len(gap); problem.width >= 8 && wanted > 0 {
		columns = append(columns, problem)
	}
	return columns
}

// stateCell is what a remote is doing or, when that is not known any more, was doing.
func (m Model) stateCell(r live.Row) string {
	if m.isStale() {
		return "was " + r.State
	}
	return r.State
}

// heading is the line above the list.
func (m Model) heading(columns []column) string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = pad(c.heading, c.width)
		if c.heading == "PENDING" || c.heading == "RATE" {
			cells[i] = fmt.Sprintf("%*s", c.width, c.heading)
		}
	}
	return strings.TrimRight("  "+strings.Join(cells, gap), " ")
}

// rowLine is a line of the list.
func (m Model) rowLine(columns []column, row live.Row) string {
	mark := "  "
	if row.Key() == m.chosen {
		mark = "> "
	}
	line := mark
	blank := "" // before the next cell that is not empty
	for i, c := range columns {
		text := c.cell(row)
		if i == 0 {
			text = m.options.cutMiddle(text, c.width)
		}
		text = m.options.cut(text, c.width)
		fill := strings.Repeat(" ", c.width-ansi.StringWidth(text))
		if trimmed := strings.TrimSpace(text); trimmed != "" {
			if c.heading == "STATE" && !m.isStale() {
				text = m.paint(levelStyle(row.Level), text)
			}
			line += blank + text
			blank = ""
			fill += gap
		} else {
			fill += text + gap
		}
		blank += fill
	}
	line = m.options.cut(line, m.width)
	if mark == "> " {
		return m.paint(bold, line)
	}
	return line
}

// pane is about the selected row: what is wrong, and what has happened last.
func (m Model) pane(height int) []string {
	row, ok := m.selected()
	if !ok {
		return make([]string, height)
	}
	title := "--- " + row.Key().String()
	if row.Destination != "" && row.Destination != "-" {
		title += "  " + row.Destination
	}
	title = m.options.cutMiddle(title, m.width-4) + " "
	title += strings.Repeat("-", max(m.width-ansi.StringWidth(title), 0))
	lines := []string{m.paint(faint, m.options.cut(title, m.width))}
	add := func(style, text string) {
		if text != "" && len(lines) < height {
			lines = append(lines, m.paint(style, m.options.cut(text, m.width)))
		}
	}
	standing := row.State
	if row.Since != "-" {
		standing += " for " + row.Since
	}
	if row.Problem != "" {
		standing += ": " + row.Problem
	}
	if m.isStale() {
		standing = "was " + standing
	}
	wrapped := m.wrap(standing, max(height-3, 1))
	for _, line := range wrapped {
		add("", line)
	}
	if row.Hint != "" {
		add("", "hint: "+row.Hint)
	}
	told := m.events.lines
	for _, line := range told[max(len(told)-(height-len(lines)), 0):] {
		add(faint, line)
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines
}

// wrap breaks a text into lines, most at most; the last one is cut.
func (m Model) wrap(text string, most int) []string {
	lines := strings.Split(ansi.Wrap(text, max(m.width, 1), " "), "\n")
	if len(lines) > most {
		last := strings.Join(lines[most-1:], " ")
		lines = append(lines[:most-1], last)
	}
	for i := range lines {
		lines[i] = m.options.cut(lines[i], m.width) // a letter may be wider than the screen
	}
	return lines
}

// noticeSeconds is how long a notice is shown.
const noticeTime = 10 * time.Second

// footer is the last line: what is asked, typed or to be said, or else the keys.
func (m Model) footer(keys string) string {
	switch {
	case m.question != nil:
		const answers = " y/n"
		return m.paint(reverse, m.options.cut(m.options.cut(m.question.text, m.width-len(answers))+answers, m.width))
	case m.input != nil:
		head := "path in " + m.input.of.Workspace + ": "
		text := visible(string(m.input.text)) + "_"
		if over := ansi.StringWidth(head+text) - m.width; over > 0 {
			text = ansi.TruncateLeft(text, over+1, m.options.dots())
		}
		return m.paint(reverse, m.options.cut(head+text, m.width))
	case m.notice != "" && m.now.Sub(m.noticeAt) < noticeTime:
		return m.paint(reverse, m.options.cut(m.notice, m.width))
	}
	return m.paint(faint, m.options.cut(keys, m.width))
}

// pageRoom is how many lines of a page are on the screen.
func (m Model) pageRoom() int { return max(m.height-3, 1) }

// lastTop is the first line of a page on the screen when its end is there.
func (m Model) lastTop(lines []string) int {
	top := len(lines)
	for room := m.pageRoom(); top > 0; top-- {
		if room -= len(m.wrap(lines[top-1], room)); room < 0 || room == 0 && top > 1 {
			return top - 1
		}
	}
	return 0
}

// pageView is the screen with a page. Lines that are too long go on in the next one.
func (m Model) pageView() []string {
	all, room := m.pageLines(), m.pageRoom()
	top := min(m.page.top, m.lastTop(all))
	var shown []string
	end := top
	for ; end < len(all) && len(shown) < room; end++ {
		shown = append(shown, m.wrap(all[end], room-len(shown))...)
	}
	title := m.pageTitle()
	if top > 0 || end < len(all) {
		title += fmt.Sprintf("  (%d-%d of %d)", top+1, end, len(all))
	}
	lines := append([]string{m.header(), m.paint(bold, m.options.cut(title, m.width))}, shown...)
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	return append(lines, m.footer(m.pageKeys()))
}

// The styles, as of the terminal's own colours.
const (
	bold    = "1"
	faint   = "2"
	reverse = "7"
	bad     = "31"
	good    = "32"
	busy    = "33"
)

func levelStyle(level live.Level) string {
	switch level {
	case live.Good:
		return good
	case live.Bad:
		return bad
	case live.Busy:
		return busy
	}
	return ""
}

// paint shows text in a style. Without colours there is none: what matters is said in words.
func (m Model) paint(style, text string) string {
	if !m.options.Colour || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}
