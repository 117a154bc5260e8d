package notify

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	lib "github.com/rjeczalik/notify"

	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

// What is polled is known, and there: a directory that went while it was looked at
// would be polled for ever, in vain.
func TestOnlyWhatIsThereIsPolled(t *testing.T) {
	root := t.TempDir()
	watchtest.Mkdirs(t, filepath.Join(root, "a", "b"), filepath.Join(root, "c"))
	e := watchtest.NewEngine(t, root)
	w, err := New(root, watch.Options{CookieDir: t.TempDir(), MaxWatches: 1}, e)
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Stop(w.events)
	w.begin()
	if n := len(w.polls.Unwatched); n != 3 {
		t.Fatalf("%d directories are polled", n)
	}
	w.beginPoll("never/known", errors.New("it is gone"))
	if err := os.RemoveAll(filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	w.pollAll()
	if n := len(w.polls.Unwatched); n != 1 || w.polls.Of("c") == nil {
		t.Errorf("%d directories are polled: %v", n, w.polls.Unwatched)
	}
	if e.Said("a") == 0 || e.Said("never/known") != 0 {
		t.Errorf("reported: %v", e.Seen())
	}
	for path := range w.polls.Unwatched {
		if !w.arms.has(path) {
			t.Errorf("%q is polled and not known", path)
		}
	}
}
