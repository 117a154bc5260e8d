package cli

import (
	"testing"
	"time"

	"wsync/monitor/report"
)

func TestOpenText(t *testing.T) {
	in := func(d time.Duration) *time.Time { return before(-d) }
	for want, p := range map[string]report.OpenPath{
		"pending  a/b, for 5s": {Path: "a/b", State: report.PathPending, Since: before(5 * time.Second)},
		"pending  d/ and all below it, for 5s; it is tried again in 3s": {Path: "d", Tree: true, State: report.PathPending, Since: before(5 * time.Second), NextTry: in(2500 * time.Millisecond)},
		"sending  b, renamed from a":                                    {Path: "b", From: "a", State: report.PathSending},
		"pending  everything: a full pass is due":                       {Everything: true, State: report.PathPending},
		"held     everything: why":                                      {Everything: true, State: report.PathHeld, Problem: "why"},
		"pending  .":                                                    {State: report.PathPending},
		`pending  \xff`:                                                 {Path: "?", PathBytes: []byte{0xff}, State: report.PathPending},
		`pending  a\n\x1b`:                                              {Path: "a\n\x1b", State: report.PathPending},
		"failing  a, for 3h, failed 3 times: no room; it is tried again in 5m": {
			Path: "a", State: report.PathFailing, Attempts: 3, Problem: "no room", Since: before(3 * time.Hour), NextTry: in(5 * time.Minute)},
		"failing  a, failed once: no; it is tried again now": {Path: "a", State: report.PathFailing, Attempts: 1, Problem: "no", NextTry: before(time.Second)},
		"pending  a; it waits for the window":                {Path: "a", State: report.PathPending, Window: true, NextTry: in(time.Hour)},
	} {
		if got := openText(p, now); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}
