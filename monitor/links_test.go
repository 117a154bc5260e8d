package monitor

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// A file is written by a name that is gone, and lives on under another one that
// no event has.
func TestWriteByALostName(t *testing.T) {
	for name, lose := range map[string]func(b *bench){
		"removed": func(b *bench) { check(b.t, os.Remove(filepath.Join(b.src, "a"))) },
		"replaced": func(b *bench) {
			write(b.t, b.src, "new")
			check(b.t, os.Rename(filepath.Join(b.src, "new"), filepath.Join(b.src, "a")))
			b.change(made, "new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "a", "keep")
			b.pass()
			check(t, os.Link(filepath.Join(b.src, "a"), filepath.Join(b.src, "b")))
			b.change(made, "b")
			b.change(watch.Meta, "a")
			b.drain()
			b.drain()
			b.proven()
			file, err := os.OpenFile(filepath.Join(b.src, "a"), os.O_WRONLY|os.O_APPEND, 0)
			check(t, err)
			defer file.Close()
			lose(b)
			b.change(made, "a")
			b.drain()
			b.drain()
			_, err = file.WriteString("more")
			check(t, err)
			b.change(watch.Content, "a")
			b.drain()
			b.proven()
		})
	}
}

// A tree that goes as a whole may have a file in it that was changed, and has a
// name elsewhere.
func TestWriteInATreeToAFileWithAnotherName(t *testing.T) {
	for name, large := range map[string]bool{"small": false, "by rsync": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "other/name", "keep")
			b.pass()
			write(t, b.src, "d/f")
			if large {
				check(t, os.Truncate(filepath.Join(b.src, "d/f"), small.FileSize+1))
			}
			check(t, os.MkdirAll(filepath.Join(b.src, "d/sub"), 0o755))
			check(t, os.Link(filepath.Join(b.src, "other/name"), filepath.Join(b.src, "d/sub/name")))
			check(t, os.WriteFile(filepath.Join(b.src, "d/sub/name"), []byte("something longer than before"), 0o644))
			b.change(madeDir, "d")
			b.change(watch.Content, "d/sub/name")
			b.drain()
			b.drain()
			b.proven()
		})
	}
}

// A file is written by a name that nobody has looked at, and that is gone when
// its turn comes: it is the older of two.
func TestWriteByAnOlderName(t *testing.T) {
	b := newBench(t)
	write(t, b.src, "older", "keep", "outside")
	check(t, os.Link(filepath.Join(b.src, "older"), filepath.Join(b.src, "newer")))
	check(t, os.Link(filepath.Join(b.src, "outside"), filepath.Join(newDir(t), "elsewhere")))
	b.pass()
	check(t, os.WriteFile(filepath.Join(b.src, "older"), []byte("something longer than before"), 0o644))
	check(t, os.Remove(filepath.Join(b.src, "older")))
	b.change(watch.Content, "older")
	b.change(made, "older")
	b.drain()
	b.drain()
	b.proven()
	if b.lane.links.Outside() != 1 {
		t.Error("a name outside of the workspace is not counted")
	}
}

// A name comes and goes, with a write by it in between, while a remote is paused.
func TestWriteByANameThatNoLaneHasSeen(t *testing.T) {
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

// While other names are looked for, nothing from before is on the remotes.
func TestSearchKeepsBarriersWaiting(t *testing.T) {
	b := newBench(t)
	write(t, b.src, "a")
	b.pass()
	b.noteSearch(5, b.now, 1)
	b.addBarrier(1, 6, b.now)
	b.mu.Lock()
	b.answer()
	b.mu.Unlock()
	if s := b.status(b.now); s.Barrier != 0 || s.State != report.Pending || s.NamesSought != 1 {
		t.Errorf("barrier %d, %s, %d sought", s.Barrier, s.State, s.NamesSought)
	}
	b.noteSearch(0, b.now, 0)
	b.mu.Lock()
	b.answer()
	b.mu.Unlock()
	if s := b.status(b.now); s.Barrier != 1 {
		t.Errorf("barrier %d, %s", s.Barrier, s.State)
	}
}
