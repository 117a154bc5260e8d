package transfer

import (
	"fmt"
	"sync"
	"time"

	"wsync/config"
	"wsync/monitor/rsync"
)

// Whether rsync compresses is decided by what was measured of the line: compression takes
// time on a fast one, and saves it on a slow one. What is near is fast until a run says
// otherwise.

const (
	// farRoundTrip is the round trip from which a line is taken to be slow.
	farRoundTrip = 5 * time.Millisecond
	// slowRate is the rate of a run, in bytes a second, up to which a line is slow however
	// near it is, if the run has sent measuredBytes at least, in files of measuredSize on
	// average: many small ones are slow on any line.
	slowRate      = 4 << 20
	measuredBytes = 8 << 20
	measuredSize  = 1 << 20
)

// measures are what is known of a line.
type measures struct {
	// roundTrip is the shortest of all that were measured, 0 for none.
	roundTrip time.Duration
	// rate is that of the slowest run without compression, in bytes a second, 0 for none.
	rate int64
}

// runMeasured is a run of rsync that has sent so much.
type runMeasured struct {
	files      int
	bytes      int64
	took       time.Duration
	compressed bool
}

// roundTripTook takes in a round trip.
func (m *measures) roundTripTook(took time.Duration) {
	if m.roundTrip == 0 || took < m.roundTrip {
		m.roundTrip = took
	}
}

// ran takes in a run, if it tells something of the line.
func (m *measures) ran(r runMeasured) {
	if r.compressed || r.bytes < measuredBytes || r.bytes < int64(r.files)*measuredSize || r.took <= 0 {
		return
	}
	if rate := int64(float64(r.bytes) / r.took.Seconds()); m.rate == 0 || rate < m.rate {
		m.rate = rate
	}
}

// compresses reports whether runs of rsync for r, which can, are to compress; why says it
// in words, "" where there is nothing to say.
func (m measures) compresses(r config.Remote) (yes bool, why string) {
	switch {
	case r.Compress == config.CompressOff || r.Connection.Kind() == config.KindLocal:
		return false, ""
	case r.Compress == config.CompressOn:
		return true, "as it is told to"
	case r.Bandwidth != 0:
		return true, "it has a bandwidth"
	case m.roundTrip >= farRoundTrip:
		return true, fmt.Sprintf("the round trip takes %s", rounded(m.roundTrip))
	case m.rate > 0 && m.rate <= slowRate:
		return true, fmt.Sprintf("a run has sent no more than %.1f MB a second", float64(m.rate)/1e6)
	case m.roundTrip == 0:
		return false, "the round trip is not known"
	}
	return false, fmt.Sprintf("the round trip takes %s", rounded(m.roundTrip))
}

// rounded is a duration as people want it.
func rounded(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

// line is what was measured since the connection was made. Its methods may be called from
// any goroutine.
type line struct {
	mu sync.Mutex
	measures
}

func (l *line) do(change func(m *measures)) measures {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.measures)
	return l.measures
}

// compression decides for the runs of a transfer, of which endpoint is one; the note says
// what it has decided, "" for nothing.
func (l *Lane) compression(endpoint *rsync.Endpoint) (note string) {
	yes, why := l.line.do(func(*measures) {}).compresses(endpoint.Remote)
	endpoint.Compress = yes
	switch on := endpoint.Remote.Compress == config.CompressOn; {
	case why == "":
		return ""
	case !yes:
		return "rsync does not compress: " + why
	case endpoint.Compresses():
		return "rsync compresses, with zstd where both can: " + why
	case on || !endpoint.Strategy.Basic:
		return "rsync does not compress, although it should: " + endpoint.Strategy.CannotCompress()
	}
	return ""
}
