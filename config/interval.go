package config

import (
	"encoding/json"
	"fmt"
	"time"
)

// Interval is the time between two things that are done again and again, such as full
// passes. In JSON, as on the command line, it is a string such as "10m" or "1d".
type Interval time.Duration

const (
	minInterval = time.Minute
	maxInterval = 30 * day
)

// ParseInterval reads an interval from one minute to 30 days; see ParseDuration.
func ParseInterval(s string) (Interval, error) {
	d, err := ParseDuration(s)
	if err != nil || d < minInterval || d > maxInterval {
		return 0, fmt.Errorf("expected a duration from %s to %s, such as 10m or 1d, found %q", FormatDuration(minInterval), FormatDuration(maxInterval), s)
	}
	return Interval(d), nil
}

// Or is the interval, or another one if it is zero.
func (i Interval) Or(other time.Duration) time.Duration {
	if i == 0 {
		return other
	}
	return time.Duration(i)
}

// String is the interval as ParseInterval reads it.
func (i Interval) String() string { return FormatDuration(time.Duration(i)) }

// MarshalJSON writes the string.
func (i Interval) MarshalJSON() ([]byte, error) { return json.Marshal(i.String()) }

// UnmarshalJSON reads the string, or a number of seconds.
func (i *Interval) UnmarshalJSON(data []byte) error { return readText(data, ParseInterval, i) }
