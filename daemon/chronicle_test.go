package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wsync/monitor/report"
)

// TestChronicle: a state is an event when it is another, and small changes are none.
func TestChronicle(t *testing.T) {
	type step struct {
		after time.Duration
		state report.State
		error string
		held  string
	}
	const s, m = time.Second, time.Minute
	for name, test := range map[string]struct {
		steps []step
		want  string
	}{
		"starts":       {steps: []step{{state: report.Starting}, {after: s, state: report.InSync}}, want: "in sync"},
		"small change": {steps: []step{{state: report.InSync}, {after: s, state: report.Pending}, {after: s, state: report.Syncing}, {after: s / 10, state: report.Confirming}, {after: 2 * s, state: report.InSync}}, want: "in sync"},
		"large change": {steps: []step{{state: report.InSync}, {after: s, state: report.Syncing}, {after: 2 * s, state: report.Syncing}, {after: s, state: report.InSync}}, want: "in sync, syncing, in sync"},
		"outage":       {steps: []step{{state: report.InSync}, {after: s, state: report.Offline, error: "no route"}, {after: s, state: report.Offline, error: "no route"}, {after: m, state: report.InSync}}, want: "in sync, offline no route, in sync"},
		"other words":  {steps: []step{{state: report.Retrying, error: "a"}, {after: s, state: report.Retrying, error: "b"}, {after: m, state: report.Retrying, error: "b"}}, want: "retrying a, retrying b"},
		"held":         {steps: []step{{state: report.InSync}, {after: s, state: report.Halted, error: "many", held: "1"}, {after: s, state: report.Halted, error: "many", held: "1"}, {after: s, state: report.Halted, error: "more", held: "2"}, {after: s, state: report.InSync}}, want: "in sync, held many, held more, in sync"},
		"paused":       {steps: []step{{state: report.InSync}, {after: s, state: report.Paused}, {after: s, state: report.InSync}}, want: "in sync, in sync"},
		"was paused":   {steps: []step{{state: report.Paused}}, want: "paused"},
		"monitor dies": {steps: []step{{state: report.InSync}, {after: s, state: report.Starting}, {after: s, state: report.Failed, error: "it died"}}, want: "in sync, failed it died"},
	} {
		now := time.Unix(1000, 0)
		var then told
		var got []string
		since, last := now, report.State("")
		for _, step := range test.steps {
			now = now.Add(step.after)
			if step.state != last {
				since, last = now, step.state
			}
			status := report.RemoteStatus{State: step.state, Since: since, Error: step.error}
			if step.held != "" {
				status.Held = &report.Held{ID: step.held, Count: 3, Sample: []string{"a"}}
			}
			events, next, again := then.next(status, now)
			then = next
			if !again.IsZero() && !again.After(now) {
				t.Errorf("%s: it is to be looked at again at once", name)
			}
			for _, e := range events {
				text := string(e.State)
				if e.Kind == report.EventHeld {
					text = "held"
					if e.Count != 3 || len(e.Paths) != 1 {
						t.Errorf("%s: what is held is %+v", name, e.PathList)
					}
				}
				got = append(got, strings.TrimSpace(fmt.Sprint(text, " ", e.Error)))
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
