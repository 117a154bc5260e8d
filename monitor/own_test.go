package monitor

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

// What has a name of wsync's own is not marked; the times of the directory that
// it lies in are.
func TestMarksOfOwnNames(t *testing.T) {
	w := &worker{log: zap.NewNop(), lane: &lane{}, set: dirty.NewSet(), confirmations: remote.NewConfirmations(), changed: func(bool) {}}
	w.remote = config.Remote{DelayUpdates: true, Trash: config.Age(time.Hour)}
	now := time.Now()
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for _, e := range w.set.Take(now).Entries {
			got = append(got, e.Path)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q are dirty, expected %q", got, want)
		}
	}
	mark := func(path string, change watch.Change) { w.mark(path, change, 1, now) }
	mark("a", watch.Content)
	mark(".wsync-trash/x", watch.Entry)
	mark(".wsync-trash", watch.Meta)
	mark("d/.wsync-delayed/x", watch.Entry|watch.Content)
	expect("a")
	mark(".wsync-trash", watch.Entry|watch.Tree)
	mark("d/.wsync-delayed", watch.Entry|watch.Tree)
	expect("", "d")
	w.markMoved("d/.wsync-delayed/x", "d/x", watch.Entry|watch.Content, true, 1, now)
	expect("d/x")
	w.markMoved("a", ".wsync-trash", watch.Entry|watch.Content|watch.Tree, true, 1, now)
	expect("", "a")
	w.remote = config.Remote{}
	mark(".wsync-trash/x", watch.Entry)
	expect(".wsync-trash/x")
}
