package report

import (
	"slices"
	"time"
)

// Totals count what a monitor has done for a remote since it began to serve it.
type Totals struct {
	// Changes, FullPasses and Confirmations are the transfers that succeeded, by their kinds,
	// and Failures those that did not.
	Changes       int      `json:"changes,omitempty"`
	FullPasses    int      `json:"full_passes,omitempty"`
	Confirmations int      `json:"confirmations,omitempty"`
	Failures      Failures `json:"failures"`
	// FailedPaths counts the paths that began to fail while others were sent.
	FailedPaths int `json:"failed_paths,omitempty"`
	// Files and Bytes were sent, and so many entries Deleted and Renamed there.
	Files   int   `json:"files,omitempty"`
	Bytes   int64 `json:"bytes,omitempty"`
	Deleted int   `json:"deleted,omitempty"`
	Renamed int   `json:"renamed,omitempty"`
	// Latency is how long changes took from the event to the acknowledgement.
	Latency Latency `json:"latency"`
}

// Failures count transfers that failed as a whole.
type Failures struct {
	Offline   int `json:"offline,omitempty"`   // the remote was not reached
	Attention int `json:"attention,omitempty"` // somebody must do something first
	Conflict  int `json:"conflict,omitempty"`  // another mirror has the destination
	Other     int `json:"other,omitempty"`     // it may be over at the next time
}

// LatencyBounds are the upper bounds of the buckets of a Latency, but for the last one,
// which has none.
func LatencyBounds() []time.Duration { return latencyBounds[:] }

var latencyBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second,
	10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, time.Hour,
}

// Latency is a histogram of durations.
type Latency struct {
	// Counts are the numbers of durations in the buckets of LatencyBounds, each without those of
	// the buckets before, or nil without any; Sum is the sum of all durations, in nanoseconds.
	Counts []int         `json:"counts,omitempty"`
	Sum    time.Duration `json:"sum,omitempty"`
}

// Observe takes in a duration.
func (l *Latency) Observe(d time.Duration) {
	if l.Counts == nil {
		l.Counts = make([]int, len(latencyBounds)+1)
	}
	d = max(d, 0) // a clock was set
	i, _ := slices.BinarySearch(latencyBounds[:], d)
	l.Counts[i]++
	l.Sum += d
}
