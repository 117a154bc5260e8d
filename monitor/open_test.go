package monitor

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What is appended to a file that stays open is there soon, and not a second later
// each time.
func TestAppendsToAnOpenFile(t *testing.T) {
	dst := newDir(t)
	r := startMonitor(t, []string{"log"}, localRemote("r", dst))
	r.wait("r")
	log, err := os.OpenFile(filepath.Join(r.src, "log"), os.O_WRONLY|os.O_APPEND, 0)
	check(t, err)
	defer log.Close()
	const appends = 20
	began := time.Now()
	for i := range appends {
		_, err := fmt.Fprintln(log, "line", i)
		check(t, err)
		want, err := log.Stat()
		check(t, err)
		poll(t, "an append", func() bool {
			info, err := os.Stat(filepath.Join(dst, "log"))
			return err == nil && info.Size() == want.Size()
		})
	}
	if took := time.Since(began); took > appends*time.Second/2 {
		t.Errorf("%d appends took %v", appends, took)
	}
	// Whoever waits does not wait for an interval.
	_, err = log.WriteString("more")
	check(t, err)
	r.wait("r")
	r.equal(dst)
}
