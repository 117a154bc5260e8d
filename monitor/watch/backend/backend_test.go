package backend

import (
	"strings"
	"testing"

	"wsync/monitor/watch"
)

func TestNew(t *testing.T) {
	dir, auto := t.TempDir(), "notify"
	if hasInotify {
		auto = "inotify"
	}
	for name, want := range map[string]string{"": auto, "auto": auto, "notify": "notify", auto: auto} {
		w, err := New(dir, watch.Options{Backend: name, CookieDir: dir}, nil)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if got := w.Stats(); got.Backend != want || got.Lossless != (want == "inotify") {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, opts := range map[string]watch.Options{
		"an unknown backend":       {Backend: "magic", CookieDir: dir},
		"no directory for cookies": {Backend: "notify"},
	} {
		if _, err := New(dir, opts, nil); err == nil {
			t.Errorf("New accepts %s", name)
		} else if !strings.HasPrefix(err.Error(), "cannot watch ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
