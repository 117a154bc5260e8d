package remote

import "time"

// meter says how fast something goes on that is counted in files and bytes: over the last
// seconds, since what was before says nothing of what is to come.
type meter struct {
	points []point // the first is the last one that is older than meterTime, if there is one
}

type point struct {
	at    time.Time
	files int
	bytes int64
}

const (
	// meterTime is how long these seconds are, and meterStep the time between two points.
	meterTime = 10 * time.Second
	meterStep = 500 * time.Millisecond
	// rateTime is how long it has to be measured to be told, remainingTime to say when it
	// will be over.
	rateTime      = time.Second
	remainingTime = 3 * time.Second
	// remainingMost is how long that may be: later nobody knows.
	remainingMost = 100 * 24 * time.Hour
)

// Add takes in what is done at now. What is less than before begins something else.
func (m *meter) Add(files int, bytes int64, now time.Time) {
	if n := len(m.points); n > 0 && (files < m.points[n-1].files || bytes < m.points[n-1].bytes) {
		m.points = nil
	}
	if n := len(m.points); n > 1 && now.Sub(m.points[n-2].at) < meterStep {
		m.points[n-1] = point{now, files, bytes}
	} else {
		m.points = append(m.points, point{now, files, bytes})
	}
	for len(m.points) > 2 && now.Sub(m.points[1].at) >= meterTime {
		m.points = m.points[1:]
	}
}

// since is what was measured, and for how long until now.
func (m *meter) since(now time.Time) (files int, bytes int64, took time.Duration) {
	if len(m.points) == 0 {
		return 0, 0, 0
	}
	first, last := m.points[0], m.points[len(m.points)-1]
	for _, p := range m.points {
		if now.Sub(p.at) >= meterTime {
			first = p
		}
	}
	return last.files - first.files, last.bytes - first.bytes, now.Sub(first.at)
}

// Rate is how many bytes are done a second, 0 as long as that is not known.
func (m *meter) Rate(now time.Time) int64 {
	_, bytes, took := m.since(now)
	if took < rateTime {
		return 0
	}
	return int64(float64(bytes) / took.Seconds())
}

// Remaining is how long it takes until so much is done, 0 if that is not known: by the
// bytes, or by the files where these take longer, as many small ones do.
func (m *meter) Remaining(totalFiles int, totalBytes int64, now time.Time) time.Duration {
	files, bytes, took := m.since(now)
	if took < remainingTime || len(m.points) == 0 {
		return 0
	}
	last := m.points[len(m.points)-1]
	at := func(left, done float64) float64 {
		if left <= 0 || done <= 0 {
			return 0
		}
		return left / done * took.Seconds()
	}
	seconds := at(float64(totalBytes-last.bytes), float64(bytes))
	if totalFiles-last.files > 1 { // beside the one that is on its way
		seconds = max(seconds, at(float64(totalFiles-last.files), float64(files)))
	}
	if seconds > remainingMost.Seconds() {
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}
