package config

import (
	"encoding/json"
	"fmt"
	"time"
)

// Verify is the time between two verifications in the background: comparisons of all
// contents. Zero is for not said, VerifyOff for none. In JSON, as on the command line, it
// is a string such as "7d", or "off".
type Verify time.Duration

// VerifyOff is the value "off".
const VerifyOff Verify = -1

const (
	minVerify = time.Minute
	maxVerify = 365 * day
)

func expectedVerify() string {
	return fmt.Sprintf("off, or a duration from %s to %s, such as 7d or 1w", FormatDuration(minVerify), FormatDuration(maxVerify))
}

// ParseVerify reads "off", or a duration from one minute to a year; see ParseDuration.
func ParseVerify(s string) (Verify, error) {
	if s == "off" {
		return VerifyOff, nil
	}
	d, err := ParseDuration(s)
	if err != nil || d < minVerify || d > maxVerify {
		return 0, fmt.Errorf("expected %s, found %q", expectedVerify(), s)
	}
	return Verify(d), nil
}

// Or is the interval, 0 for none; it is another one where nothing is said.
func (v Verify) Or(other time.Duration) time.Duration {
	switch v {
	case 0:
		return other
	case VerifyOff:
		return 0
	}
	return time.Duration(v)
}

// String is the value as ParseVerify reads it.
func (v Verify) String() string {
	if v == VerifyOff {
		return "off"
	}
	return FormatDuration(time.Duration(v))
}

// MarshalJSON writes the string.
func (v Verify) MarshalJSON() ([]byte, error) { return json.Marshal(v.String()) }

// UnmarshalJSON reads the string, or a number of seconds.
func (v *Verify) UnmarshalJSON(data []byte) error { return readText(data, ParseVerify, v) }
