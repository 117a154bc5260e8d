package config

import (
	"testing"
	"time"
)

func TestSameMirror(t *testing.T) {
	m := Mark{ID: "1", Workspace: "w", Remote: "r", Destination: "h:/x", User: "u", Host: "h", Directory: "/d", Until: time.Unix(1, 0)}
	again := m
	again.ID, again.Destination, again.Until = "2", "/x", time.Unix(2, 0)
	if !m.SameMirror(again) || !m.SameMirror(m) {
		t.Error("a remote that was attached anew is another")
	}
	for name, change := range map[string]func(*Mark){
		"workspace": func(o *Mark) { o.Workspace = "x" },
		"remote":    func(o *Mark) { o.Remote = "x" },
		"user":      func(o *Mark) { o.User = "x" },
		"host":      func(o *Mark) { o.Host = "x" },
		"directory": func(o *Mark) { o.Directory = "x" },
	} {
		other := again
		change(&other)
		if m.SameMirror(other) {
			t.Errorf("one of another %s is the same", name)
		}
	}
	if a, b := NewID(), NewID(); a == b || len(a) != 32 {
		t.Errorf("%s, %s", a, b)
	}
}
