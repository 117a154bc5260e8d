package daemon

import (
	"testing"
	"time"

	"wsync/monitor/journal"
	"wsync/monitor/report"
)

// The end of a monitor is told for an hour.
func TestCrashes(t *testing.T) {
	var c crashes
	start := time.Now()
	after := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	if c.report(start) != nil {
		t.Error("a crash that was none")
	}
	c.add(start, "a")
	c.add(after(10), "b")
	c.add(after(40), "c")
	for minutes, want := range map[int]int{40: 3, 59: 3, 60: 2, 70: 1, 99: 1} {
		copied := c
		if got := copied.report(after(minutes)); got == nil || got.Count != want || got.LastExit != "c" || !got.Last.Equal(after(40)) {
			t.Errorf("after %d minutes: %+v, want %d", minutes, got, want)
		}
	}
	if got := c.report(after(100)); got != nil {
		t.Errorf("it is not forgotten: %+v", got)
	}
	for range maxCrashes + 5 {
		c.add(start, "d")
	}
	if got := c.report(start); got.Count != maxCrashes {
		t.Errorf("%d are remembered", got.Count)
	}
}

// A daemon that is started again knows of the ends that another one saw.
func TestCrashesInAJournal(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	if none := crashesIn(dir, now); none.report(now) != nil {
		t.Errorf("without a journal: %+v", none)
	}
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	w := journal.NewWriter(dir, journal.One(journal.SeriesDaemon), journal.DefaultBounds)
	for _, e := range []report.Event{
		{Time: at(-70), Kind: report.EventMonitorEnded, Detail: "long ago"},
		{Time: at(-50), Kind: report.EventMonitorEnded, Detail: "exit status 1"},
		{Time: at(-50), Kind: report.EventMonitorStarted},
		{Time: at(-20), Kind: report.EventMonitorEnded, Detail: "killed"},
		{Time: at(-10), Kind: report.EventPaused, Detail: "nobody asks"},
	} {
		w.Write(e)
	}
	w.Close()
	got := crashesIn(dir, now)
	if r := got.report(now); r == nil || r.Count != 2 || r.LastExit != "killed" || !r.Last.Equal(at(-20)) {
		t.Errorf("%+v", r)
	}
	if r := got.report(at(20)); r == nil || r.Count != 1 {
		t.Errorf("20 minutes later: %+v", r)
	}
}
