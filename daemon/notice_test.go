package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wsync/monitor/report"
)

// letterStatus is the status of a remote by a letter.
func letterStatus(letter byte, now time.Time) report.RemoteStatus {
	s := report.RemoteStatus{Name: "disk"}
	switch letter {
	case 'o':
		s.State, s.Error = report.Offline, "away"
	case 'r':
		s.State, s.Error = report.Retrying, "no"
	case 'h':
		s.State, s.Error = report.Halted, "gone"
	case 'f':
		s.State = report.Failed
	case 'i':
		s.State = report.InSync
	case 'P':
		s.State = report.Paused
	case 'p':
		s.State = report.Pending
	case 's':
		s.State = report.Syncing
	case 'S': // and some have succeeded just now
		s.State, s.LastSuccess = report.Syncing, &now
	case 'e': // but a path fails
		s.State, s.Error, s.LastSuccess = report.Syncing, "no", &now
	case '.':
		s.State = report.Starting
	default:
		panic(letter)
	}
	return s
}

func TestNotice(t *testing.T) {
	// Each step is a state and how many seconds it lasts; during that time the
	// remote is looked at when look asks for it. The delay is a minute. What is
	// told is "second:state".
	for _, test := range []struct{ name, steps, told string }{
		{"all is well", ".1 p1 s5 i1000", ""},
		{"a short outage", "i9 o59 i9", ""},
		{"an outage", "i9 o100 i100", "69:o 129:i"},
		{"an outage seen at the start", "o61 i60", "60:o 120:i"},
		{"the two kinds are one trouble", "o30 r40 i60", "60:r 120:i"},
		{"a serious one, at once", "i9 h100 i9", "9:h 109:i"},
		{"a failed monitor, at once", ".9 f100 .1 i9", "9:f 110:i"},
		{"nobody is told twice", "h100 f100 o300 r300 h300", "0:h"},
		{"worse than before", "o70 h50 i100", "60:o 120:i"},
		{"worse than before, for long", "o70 h300 i100", "60:o 120:h 370:i"},
		{"serious and over before the end can be told", "h10 i100", "0:h 60:i"},
		{"serious and over and serious again", "h10 i10 h100 i500", "0:h 60:h 180:i"},
		{"serious, over for a moment, and then another one", "h100 s1 i1 h200", "0:h 101:i 221:h"},
		{"a path fails while others are sent", "e30 r5 e50 i500", "60:e 120:i"},
		{"attempts in between count as the same outage", "o20 .5 p5 s5 o30", "60:o"},
		{"a success in between does not", "o40 S5 s50 o59 i1", ""},
		{"a success is not the end", "o70 S100 s100 i9", "60:o 270:i"},
		{"paused by somebody who knows", "o40 P100 o59 i5", ""},
		{"told, paused, resumed, over", "o70 P100 s9 i9", "60:o 179:i"},
		{"comes and goes", strings.Repeat("o70 i10 ", 20), "60:o 140:o 300:o 540:o 1020:o"},
		{"comes and goes, seriously", strings.Repeat("h30 i30 ", 60), "0:h 60:h 180:h 420:h 900:h 1860:h 2820:h"},
		{"comes and goes every day", strings.Repeat("o100 i86000 ", 3), "60:o 120:i 86160:o 86220:i 172260:o 172320:i"},
	} {
		start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		now, delay := start, time.Minute
		var n notice
		var told []string
		for step := range strings.FieldsSeq(test.steps) {
			var seconds int
			if _, err := fmt.Sscan(step[1:], &seconds); err != nil {
				t.Fatal(err)
			}
			end := now.Add(time.Duration(seconds) * time.Second)
			status := letterStatus(step[0], now)
			for {
				after, tell, next := n.look(status, now, delay)
				n = after
				if tell {
					told = append(told, fmt.Sprintf("%d:%c", now.Sub(start)/time.Second, step[0]))
				}
				if !next.IsZero() && !next.After(now) {
					t.Fatalf("%s: the next look is at once, again and again", test.name)
				}
				if next.IsZero() || !next.Before(end) {
					break
				}
				now = next
			}
			now = end
		}
		if got := strings.Join(told, " "); got != test.told {
			t.Errorf("%s: %s\n told %q, expected %q", test.name, test.steps, got, test.told)
		}
	}
}
