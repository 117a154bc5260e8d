package config

import (
	"encoding/json"
	"fmt"
	"time"
)

// Age is for how long something is kept. In JSON, as on the command line, it is a
// string such as "7d" or "12h".
type Age time.Duration

const (
	minAge = time.Hour
	maxAge = 3650 * day
)

// ParseAge reads an age from one hour to ten years; see ParseDuration.
func ParseAge(s string) (Age, error) {
	d, err := ParseDuration(s)
	if err != nil || d < minAge || d > maxAge {
		return 0, fmt.Errorf("expected a duration from %s to %s, such as 12h or 7d, found %q", FormatDuration(minAge), FormatDuration(maxAge), s)
	}
	return Age(d), nil
}

// String is the age as ParseAge reads it.
func (a Age) String() string { return FormatDuration(time.Duration(a)) }

// MarshalJSON writes the string.
func (a Age) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads the string, or a number of seconds.
func (a *Age) UnmarshalJSON(data []byte) error { return readText(data, ParseAge, a) }
