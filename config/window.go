package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Window is the times of the week at which large transfers may run: ranges of the clock,
// as people write them, such as "22:00-06:00" or "mon-fri 22:00-06:00, sat 00:00-24:00".
// "" is any time. In JSON it is that string.
type Window string

const expectedWindow = "off, or times such as 22:00-06:00 or mon-fri 22:00-06:00, sat 00:00-24:00"

// weekdays are their names, beginning with that of time.Sunday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const minutesOfDay = 24 * 60

// hours are a range of the clock, on some days of the week.
type hours struct {
	first, last time.Weekday // of the days on which it begins
	from, to    int          // minutes of the day; to is of the next one if it is not later
}

// ParseWindow reads a window, and writes it in one way. "off" is "".
func ParseWindow(s string) (Window, error) {
	if s == "off" {
		return "", nil
	}
	all, err := parseHours(s)
	if err != nil {
		return "", fmt.Errorf("expected %s, found %q", expectedWindow, s)
	}
	var words []string
	for _, h := range all {
		words = append(words, h.String())
	}
	return Window(strings.Join(words, ", ")), nil
}

func parseHours(s string) (all []hours, err error) {
	for part := range strings.SplitSeq(s, ",") {
		words := strings.Fields(strings.ToLower(part))
		h := hours{first: time.Sunday, last: time.Saturday}
		if len(words) == 2 {
			if h.first, h.last, err = parseDays(words[0]); err != nil {
				return nil, err
			}
			words = words[1:]
		}
		if len(words) != 1 {
			return nil, strconv.ErrSyntax
		}
		from, to, ok := strings.Cut(words[0], "-")
		h.from, err = parseClock(from)
		if err == nil {
			h.to, err = parseClock(to)
		}
		if !ok || err != nil || h.from == h.to || h.from == minutesOfDay || h.to == 0 && h.from == 0 {
			return nil, strconv.ErrSyntax
		}
		all = append(all, h)
	}
	return all, nil
}

// parseDays reads a day or a range of days, "mon" or "mon-fri".
func parseDays(s string) (first, last time.Weekday, err error) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		to = from
	}
	i, j := slices.Index(weekdays, from), slices.Index(weekdays, to)
	if i < 0 || j < 0 {
		return 0, 0, strconv.ErrSyntax
	}
	return time.Weekday(i), time.Weekday(j), nil
}

// parseClock reads a time of day from 00:00 to 24:00.
func parseClock(s string) (minutes int, err error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err := strconv.ParseUint(h, 10, 8)
	if err != nil || !ok || len(m) != 2 {
		return 0, strconv.ErrSyntax
	}
	minute, err := strconv.ParseUint(m, 10, 8)
	minutes = int(hour*60 + minute)
	if err != nil || minute > 59 || minutes > minutesOfDay {
		return 0, strconv.ErrSyntax
	}
	return minutes, nil
}

// String is the range as parseHours reads it.
func (h hours) String() string {
	times := fmt.Sprintf("%02d:%02d-%02d:%02d", h.from/60, h.from%60, h.to/60, h.to%60)
	switch {
	case h.first == time.Sunday && h.last == time.Saturday:
		return times
	case h.first == h.last:
		return weekdays[h.first] + " " + times
	}
	return weekdays[h.first] + "-" + weekdays[h.last] + " " + times
}

// begins reports whether the range has one that begins on a day of the week.
func (h hours) begins(day time.Weekday) bool {
	if h.first <= h.last {
		return h.first <= day && day <= h.last
	}
	return day >= h.first || day <= h.last
}

// on is the range that begins on the day of a time, by the clock of its place: when clocks
// are changed meanwhile it is longer or shorter, and empty if its hours are left out.
func (h hours) on(day time.Time) (begin, end time.Time) {
	year, month, date := day.Date()
	at := func(days, minutes int) time.Time {
		return time.Date(year, month, date+days, 0, minutes, 0, 0, day.Location())
	}
	if h.to <= h.from {
		return at(0, h.from), at(1, h.to)
	}
	return at(0, h.from), at(0, h.to)
}

// Shut reports whether the window is shut at now, and until when, by the clock of the
// place that now is of.
func (w Window) Shut(now time.Time) (until time.Time, shut bool) {
	all, err := parseHours(string(w))
	if w == "" || err != nil {
		return time.Time{}, false
	}
	// A week ahead has all that there is; the days before it may last until now.
	year, month, date := now.Date()
	for day := -1; day <= 8; day++ {
		noon := time.Date(year, month, date+day, 12, 0, 0, 0, now.Location())
		for _, h := range all {
			begin, end := h.on(noon)
			switch {
			case !h.begins(noon.Weekday()) || !end.After(now) || !end.After(begin):
			case !begin.After(now):
				return time.Time{}, false
			case !shut || begin.Before(until):
				until, shut = begin, true
			}
		}
	}
	return until, shut
}

// UnmarshalJSON reads the string.
func (w *Window) UnmarshalJSON(data []byte) (err error) {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return &decodeError{message: "expected " + expectedWindow}
	}
	if s == "" {
		*w = ""
		return nil
	}
	if *w, err = ParseWindow(s); err != nil {
		return &decodeError{message: err.Error()}
	}
	return nil
}
