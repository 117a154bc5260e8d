package monitor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

// A root that is not there when the monitor starts halts it, and nothing else:
// it answers, takes in definitions, and goes on when the directory comes that is
// the workspace's.
func TestRunStartsWithoutRoot(t *testing.T) {
	t.Parallel()
	for _, watcher := range []string{"auto", "notify"} {
		t.Run(watcher, func(t *testing.T) {
			t.Parallel()
			if watcher != "auto" {
				remotetest.Long(t, testing.Short())
			}
			base, dst, other := newDir(t), newDir(t), newDir(t)
			src := filepath.Join(base, "mounted", "src")
			write(t, base, "mounted/src/a", "mounted/src/d/b")
			write(t, dst, "a", "gone meanwhile")
			d := definitionOf(t, src, localRemote("r", dst))
			d.Settings.Watcher = watcher
			check(t, os.Rename(filepath.Join(base, "mounted"), filepath.Join(base, "away")))
			r := launch(t, d)
			halted := func(reason string) func(report.RemoteStatus) bool {
				return func(s report.RemoteStatus) bool {
					return s.State == report.Halted && strings.Contains(s.Error, reason)
				}
			}
			r.until("r", "halted", halted("is gone"))

			r.definition.Workspace.Paused = true
			r.send()
			r.until("r", "paused", func(s report.RemoteStatus) bool { return s.State == report.Paused })
			adopting := localRemote("other", other)
			adopting.AdoptionPending = true
			r.definition.Workspace.Paused = false
			r.definition.Workspace.Remotes = append([]config.Remote{adopting}, r.definition.Workspace.Remotes...)
			r.definition.Ping = 7
			r.definition.Barrier++
			r.send()
			r.until("other", "halted, too", halted("is gone"))
			r.until("r", "the answers", func(s report.RemoteStatus) bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				return r.last.Pong == 7 && s.Asked == 1
			})

			write(t, base, "mounted/src/another")
			r.until("r", "another directory", halted("it was replaced"))
			check(t, os.RemoveAll(filepath.Join(base, "mounted")))
			if s := r.remote("r"); s.Barrier != 0 || s.LastFullPass != nil {
				t.Errorf("%+v", s)
			}
			if !exists(filepath.Join(dst, "gone meanwhile")) || exists(filepath.Join(dst, "another")) {
				t.Error("something was mirrored")
			}

			check(t, os.Rename(filepath.Join(base, "away"), filepath.Join(base, "mounted")))
			r.until("r", "the first wait", func(s report.RemoteStatus) bool { return s.Barrier >= 1 })
			r.equal(dst)
			write(t, src, "new/f", "d/b2")
			r.wait("r")
			r.equal(dst)
			if s := r.wait("other"); !s.Adopted {
				t.Errorf("%+v", s)
			}
			r.equal(other)
		})
	}
}
