package config

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// ExpectedDuration ends a sentence about something that ParseDuration refuses.
const ExpectedDuration = "a duration, such as 30s, 10m, 1h30m or 7d"

// longPattern finds the weeks and days at the beginning of a duration.
var longPattern = regexp.MustCompile(`^(?:([0-9]+(?:\.[0-9]+)?)w)?(?:([0-9]+(?:\.[0-9]+)?)d)?`)

// ParseDuration reads a duration as users write it, everywhere: what time.ParseDuration
// takes, in front of it weeks and days (1w, 7d, 1d12h), and a number without a unit, which
// is seconds. The error says what was expected.
func ParseDuration(s string) (time.Duration, error) {
	wrong := errors.New("expected " + ExpectedDuration)
	digits := strings.TrimPrefix(s, "-")
	if digits != "" && strings.Trim(digits, "0123456789.") == "" {
		s += "s"
	}
	rest, negative := strings.CutPrefix(s, "-")
	parts := longPattern.FindStringSubmatch(rest)
	rest = rest[len(parts[0]):]
	var total float64
	for i, unit := range []time.Duration{week, day} {
		if text := parts[i+1]; text != "" {
			n, _ := strconv.ParseFloat(text, 64) // the pattern takes nothing else; what is too large is infinite
			total += n * float64(unit)
		}
	}
	if rest != "" {
		if rest[0] == '-' || rest[0] == '+' {
			return 0, wrong
		}
		d, err := time.ParseDuration(rest)
		if err != nil {
			return 0, wrong
		}
		if parts[0] == "" {
			return sign(d, negative), nil
		}
		total += float64(d)
	} else if parts[0] == "" {
		return 0, wrong
	}
	if total >= math.MaxInt64 {
		return 0, wrong
	}
	return sign(time.Duration(total), negative), nil
}

func sign(d time.Duration, negative bool) time.Duration {
	if negative {
		return -d
	}
	return d
}

// FormatDuration is a duration as one writes it, and as ParseDuration reads it: "7d" and "36h"
// rather than "168h0m0s" and "36h0m0s".
func FormatDuration(d time.Duration) string {
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
