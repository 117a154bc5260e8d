package daemon

import (
	"os"
	"testing"
	"time"

	"wsync/daemon/metrics"
)

func TestParseStat(t *testing.T) {
	const text = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 25 75 20 0 9 0 100 4096000 12 184467 1 1 0"
	want := metrics.Process{CPU: 2 * time.Second, Children: time.Second, Resident: 12 * 4096}
	if got, ok := parseStat([]byte(text), 4096); !ok || got != want {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, wrong := range []string{"", "7 (a) S 1 2", "7 (a) S 1 2 3 4 5 6 7 8 9 10 x 50 25 75 20 0 9 0 100 4096000 12"} {
		if got, ok := parseStat([]byte(wrong), 4096); ok {
			t.Errorf("%q: %+v", wrong, got)
		}
	}
	if p, ok := processOf(os.Getpid()); !ok || p.Resident < 1<<20 {
		t.Errorf("this process: %+v, %v", p, ok)
	}
	if _, ok := processOf(0); ok {
		t.Error("there is a process 0")
	}
	if watchLimit() <= 0 {
		t.Error("no limit is known")
	}
}
