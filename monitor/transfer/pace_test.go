package transfer

import (
	"testing"
	"time"

	"wsync/config"
)

// What is sent is within the rate but for the first second, and a small change waits no
// longer than it takes itself, however much went before. Beside a run of rsync it is an
// eighth of that, and nothing is above the rate together.
func TestPace(t *testing.T) {
	const rate = config.Rate(1 << 20)
	begin := time.Unix(1e9, 0)
	for name, test := range map[string]struct {
		bytes int64
		runs  bool
		want  config.Rate
	}{
		"alone":                {largeSize(rate), false, rate},
		"small ones":           {1000, false, rate},
		"beside":               {largeSize(rate), true, rate / 8},
		"small ones, beside":   {1000, true, rate / 8},
		"more than a flight":   {3 << 20, false, rate},
		"beside, all the same": {3 << 20, true, rate / 8},
	} {
		var p pace
		now, sent := begin, int64(0)
		if test.runs {
			p.run(rate, now)
		}
		for now.Sub(begin) < 100*time.Second {
			now = now.Add(p.wait(test.bytes, rate, now) + 1)
			p.sent(test.bytes, rate, now)
			sent += test.bytes
		}
		lasted := now.Sub(begin).Seconds()
		if most := float64(test.want)*lasted + float64(rate) + float64(test.bytes); float64(sent) > most || float64(sent) < float64(test.want)*lasted {
			t.Errorf("%s: %d bytes in %.1f s, expected %d a second", name, sent, lasted, test.want)
		}
		speed := float64(test.want)
		if wait := p.wait(1000, rate, now); test.bytes <= int64(rate) && wait.Seconds() > (1000+float64(test.bytes))/speed {
			t.Errorf("%s: then 1000 bytes wait for %v", name, wait)
		}
	}
	if run, beside := runRate(rate, false), runRate(rate, true); run+beside > rate {
		t.Errorf("%s and %s are more than %s", run, beside, rate)
	}
}

// The part of a run is free when that has ended; another rate counts at once, and none is
// no limit.
func TestPaceChanges(t *testing.T) {
	const rate = config.Rate(1 << 20)
	var p pace
	now := time.Unix(1e9, 0)
	wait := func(rate config.Rate, want time.Duration) {
		t.Helper()
		if got := p.wait(1<<19, rate, now).Round(time.Millisecond); got != want {
			t.Errorf("waits for %v, expected %v", got, want)
		}
	}
	wait(rate, 0)
	p.sent(1<<20, rate, now)
	wait(rate, 500*time.Millisecond)
	end := p.run(rate, now)
	wait(rate, 4*time.Second)
	now = now.Add(2 * time.Second)
	wait(rate, 2*time.Second)
	end(now)
	wait(rate, 250*time.Millisecond)
	p.sent(2<<20, rate, now)
	wait(rate*2, 0)
	p.sent(4<<20, rate*2, now)
	wait(0, 0)
	wait(rate, 0)
}
