package transfer

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// A directory that could not be made is tried again with all that is in it, and what fails in
// that is left alone.
func TestDirectoryThatFailed(t *testing.T) {
	t.Parallel()
	l, r := localLane(t)
	put(t, l.root, "d/sub/f", "d/sub/e/f", "d/sub/fails/f")
	check(t, os.Mkdir(filepath.Join(r.RemotePath, "d"), 0o755))
	tried := entryOf("d/sub")
	tried.Change, tried.Attempts = watch.Entry|watch.Content|watch.Tree, 1
	o := orderOf(r, tried)
	o.Failing, o.Except = []*dirty.Entry{tried}, []string{"d/sub", "d/sub/fails"}
	succeed(t, l.Transfer(t.Context(), o, new(asker)))
	for name, want := range map[string]bool{"d/sub/f": true, "d/sub/e/f": true, "d/sub/fails/f": false} {
		if got := exists(filepath.Join(r.RemotePath, name)); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
}

// What changes below a directory that fails goes by itself, also when a directory above that
// is compared as a whole, which leaves it alone.
func TestChangesBelowAFailingDirectory(t *testing.T) {
	for name, lane := range map[string]func(testing.TB) (*Lane, config.Remote){"local": localLane, "ssh": sshLane} {
		t.Run(name, func(t *testing.T) {
			l, r := lane(t)
			put(t, l.root, "d/fails/new", "d/other")
			put(t, r.RemotePath, "d/fails/gone", "d/fails/stays")
			all := entryOf("d")
			all.Change = watch.Content
			o := orderOf(r, all, entryOf("d/fails/gone"), entryOf("d/fails/new"))
			o.Failing, o.Except = []*dirty.Entry{{Path: "d/fails", Change: watch.Content, Attempts: 1}}, []string{"d/fails"}
			succeed(t, l.Transfer(t.Context(), o, new(asker)))
			for name, want := range map[string]bool{"d/other": true, "d/fails/new": true, "d/fails/stays": true, "d/fails/gone": false} {
				if got := exists(filepath.Join(r.RemotePath, name)); got != want {
					t.Errorf("%s is there: %v", name, got)
				}
			}
		})
	}
}
