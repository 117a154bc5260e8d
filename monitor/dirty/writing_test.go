package dirty

import (
	"testing"
	"time"
)

func TestWriteInterval(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct{ cost, want time.Duration }{
		{0, 20 * ms},
		{time.Millisecond, 20 * ms},
		{2 * ms, 20 * ms},
		{5 * ms, 50 * ms},
		{100 * ms, time.Second},
		{200 * ms, time.Second},
		{250 * ms, time.Second},
		{time.Second, 4 * time.Second},
		{time.Minute, 4 * time.Minute},
	} {
		if got := writeInterval(test.cost); got != test.want {
			t.Errorf("%v: %v, expected %v", test.cost, got, test.want)
		}
	}
}

// A file that stays open is sent at once, then at intervals, and at once when it
// is closed or somebody waits for it.
func TestOpenFile(t *testing.T) {
	const ms = time.Millisecond
	s := NewSet()
	s.Mark("log", open, 1, at(0))
	if b := s.Take(at(CloseWait - 1)); !b.Empty() {
		t.Errorf("taken early: %q", paths(b))
	}
	take := func(after time.Duration) {
		t.Helper()
		if b := s.Take(at(after)); b.Len() != 1 {
			t.Fatalf("%d paths are taken", b.Len())
		}
	}
	take(20 * ms)
	s.Mark("log", open, 2, at(21*ms)) // while it is under way
	s.Sent("log", 5*ms, at(25*ms))
	ripe(t, s, 75*ms)
	s.Mark("log", open, 3, at(26*ms))
	ripe(t, s, 75*ms)
	take(75 * ms)
	s.Sent("log", 5*ms, at(80*ms))
	s.Mark("log", open, 4, at(500*ms))
	ripe(t, s, 500*ms) // it is known to be open
	take(500 * ms)
	s.Sent("log", 100*ms, at(600*ms))
	s.Mark("log", open, 5, at(700*ms))
	ripe(t, s, 1600*ms)
	s.HastenOpen(at(800 * ms))
	ripe(t, s, 800*ms)
	take(800 * ms)
	s.Sent("log", 100*ms, at(900*ms))
	s.Mark("log", open, 6, at(900*ms))
	ripe(t, s, 1900*ms)
	s.Mark("log", closed, 7, at(901*ms))
	ripe(t, s, 901*ms)
	take(901 * ms)
	s.Sent("log", 100*ms, at(1000*ms)) // which was not open any more
	s.Mark("log", open, 8, at(1001*ms))
	ripe(t, s, 1021*ms)
	take(1021 * ms)
	s.Sent("log", time.Millisecond, at(1022*ms))
	s.Take(at(1022*ms + writingTime))
	if len(s.writing) != 1 {
		t.Error("it is forgotten too early")
	}
	s.Take(at(time.Minute))
	if len(s.writing) > 0 {
		t.Errorf("%d files are remembered", len(s.writing))
	}
}

// A file that is written every millisecond is never old on the remote while it
// costs little, and never takes much of the time when it costs much.
func TestOpenFileThatGrows(t *testing.T) {
	for name, test := range map[string]struct {
		cost  func(age time.Duration) time.Duration
		stale time.Duration // at most
		share float64       // at most
	}{
		"a log":                {func(time.Duration) time.Duration { return time.Millisecond }, 30 * time.Millisecond, 0.1},
		"a log, far away":      {func(time.Duration) time.Duration { return 40 * time.Millisecond }, 500 * time.Millisecond, 0.11},
		"100 MB a second":      {func(age time.Duration) time.Duration { return age / 3 }, 10 * time.Minute, 0.25},
		"a large file by bits": {func(time.Duration) time.Duration { return 2 * time.Second }, 11 * time.Second, 0.21},
	} {
		t.Run(name, func(t *testing.T) {
			const end = 10 * time.Minute
			s := NewSet()
			var busy, stale, began time.Duration
			idle := time.Duration(0) // until then a transfer is under way
			sending := false
			for now := time.Duration(0); now < end; now += time.Millisecond {
				s.Mark("f", open, uint64(now)+1, at(now))
				if sending && now >= idle {
					sending = false
					s.Sent("f", now-began, at(now))
				}
				if at, _ := s.Ripe(); sending || at.After(start.Add(now)) {
					continue
				}
				stale = max(stale, now-began)
				began, sending = now, true
				idle = now + test.cost(now)
				busy += min(idle, end) - now
				s.Take(at(now))
			}
			if stale > test.stale || busy.Seconds()/end.Seconds() > test.share {
				t.Errorf("%v old, and %v of %v", stale, busy, end)
			}
		})
	}
}
