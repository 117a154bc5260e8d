package screen

import (
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// visible shows what could steer a terminal as a dot. It is for what people type, and for
// errors; all else is made fit for a terminal by whoever words it.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, s)
}

// dots stands for what is left out.
func (o Options) dots() string {
	if o.Unicode {
		return "…"
	}
	return "~"
}

// cut leaves out the end of a line that has no room.
func (o Options) cut(s string, width int) string {
	return ansi.Truncate(s, max(width, 0), o.dots())
}

// cutMiddle leaves out the middle.
func (o Options) cutMiddle(s string, width int) string {
	total := ansi.StringWidth(s)
	if total <= width || width < 3 {
		return o.cut(s, width)
	}
	head := width / 2
	return ansi.Truncate(s, head, "") + ansi.TruncateLeft(s, total-(width-head-1), o.dots())
}

// pad fills up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// bars are how long a change took: up to each of the bounds, and longer.
var (
	bars       = []rune("▁▂▃▄▅▆▇█")
	plainBars  = []rune("_.-=+*#@")
	barBounds  = []time.Duration{2, 10, 50, 200, 1000, 5000, 30_000} // in ms
	barsLegend = []string{"2 ms", "10 ms", "50 ms", "0.2 s", "1 s", "5 s", "30 s", "more"}
)

func (o Options) bars() []rune {
	if o.Unicode {
		return bars
	}
	return plainBars
}

// graph is a bar for each of the last latencies, in so many columns at most. All have one
// scale, so that they can be compared.
func (o Options) graph(latencies []time.Duration, width int) string {
	var b strings.Builder
	for _, d := range latencies[max(len(latencies)-width, 0):] {
		i := 0
		for i < len(barBounds) && d > barBounds[i]*time.Millisecond {
			i++
		}
		b.WriteRune(o.bars()[i])
	}
	return b.String()
}

// legend says what the bars mean.
func (o Options) legend() (line string) {
	for i, bar := range o.bars() {
		line += string(bar) + " " + barsLegend[i] + "  "
	}
	return strings.TrimRight(line, " ")
}
