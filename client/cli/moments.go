package cli

import (
	"fmt"
	"strings"
	"time"

	"wsync/config"
)

// expectedMoment ends a sentence about something that parseMoment refuses.
const expectedMoment = "how long ago, such as 2d or 90m, a day, such as tuesday, yesterday or 2026-01-31, or a time, such as 14:30 or '2026-01-31 14:30'"

// parseMoment reads a point in time as users write it: a duration is so long before now,
// and a day is its beginning or, with end, its end. A day of the week is the last one that
// has begun, and what names no zone is in that of now.
func parseMoment(s string, now time.Time, end bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if d, err := config.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	day := func(t time.Time) time.Time {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch word := strings.ToLower(s); word {
	case "now":
		return now, nil
	case "today":
		return day(today), nil
	case "yesterday":
		return day(today.AddDate(0, 0, -1)), nil
	default:
		for ago := range 7 {
			t := today.AddDate(0, 0, -ago)
			if name := strings.ToLower(t.Weekday().String()); word == name || word == name[:3] {
				return day(t), nil
			}
		}
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return day(t), nil
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
			if t.After(now) {
				t = t.AddDate(0, 0, -1)
			}
			return t, nil
		}
	}
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no point in time: expected %s", s, expectedMoment)
}
