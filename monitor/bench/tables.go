//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// The tables, which scenarios name.
const (
	changesTable    = "One small change"
	bulkTable       = "Many files, and a large one"
	operationsTable = "One operation at a time, in a tree of 440 files"
	fanoutTable     = "One small change, until it is on the last of the remotes"
)

func (r *report) printTables(w io.Writer) {
	r.summarise()
	fmt.Fprintf(w, "%s, %s. %s. Load average: %s.\n", r.Date, r.Machine, strings.Join(r.Versions, ", "), strings.Join(r.Load, ", at the end "))
	for _, statistic := range []struct {
		name  string
		value func(*cell) string
	}{
		{"median, and its ratio to that of wsync", func(c *cell) string {
			if c.Tool == "wsync" || c.Ratio == 0 {
				return duration(c.P50)
			}
			return fmt.Sprintf("%s (%s)", duration(c.P50), ratio(c.Ratio))
		}},
		{"95th percentile", func(c *cell) string { return duration(c.P95) }},
	} {
		for _, table := range []string{changesTable, bulkTable, operationsTable, fanoutTable} {
			r.printTable(w, table, statistic.name, statistic.value)
		}
	}
	r.printRemarks(w)
}

// printTable prints a row for each tool that has anything in it.
func (r *report) printTable(w io.Writer, table, statistic string, value func(*cell) string) {
	var columns []*column
	heading, rule, counts := "| |", "|---|", []string(nil)
	for _, col := range r.Columns {
		if col.Table == table {
			columns = append(columns, col)
			heading += " " + col.Step + " |"
			rule += "---|"
			counts = append(counts, fmt.Sprint(len(col.Cells[0].times)))
		}
	}
	if len(columns) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: %s (of %s)\n\n%s\n%s\n", table, statistic, strings.Join(counts, ", "), heading, rule)
	for _, tool := range r.tools {
		row, any := "| "+tool+" |", false
		for _, col := range columns {
			c := col.find(tool)
			if c == nil {
				row += " " + r.why(col, tool) + " |"
				continue
			}
			any = true
			row += " " + value(c) + " |"
		}
		if any {
			fmt.Fprintln(w, row)
		}
	}
	if table == bulkTable {
		row := "| making the change, median |"
		for _, col := range columns {
			row += " " + duration(col.Made) + " |"
		}
		fmt.Fprintln(w, row)
	}
}

// why says why a cell is empty.
func (r *report) why(col *column, tool string) string {
	for _, n := range r.Notes {
		if n.Scenario == col.Scenario && n.Tool == tool {
			return n.What
		}
	}
	return ""
}

// printRemarks prints what is not in the tables, and what follows from them.
func (r *report) printRemarks(w io.Writer) {
	fmt.Fprintln(w)
	for _, tool := range r.tools {
		if ratio, ok := r.against("copy in 11,500 files", tool, "rsync by hand"); ok && tool != "rsync by hand" {
			fmt.Fprintf(w, "- Copying in: %s takes %.2f times as long as `cp -r` and then `rsync -a` by hand.\n", tool, ratio)
		}
		one, many := r.p50("1 remote", tool), r.p50("16 remotes", tool)
		if one > 0 && many > 0 {
			fmt.Fprintf(w, "- Fan-out: the last of 16 remotes of %s has a change after %.1f times the time of one.\n", tool, many/one)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "- %s, %s: %s: %s.\n", n.Scenario, n.Tool, n.What, n.Detail)
	}
	for _, remark := range r.Remarks {
		fmt.Fprintf(w, "- %s.\n", strings.ToUpper(remark[:1])+remark[1:])
	}
}

// against is the ratio of two tools at a step.
func (r *report) against(step, tool, other string) (ratio float64, ok bool) {
	a, b := r.p50(step, tool), r.p50(step, other)
	return a / b, a > 0 && b > 0
}

// p50 is the median of a tool at a step, in milliseconds; 0 if there is none.
func (r *report) p50(step, tool string) float64 {
	for _, col := range r.Columns {
		if c := col.find(tool); col.Step == step && c != nil {
			return c.P50
		}
	}
	return 0
}

// duration prints milliseconds with three digits.
func duration(ms float64) string {
	switch {
	case ms < 9.995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 99.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2f s", ms/1000)
}

func ratio(r float64) string {
	if r < 9.95 {
		return fmt.Sprintf("%.1fx", r)
	}
	return fmt.Sprintf("%.0fx", r)
}
