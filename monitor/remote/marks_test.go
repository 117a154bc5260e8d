package remote

import (
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/watch"
)

// What has a name of wsync's own is not marked; the times of the directory that
// it lies in are.
func TestMarksOfOwnNames(t *testing.T) {
	m := testMachine()
	m.remote = config.Remote{DelayUpdates: true, Trash: config.Age(time.Hour)}
	now := start
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for _, e := range m.set.Take(now).Entries {
			got = append(got, e.Path)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q are dirty, expected %q", got, want)
		}
	}
	mark := func(path string, change watch.Change) { m.Mark(path, change, 1, now) }
	mark("a", watch.Content)
	mark(".wsync-trash/x", watch.Entry)
	mark(".wsync-trash", watch.Meta)
	mark("d/.wsync-delayed/x", watch.Entry|watch.Content)
	expect("a")
	mark(".wsync-trash", watch.Entry|watch.Tree)
	mark("d/.wsync-delayed", watch.Entry|watch.Tree)
	expect("", "d")
	m.Moved("d/.wsync-delayed/x", "d/x", watch.Entry|watch.Content, true, 1, now)
	expect("d/x")
	m.Moved("a", ".wsync-trash", watch.Entry|watch.Content|watch.Tree, true, 1, now)
	expect("", "a")
	m.remote = config.Remote{}
	mark(".wsync-trash/x", watch.Entry)
	expect(".wsync-trash/x")
}
