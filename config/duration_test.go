package config

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "5": 5 * time.Second, "90": 90 * time.Second, "1.5": 1500 * time.Millisecond, "30s": 30 * time.Second,
		"250ms": 250 * time.Millisecond, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "7d": 7 * day, "1w": 7 * day, "1w1d": 8 * day, "1.5d": 36 * time.Hour,
		"1d12h": 36 * time.Hour, "1w2d3h4m5s": 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second, "-1s": -time.Second, "-5": -5 * time.Second, "-1d": -day,
	} {
		got, err := ParseDuration(s)
		if err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", s, got, err, want)
		}
		if back, err := ParseDuration(FormatDuration(want)); err != nil || back != want {
			t.Errorf("%v is written as %q, which is read as %v (%v)", want, FormatDuration(want), back, err)
		}
	}
	for _, s := range []string{"", "-", ".", "soon", "d", "1x", "7days", "7 d", " 7d", "1d2w", "1d5", "1d-5s", "--5", "-+5s", "1e3", "0x10", "99999999999999999999", "99999999w", "106752d"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q is %v, want an error", s, got)
		} else if want := "expected a duration, such as 30s, 10m, 1h30m or 7d"; err.Error() != want {
			t.Errorf("%q: %v, want %s", s, err, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", time.Hour: "1h", 90 * time.Minute: "1h30m", day: "1d", 36 * time.Hour: "36h", 3650 * day: "3650d",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
}
