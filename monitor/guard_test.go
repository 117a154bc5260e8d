package monitor

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A look serves the workers that have the same change to send, and no change that
// came after it.
func TestLooksAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared looks
		last, count := uint64(5), 0
		after := func(mark uint64) string {
			return shared.after(mark, func() uint64 { return last }, func() string { count++; return fmt.Sprint(count) })
		}
		for _, step := range []struct {
			wait time.Duration
			mark uint64
			want string
		}{{0, 3, "1"}, {0, 5, "1"}, {lookTime, 5, "1"}, {0, 6, "2"}, {lookTime + 1, 3, "3"}, {0, 6, "3"}} {
			time.Sleep(step.wait) // of the bubble's clock
			last = max(last, step.mark)
			if got := after(step.mark); got != step.want {
				t.Errorf("%v later, for mark %d: look %s, expected %s", step.wait, step.mark, got, step.want)
			}
		}
	})
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 19: time.Minute, 20: time.Minute, 1 << 30: time.Minute} {
		shortest, longest := want, time.Duration(0)
		for range 2000 {
			d := backoff(n, maxBackoff)
			shortest, longest = min(shortest, d), max(longest, d)
		}
		if longest > want || shortest < want-want/5 || longest-shortest < want/10 {
			t.Errorf("failure %d waits %v to %v, expected up to %v", n, shortest, longest, want)
		}
	}
	if d := backoff(100, attentionBackoff); d > attentionBackoff || d < attentionBackoff*4/5 {
		t.Errorf("attention waits %v", d)
	}
}

func TestEager(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 5 * time.Second, 6: 5 * time.Second, 1 << 30: 5 * time.Second} {
		if got := eager(n); got != want {
			t.Errorf("after %d failures: %v", n, got)
		}
	}
}

func TestJittered(t *testing.T) {
	for _, d := range []time.Duration{time.Hour, time.Second, 1, 0} {
		for range 2000 {
			if got := jittered(d); got < d-d/10 || got > d+d/10+1 {
				t.Fatalf("%v became %v", d, got)
			}
		}
	}
}
