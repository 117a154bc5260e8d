package daemon

import (
	"testing"
	"time"
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
