package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Age is for how long something is kept: a whole number of hours or days. In
// JSON, as on the command line, it is a string such as "7d" or "12h".
type Age time.Duration

const (
	day    = 24 * time.Hour
	maxAge = 3650 * day
)

// ParseAge reads an age from one hour to ten years.
func ParseAge(s string) (Age, error) {
	digits, unit := s, time.Duration(0)
	switch {
	case strings.HasSuffix(s, "d"):
		digits, unit = strings.TrimSuffix(s, "d"), day
	case strings.HasSuffix(s, "h"):
		digits, unit = strings.TrimSuffix(s, "h"), time.Hour
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 || n > uint64(maxAge/time.Hour) || unit == 0 || time.Duration(n)*unit > maxAge {
		return 0, fmt.Errorf("expected a whole number of hours or days, such as 12h or 7d, up to 3650d, found %q", s)
	}
	return Age(time.Duration(n) * unit), nil
}

// String is the age as ParseAge reads it.
func (a Age) String() string {
	if d := time.Duration(a); d%day != 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", time.Duration(a)/day)
}

// MarshalJSON writes the string.
func (a Age) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads the string.
func (a *Age) UnmarshalJSON(data []byte) (err error) {
	if string(data) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(data, &s) != nil {
		s = string(data)
	}
	if *a, err = ParseAge(s); err != nil {
		return &decodeError{message: err.Error()}
	}
	return nil
}
