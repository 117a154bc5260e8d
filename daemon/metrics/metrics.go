// Package metrics writes what the daemon knows in the text format of Prometheus. It is
// values in, text out.
//
// A library that counts in this process is of no use for it: what is counted is counted by
// the monitors, and workspaces and remotes come and go.
package metrics

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// ContentType is that of what Write writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Snapshot is what there is to tell.
type Snapshot struct {
	Now        time.Time
	Daemon     api.DaemonStatus
	Workspaces []api.WorkspaceStatus
	// Processes are those of the daemon and the monitors, by their IDs, as far as they are
	// known.
	Processes map[int]Process
	// WatchLimit is how many directories the system lets a user watch, and MaxWatches how
	// many a workspace may; 0 for not known, or no limit.
	WatchLimit, MaxWatches int
}

// Process is what a process has used.
type Process struct {
	CPU, Children time.Duration // by itself, and by its children that have ended
	Resident      int64         // bytes of memory
}

// Kind is the type of a metric.
type Kind string

// The kinds.
const (
	Gauge     Kind = "gauge"
	Counter   Kind = "counter"
	Histogram Kind = "histogram"
)

// Family is a metric, with the samples of all that have it.
type Family struct {
	Name, Help string
	Kind       Kind
	samples    func(s Snapshot, e *emitter)
}

// Write writes all metrics.
func Write(w io.Writer, s Snapshot) error {
	e := &emitter{w: bufio.NewWriter(w)}
	for _, f := range families {
		e.family, e.begun = f, false
		f.samples(s, e)
	}
	return e.w.Flush()
}

// emitter writes the samples of one family after the other. Its errors stay until the end.
type emitter struct {
	w      *bufio.Writer
	family Family
	begun  bool // the family has a sample
}

// label is a name and a value.
type label struct{ name, value string }

// add writes a sample.
func (e *emitter) add(value float64, labels ...label) { e.sample("", value, labels) }

// sample writes a sample whose name has a suffix.
func (e *emitter) sample(suffix string, value float64, labels []label) {
	if !e.begun {
		e.begun = true
		e.w.WriteString("# HELP " + e.family.Name + " " + e.family.Help + "\n# TYPE " + e.family.Name + " " + string(e.family.Kind) + "\n")
	}
	e.w.WriteString(e.family.Name + suffix)
	for i, l := range labels {
		if i == 0 {
			e.w.WriteByte('{')
		} else {
			e.w.WriteByte(',')
		}
		e.w.WriteString(l.name + `="` + escaper.Replace(l.value) + `"`)
	}
	if len(labels) > 0 {
		e.w.WriteByte('}')
	}
	e.w.WriteString(" " + number(value) + "\n")
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// histogram writes a histogram; its buckets have all that is below their bounds.
func (e *emitter) histogram(l report.Latency, labels []label) {
	sum := 0
	for i, bound := range report.LatencyBounds() {
		if i < len(l.Counts) {
			sum += l.Counts[i]
		}
		e.sample("_bucket", float64(sum), append(labels[:len(labels):len(labels)], label{"le", number(bound.Seconds())}))
	}
	if n := len(report.LatencyBounds()); n < len(l.Counts) {
		sum += l.Counts[n]
	}
	e.sample("_bucket", float64(sum), append(labels[:len(labels):len(labels)], label{"le", "+Inf"}))
	e.sample("_sum", l.Sum.Seconds(), labels)
	e.sample("_count", float64(sum), labels)
}

// oneOf writes a sample for each of some values, 1 for the one that is.
func (e *emitter) oneOf(name, is string, values []string, labels ...label) {
	for _, v := range values {
		e.add(boolean(v == is), append(labels[:len(labels):len(labels)], label{name, word(v)})...)
	}
}

// word makes a label of words.
func word(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, ",", ""), " ", "_") }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds is a point in time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
