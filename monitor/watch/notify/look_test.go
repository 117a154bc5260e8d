package notify

import (
	"path/filepath"
	"testing"

	lib "github.com/rjeczalik/notify"

	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

// The library goes on to watch what is not to be watched any more: of its events
// nothing is remembered, and nobody is woken for them.
func TestIgnoredEventsAreDropped(t *testing.T) {
	root := t.TempDir()
	watchtest.Mkdirs(t, filepath.Join(root, "a", "out", "b"), filepath.Join(root, "never"))
	e := watchtest.NewEngine(t, root)
	depths := watchtest.NewDepths(map[string]watch.Depth{"never": watch.Nothing})
	w, err := New(root, watch.Options{CookieDir: t.TempDir(), Enter: depths.Enter}, e)
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Stop(w.events)
	w.begin()
	depths.Say("out", watch.Nothing)
	w.Look([]string{"a"})
	w.lookAnew()
	for path, want := range map[string]bool{
		"": true, "a": true, "a/out": true, "a/other": true, "a/outer/file": true, "out/file": true,
		"a/out/file": false, "a/out/b": false, "a/out/b/c/d": false,
	} {
		abs := filepath.Join(w.dir, path)
		if got := w.note(abs, lib.Create, "/cookies/"); got != want {
			t.Errorf("noted %v of %q", got, path)
		}
		if _, got := w.hints[path]; got != want {
			t.Errorf("remembered %v of %q", got, path)
		}
	}
	if len(w.ignored) != 1 {
		t.Errorf("ignored: %v", w.ignored) // what never was watched has no events
	}
	// Those that were under way come to nothing.
	for _, path := range []string{"a/out/b/c", "never/x", "never/x/y"} {
		w.look(path, lib.Create)
	}
	if len(e.Seen()) > 0 {
		t.Errorf("reported: %v", e.Seen())
	}
	depths.Say("out", watch.Whole)
	w.Look([]string{""})
	w.lookAnew()
	if e.Said("a/out")&watch.Tree == 0 || len(e.Seen()) != 1 || !w.note(filepath.Join(w.dir, "a/out/b"), lib.Create, "/cookies/") {
		t.Errorf("reported: %v, ignored: %v", e.Seen(), w.ignored)
	}
}
