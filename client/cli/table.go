package cli

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// A table has a heading, and rows of cells of one line each. It takes no more room than
// there is, as long as the columns that may be cut, or left out, allow for it.
type table struct {
	columns []column
	rows    [][]string
}

// column is a column of a table.
type column struct {
	heading string
	// least is the room that it needs at least, 0 if it is never cut.
	least int
	// spare is its turn to be left out where cutting is not enough, 0 for never.
	spare int
	// paint colours a cell of a row, nil for none.
	paint func(row int, cell string) string
}

// gap is the room between two columns.
const gap = 2

// add adds a row, with an element for each column.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// text is the table in lines of at most room columns of a terminal, 0 for any.
func (t *table) text(room int) string {
	widths := t.widths(room)
	var b strings.Builder
	line := func(row int, cell func(i int) string) {
		blank := 0
		for i, c := range t.columns {
			if widths[i] < 0 {
				continue
			}
			text := cutMiddle(cell(i), widths[i])
			if text != "" {
				b.WriteString(strings.Repeat(" ", blank))
				blank = 0
			}
			blank += widths[i] - widthOf(text) + gap
			if row >= 0 && c.paint != nil {
				text = c.paint(row, text)
			}
			b.WriteString(text)
		}
		b.WriteByte('\n')
	}
	line(-1, func(i int) string { return t.columns[i].heading })
	for row, cells := range t.rows {
		line(row, func(i int) string { return cells[i] })
	}
	return b.String()
}

// widths are those of the columns, -1 for one that is left out.
func (t *table) widths(room int) []int {
	for out := 0; ; out++ {
		widths, fits := t.cut(room, out)
		if fits || !slices.ContainsFunc(t.columns, func(c column) bool { return c.spare > out }) {
			return widths
		}
	}
}

// cut is widths with those left out whose turn comes up to out, and whether that fits. The
// widest that may be cut are cut first.
func (t *table) cut(room, out int) (widths []int, fits bool) {
	widths = make([]int, len(t.columns))
	total := -gap
	for i, c := range t.columns {
		if c.spare > 0 && c.spare <= out {
			widths[i] = -1
			continue
		}
		widths[i] = widthOf(c.heading)
		for _, cells := range t.rows {
			widths[i] = max(widths[i], widthOf(cells[i]))
		}
		total += widths[i] + gap
	}
	for ; room > 0 && total > room; total-- {
		widest := -1
		for i, c := range t.columns {
			if c.least > 0 && widths[i] > c.least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return widths, false
		}
		widths[widest]--
	}
	return widths, true
}

// cutMiddle leaves out the middle of s if it takes more than limit columns of a terminal.
func cutMiddle(s string, limit int) string {
	if len(s) <= limit || widthOf(s) <= limit {
		return s
	}
	half := (limit - 1) / 2
	runes := []rune(s)
	head, used := 0, 0
	for ; head < len(runes) && used+runeWidth(runes[head]) <= half; head++ {
		used += runeWidth(runes[head])
	}
	tail, used := len(runes), 0
	for ; tail > head && used+runeWidth(runes[tail-1]) <= half; tail-- {
		used += runeWidth(runes[tail-1])
	}
	for tail < len(runes) && runeWidth(runes[tail]) == 0 { // of a letter that is left out
		tail++
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// widthOf is how many columns of a terminal s takes, which passed through plain.
func widthOf(s string) (n int) {
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is how many columns of a terminal r takes.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
