package remote

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// TestEvents: a transfer is told by what it has done, also if it failed.
func TestEvents(t *testing.T) {
	var record Record
	record.AddSent("new")
	record.AddDeleted("gone")
	record.AddDeleted("gone/too")
	record.AddRenamed("from", "to")
	var unsure Record
	unsure.AddUnsure("perhaps")
	var sent Record
	sent.AddSent("new")
	pass := dirty.Batch{Everything: &dirty.Entry{}}
	failure := &Failure{Message: "it broke"}
	failed := []*dirty.Entry{{Path: "bad", Attempts: 1, Problem: "no"}, {Path: "again", Attempts: 2}, {Path: "device", Attempts: 1, Reason: dirty.LeftOut}}
	for name, test := range map[string]struct {
		batch dirty.Batch
		out   Outcome
		ended Ended
		want  string
	}{
		"nothing":                 {},
		"all of it":               {out: Outcome{Record: record}, want: "renamed 1 to, sent 1 new, deleted 2 gone"},
		"failed":                  {out: Outcome{Record: record, Failure: failure}, want: "renamed 1 to, deleted 2 gone"},
		"broken":                  {out: Outcome{Record: unsure, Failure: failure}, want: "deleted? 1 perhaps"},
		"full pass":               {batch: pass, want: "full_pass 0"},
		"full pass with much":     {batch: pass, out: Outcome{Record: sent}, want: "full_pass 1 new"},
		"repairs":                 {batch: pass, out: Outcome{Record: sent}, ended: Ended{Repaired: 1}, want: "repaired 1 new"},
		"full pass that failed":   {batch: pass, out: Outcome{Failure: failure}},
		"full pass that is held":  {batch: pass, out: Outcome{Hold: &Hold{}}},
		"full pass again":         {batch: pass, out: Outcome{Again: pass}},
		"held, and something new": {batch: pass, out: Outcome{Hold: &Hold{}, Record: sent}, want: "sent 1 new"},
		"failing":                 {out: Outcome{Failed: failed}, want: "failing 1 bad"},
	} {
		now := time.Unix(100, 0)
		order := Order{Batch: test.batch, Remote: config.Remote{Name: "r", ID: "id"}}
		var got []string
		for _, e := range Events(order, test.out, test.ended, now.Add(-time.Second), now, func(problem string) (string, string) { return "words: " + problem, "" }) {
			text := string(e.Kind)
			if e.Unsure {
				text += "?"
			}
			text += fmt.Sprintf(" %d", e.Count)
			if len(e.Paths) > 0 {
				text += " " + e.Paths[0].Path
			}
			got = append(got, text)
			if e.Remote != "r" || e.RemoteID != "id" || !e.Time.Equal(now) {
				t.Errorf("%s: an event is %+v", name, e)
			}
			if e.Kind == report.EventFailing && e.Paths[0].Problem != "words: no" {
				t.Errorf("%s: the problem is %q", name, e.Paths[0].Problem)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// TestRecordIsBounded: beyond its bounds, what is not named is counted.
func TestRecordIsBounded(t *testing.T) {
	var r Record
	for i := range report.MaxDeletedPaths + 5 {
		r.AddDeleted(fmt.Sprint(i))
		r.AddSent(fmt.Sprint(i))
	}
	if n := len(r.Deleted.Paths); n != report.MaxDeletedPaths || r.Deleted.Unnamed() != 5 {
		t.Errorf("of what was deleted %d are named, and %d not", n, r.Deleted.Unnamed())
	}
	if n := len(r.Sent.Paths); n != report.MaxSentPaths || r.Sent.Count != report.MaxDeletedPaths+5 {
		t.Errorf("of %d that were sent %d are named", r.Sent.Count, n)
	}
	var long Record
	name := strings.Repeat("x", 4000)
	for range 1000 {
		long.AddDeleted(name)
	}
	if n := len(long.Deleted.Paths); n*len(name) > report.MaxPathBytes || (n+1)*len(name) <= report.MaxPathBytes || long.Deleted.Count != 1000 {
		t.Errorf("of %d long names there are %d", long.Deleted.Count, n)
	}
}
