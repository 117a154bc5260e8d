package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wsync/monitor/report"
)

// differenceText is a difference in one line: its kind, its name, both sides, and what is
// known of it.
func differenceText(d report.Difference) string {
	name := d.Name()
	if name == "" {
		name = "."
	}
	text := fmt.Sprintf("%-7s %s", d.Kind, wholeName(name))
	if sides := sidesText(d); sides != "" {
		text += "  " + sides
	}
	switch d.State {
	case report.StatePending:
		text += "  (on its way)"
	case report.StateHeld:
		text += "  (held)"
	case report.StatePostponed:
		if d.Due != nil {
			text += "  (to be deleted at " + d.Due.Local().Format(time.DateTime) + ")"
		}
	case report.StateFailing:
		text += "  (fails: " + short(plain(d.Problem)) + ")"
	}
	return text
}

// sidesText compares the two sides of a difference.
func sidesText(d report.Difference) string {
	var parts []string
	switch d.Kind {
	case report.DiffMode:
		parts = append(parts, sides(d, func(e report.Entry) string { return e.Mode }))
	case report.DiffTarget:
		parts = append(parts, sides(d, func(e report.Entry) string { return "-> " + wholeName(e.Target) }))
	case report.DiffOwner, report.DiffGroup, report.DiffACL, report.DiffXattrs, report.DiffLink, report.DiffDevice:
	default:
		parts = append(parts, sides(d, func(e report.Entry) string { return fileText(e.Kind, e.Size, e.ModTime) }))
	}
	var more []string
	for _, kind := range d.Differs {
		if kind != d.Kind {
			more = append(more, string(kind))
		}
	}
	if len(more) > 0 {
		parts = append(parts, "also "+strings.Join(more, ", "))
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "; ")
}

// sides says something of the two sides of a difference, as far as they are known.
func sides(d report.Difference, say func(report.Entry) string) string {
	var parts []string
	for _, side := range []struct {
		where string
		entry *report.Entry
	}{{"there", d.There}, {"here", d.Here}} {
		if side.entry != nil {
			parts = append(parts, side.where+" "+say(*side.entry))
		}
	}
	return strings.Join(parts, "; ")
}

// wholeName is a name as it is, but for what could steer a terminal or end the line, and
// for bytes that are no text.
func wholeName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, name[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// kindsInOrder are the kinds of differences as they are counted.
var kindsInOrder = []report.DifferenceKind{
	report.DiffNew, report.DiffDelete, report.DiffKind, report.DiffContent, report.DiffTarget, report.DiffDevice, report.DiffTime,
	report.DiffMode, report.DiffOwner, report.DiffGroup, report.DiffACL, report.DiffXattrs, report.DiffLink, report.DiffUnknown,
}

// summaryText counts the differences.
func summaryText(s report.ComparisonSummary) string {
	compared := ""
	if s.Postponed > 0 {
		compared = fmt.Sprintf("; %s to come", count(s.Postponed, "deletion"))
	}
	if s.Files > 0 {
		compared += fmt.Sprintf("; %s, %s compared by content", count(s.Files, "file"), size(s.Bytes))
	}
	if s.Differences == 0 {
		return "nothing differs" + compared
	}
	var kinds, states []string
	for _, kind := range kindsInOrder {
		if n := s.Kinds[kind]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", n, kind))
		}
	}
	text := fmt.Sprintf("%s: %s", count(s.Differences, "difference"), strings.Join(kinds, ", "))
	for _, state := range []struct {
		n    int
		word string
	}{{s.Pending, "on the way"}, {s.Held, "held"}, {s.Failing, "failing"}} {
		if state.n > 0 {
			states = append(states, fmt.Sprintf("%d %s", state.n, state.word))
		}
	}
	if len(states) > 0 {
		text += "; " + strings.Join(states, ", ")
	}
	return text + "; " + size(s.Send) + " to send" + compared
}
