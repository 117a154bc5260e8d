package config

import (
	"encoding/json"
	"fmt"
	"time"
)

// Delay is how much later something happens. In JSON, as on the command line, it is a
// string such as "1h" or "7d".
type Delay time.Duration

const (
	minDelay = time.Second
	maxDelay = 3650 * day
)

// ParseDelay reads a delay from one second to ten years, or "off", which is 0; see
// ParseDuration.
func ParseDelay(s string) (Delay, error) {
	if s == "off" {
		return 0, nil
	}
	d, err := ParseDuration(s)
	if err != nil || d < minDelay || d > maxDelay {
		return 0, fmt.Errorf("expected %s, found %q", expectedDelay, s)
	}
	return Delay(d), nil
}

var expectedDelay = fmt.Sprintf("off, or a duration from %s to %s, such as 1h or 7d", FormatDuration(minDelay), FormatDuration(maxDelay))

// String is the delay as ParseDelay reads it.
func (d Delay) String() string { return FormatDuration(time.Duration(d)) }

// MarshalJSON writes the string.
func (d Delay) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the string, or a number of seconds.
func (d *Delay) UnmarshalJSON(data []byte) error { return readText(data, ParseDelay, d) }
