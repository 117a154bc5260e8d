package guard

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
		var shared Looks
		last, count := uint64(5), 0
		after := func(mark uint64) string {
			return shared.After(mark, func() uint64 { return last }, func() string { count++; return fmt.Sprint(count) })
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
