package dirty

import (
	"testing"
	"time"

	"wsync/monitor/watch"
)

func TestCovers(t *testing.T) {
	s, now := NewSet(), time.Now()
	s.Mark("d/new", watch.Entry|watch.Tree, 1, now)
	s.Mark("d/mode", watch.Meta, 1, now)
	for path, want := range map[string]bool{"d/new": true, "d/new/x/y": true, "d/mode": true, "d/mode/x": false, "d": false, "": false, "d/ne": false} {
		if s.Covers(path) != want {
			t.Errorf("%q: %t", path, !want)
		}
	}
	s.MarkEverything(1, now, now)
	if !s.Covers("other") {
		t.Error("everything does not cover a path")
	}
}
