package transfer

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// A rename whose event comes after a transfer that has already seen what is at
// the old name now is not repeated on the remote: the other file would take the
// name of the renamed one.
func TestMoveBehindATransfer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		late bool // the event comes when the watcher's queue was seen to its end
		want bool // the rename is repeated
	}{
		"the queue is not read yet": {false, false},
		"nothing was in the queue":  {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "x/c", "keep")
			b.pass()
			b.equal()
			var forget []func()
			b.afterEvents = func(do func()) { forget = append(forget, do) }
			if test.late {
				b.change(made, "x/c")
				b.transfer()
				b.transfer() // the confirmation
				for _, f := range forget {
					f()
				}
			}
			check(t, os.Rename(filepath.Join(b.src, "x"), filepath.Join(b.src, "y")))
			write(t, b.src, "x/c")
			check(t, os.WriteFile(filepath.Join(b.src, "x/c"), nil, 0o644))
			if !test.late {
				b.change(made, "x/c") // of something else, before the rename is known
				b.transfer()
				b.transfer()
			}
			b.seq++
			b.Moved("x", "y", madeDir, true, b.seq, b.now)
			b.change(watch.Entry|watch.Tree, "x")
			repeated := len(b.Account().Moves) > 0
			if repeated != test.want {
				t.Errorf("the rename is repeated: %v", repeated)
			}
		})
	}
}

// While a transfer runs, a file is moved out of a directory, and a link takes the
// place of the directory. The transfer makes the link, so that the rename would
// find another file behind it.
func TestMoveThroughAnObstacle(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, "d/sub/f", "d/other", "e/other", "e/sub/f")
	b.pass()
	b.equal()
	b.change(watch.Content, "d/sub/f")
	b.afterEvents = func(func()) {} // the watcher is not done yet
	taken := false
	b.guard = func() string {
		if taken {
			return "" // it looks again
		}
		taken = true
		check(t, os.Rename(filepath.Join(b.src, "d/other"), filepath.Join(b.src, "out")))
		check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "old")))
		check(t, os.Symlink("e", filepath.Join(b.src, "d")))
		b.seq++
		b.Moved("d/other", "out", made, true, b.seq, b.now)
		return ""
	}
	b.transfer()
	b.guard = func() string { return "" }
	b.seq++
	b.Moved("d/sub2", "elsewhere", made, true, b.seq, b.now)
	if len(b.Account().Moves) > 0 {
		t.Error("what was moved before, and is told of now, would be repeated")
	}
	b.seq++
	b.Moved("d", "old", madeDir, true, b.seq, b.now)
	b.change(made, "d")
	b.drain()
	b.equal()
}
