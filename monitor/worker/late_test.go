package worker

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLateFile(t *testing.T) {
	stamp, until := filepath.Join(t.TempDir(), "clean"), time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, want := range []time.Time{{}, until, {}} {
		check(t, writeLate(System{}, stamp, want))
		if got := readLate(System{}, stamp); !got.Equal(want) {
			t.Errorf("%v came back as %v", want, got)
		}
	}
	check(t, os.WriteFile(latePath(stamp), []byte("2030-"), 0o600))
	if got := readLate(System{}, stamp); !got.IsZero() {
		t.Errorf("a damaged file is %v", got)
	}
}
