package transfer

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// A file is written by a name that is gone, and lives on under another one that
// no event has.
func TestWriteByALostName(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
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
			b.equal()
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
			b.equal()
		})
	}
}

// A tree that goes as a whole may have a file in it that was changed, and has a
// name elsewhere.
func TestWriteInATreeToAFileWithAnotherName(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for name, large := range map[string]bool{"small": false, "by rsync": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "other/name", "keep")
			b.pass()
			write(t, b.src, "d/f")
			if large {
				check(t, os.Truncate(filepath.Join(b.src, "d/f"), directLimits.FileSize+1))
			}
			check(t, os.MkdirAll(filepath.Join(b.src, "d/sub"), 0o755))
			check(t, os.Link(filepath.Join(b.src, "other/name"), filepath.Join(b.src, "d/sub/name")))
			check(t, os.WriteFile(filepath.Join(b.src, "d/sub/name"), []byte("something longer than before"), 0o644))
			b.change(madeDir, "d")
			b.change(watch.Content, "d/sub/name")
			b.drain()
			b.drain()
			b.equal()
		})
	}
}

// A file is written by a name that nobody has looked at, and that is gone when
// its turn comes: it is the older of two.
func TestWriteByAnOlderName(t *testing.T) {
	t.Parallel()
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
	b.equal()
	if b.lane.links.Outside() != 1 {
		t.Error("a name outside of the workspace is not counted")
	}
}

// While other names are looked for, nothing from before is on the remotes.
func TestSearchKeepsBarriersWaiting(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, "a")
	b.pass()
	b.SetSearch(remote.Search{Seq: 5, Since: b.now, Files: 1})
	b.AddBarrier(1, 6, b.now)
	b.Answer()
	if s := b.Status(b.now); s.Barrier != 0 || s.State != report.Pending || s.NamesSought != 1 {
		t.Errorf("barrier %d, %s, %d sought", s.Barrier, s.State, s.NamesSought)
	}
	b.SetSearch(remote.Search{Seq: 0, Since: b.now, Files: 0})
	b.Answer()
	if s := b.Status(b.now); s.Barrier != 1 {
		t.Errorf("barrier %d, %s", s.Barrier, s.State)
	}
}
