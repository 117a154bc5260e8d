package monitor

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/report"
)

// A name comes and goes, with a write by it in between, while a remote is paused.
func TestWriteByANameThatNoLaneHasSeen(t *testing.T) {
	t.Parallel()
	dst := newDir(t)
	r := startMonitor(t, []string{"a", "keep"}, localRemote("r", dst))
	r.wait("r")
	r.definition.Workspace.Paused = true
	r.send()
	r.until("r", "paused", func(s report.RemoteStatus) bool { return s.State == report.Paused })
	check(t, os.Link(filepath.Join(r.src, "a"), filepath.Join(r.src, "b")))
	r.definition.Barrier++
	r.send()
	r.until("r", "that the link is known", func(s report.RemoteStatus) bool { return s.Asked >= r.definition.Barrier })
	check(t, os.WriteFile(filepath.Join(r.src, "b"), []byte("something longer than before"), 0o644))
	check(t, os.Remove(filepath.Join(r.src, "b")))
	r.definition.Workspace.Paused = false
	r.wait("r")
	r.equal(dst)
}
