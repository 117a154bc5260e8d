package monitor

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// What is appended to a file that stays open is there without its being closed.
func TestAppendsToAnOpenFile(t *testing.T) {
	dst := newDir(t)
	r := startMonitor(t, []string{"log"}, localRemote("r", dst))
	r.wait("r")
	log, err := os.OpenFile(filepath.Join(r.src, "log"), os.O_WRONLY|os.O_APPEND, 0)
	check(t, err)
	defer log.Close()
	for i := range 20 {
		_, err := fmt.Fprintln(log, "line", i)
		check(t, err)
		want, err := log.Stat()
		check(t, err)
		poll(t, "an append", func() bool {
			info, err := os.Stat(filepath.Join(dst, "log"))
			return err == nil && info.Size() == want.Size()
		})
	}
	// Whoever waits does not wait for an interval.
	_, err = log.WriteString("more")
	check(t, err)
	r.wait("r")
	r.equal(dst)
}
