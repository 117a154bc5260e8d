package transfer

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// The events of a new directory's entries come before that of the directory, which
// is told when all of it is watched. That it is new on the remote is no loss then;
// without that event, it is.
func TestNewDirectoryIsNoLoss(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for _, told := range []bool{true, false} {
		b := newBench(t)
		b.pass()
		check(t, os.MkdirAll(filepath.Join(b.src, "d", "e"), 0o755))
		check(t, os.WriteFile(filepath.Join(b.src, "d", "e", "f"), []byte("f"), 0o644))
		b.afterEvents = func(do func()) {
			if told {
				b.change(watch.Entry|watch.Tree, "d")
			}
			told = false
			do()
		}
		isNew := told
		b.change(watch.Meta, "d/e")
		b.change(watch.Content, "d/e/f")
		b.transfer()
		if lost := b.Account().Everything; lost == isNew {
			t.Errorf("told %v: a full pass is due: %v", isNew, lost)
		}
	}
}
