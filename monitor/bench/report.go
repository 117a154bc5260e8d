//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// report is what was measured.
type report struct {
	began time.Time
	tools []string

	Date     string   `json:"date"`
	Machine  string   `json:"machine"`
	Versions []string `json:"versions"`
	// Load is the load average at the beginning and at the end: how quiet the
	// machine was, beside this program.
	Load    []string  `json:"load"`
	Columns []*column `json:"columns"`
	// Remarks are about the run, Notes about what a tool could not do.
	Remarks []string `json:"remarks,omitempty"`
	Notes   []note   `json:"notes,omitempty"`
}

// column is one step of one scenario.
type column struct {
	Scenario string  `json:"scenario"`
	Step     string  `json:"step"`
	Table    string  `json:"table"`
	Cells    []*cell `json:"cells"`
	// Made is how long it takes to make the change: the median of all tools.
	Made float64 `json:"made_p50_ms"`

	made []time.Duration
}

// cell is one tool at one step.
type cell struct {
	Tool    string    `json:"tool"`
	P50     float64   `json:"p50_ms"`
	P95     float64   `json:"p95_ms"`
	Ratio   float64   `json:"ratio_to_wsync,omitempty"` // of p50
	Samples []float64 `json:"samples_ms"`

	times []time.Duration
}

// note says what a tool could not do.
type note struct {
	Scenario string `json:"scenario"`
	Tool     string `json:"tool"`
	What     string `json:"what"`
	Detail   string `json:"detail"`

	lie bool
}

func newReport(s *stage, tools []tool, missing []string) *report {
	r := &report{began: time.Now(), Date: time.Now().Format(time.DateOnly), Remarks: missing}
	var u unix.Utsname
	s.check(unix.Uname(&u))
	r.Machine = fmt.Sprintf("Linux %s, %d processors, %s", unix.ByteSliceToString(u.Release[:]), runtime.NumCPU(), fileSystem(os.TempDir()))
	for _, t := range tools {
		r.tools = append(r.tools, t.name())
		r.Versions = append(r.Versions, t.name()+": "+t.version(s))
	}
	r.Versions = append(r.Versions, firstLine(s.output(environment(), "ssh", "-V")))
	r.load()
	return r
}

func (r *report) load() {
	if content, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Load = append(r.Load, strings.Join(strings.Fields(string(content))[:3], " "))
	}
}

func (r *report) elapsed() time.Duration { return time.Since(r.began).Round(time.Second) }

func (r *report) finish() {
	r.load()
	r.remark(fmt.Sprintf("it took %v", r.elapsed()))
}

func (r *report) remark(text string) { r.Remarks = append(r.Remarks, text) }

// drop ends a contestant and keeps why. That wsync loses a change, or calls
// equal what is not, is for nobody to overlook.
func (r *report) drop(sc *scenario, c *contestant, what, detail string) {
	_, own := c.tool.(*wsync)
	detail = strings.TrimRight(detail, ".\n ")
	r.Notes = append(r.Notes, note{Scenario: sc.name, Tool: c.tool.name(), What: what, Detail: detail, lie: own})
	say("%s: %s: %s: %s", sc.name, c.tool.name(), what, detail)
	if m, ok := c.mirror.(interface{ log() string }); ok {
		say("%s", m.log())
	}
	c.out = detail
	c.stage.clear()
}

// lies is an error if wsync failed at anything.
func (r *report) lies() error {
	var errs []error
	for _, n := range r.Notes {
		if n.lie {
			errs = append(errs, fmt.Errorf("%s: %s: %s: %s", n.Scenario, n.Tool, n.What, n.Detail))
		}
	}
	return errors.Join(errs...)
}

// sample keeps a measurement.
func (r *report) sample(sc *scenario, st step, c *contestant, m measurement) {
	col := r.column(sc, st)
	col.made = append(col.made, m.made)
	cell := col.cell(c.tool.name())
	cell.times = append(cell.times, m.visible)
	cell.Samples = append(cell.Samples, milliseconds(m.visible))
}

func (r *report) column(sc *scenario, st step) *column {
	for _, col := range r.Columns {
		if col.Scenario == sc.name && col.Step == st.title {
			return col
		}
	}
	col := &column{Scenario: sc.name, Step: st.title, Table: sc.table}
	r.Columns = append(r.Columns, col)
	return col
}

// cell finds or makes the cell of a tool.
func (col *column) cell(tool string) *cell {
	if c := col.find(tool); c != nil {
		return c
	}
	c := &cell{Tool: tool}
	col.Cells = append(col.Cells, c)
	return c
}

func (col *column) find(tool string) *cell {
	for _, c := range col.Cells {
		if c.Tool == tool {
			return c
		}
	}
	return nil
}

// summarise fills in what follows from the samples.
func (r *report) summarise() {
	for _, col := range r.Columns {
		for _, c := range col.Cells {
			c.P50, c.P95 = milliseconds(percentile(c.times, 50)), milliseconds(percentile(c.times, 95))
		}
		col.Made = milliseconds(percentile(col.made, 50))
		if own := col.find("wsync"); own != nil {
			for _, c := range col.Cells {
				c.Ratio = c.P50 / own.P50
			}
		}
	}
}

func (r *report) printJSON(w io.Writer) error {
	r.summarise()
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "\t")
	return encoder.Encode(r)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
