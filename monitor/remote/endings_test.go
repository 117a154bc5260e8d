package remote

import (
	"testing"

	"wsync/monitor/dirty"
)

func TestEndings(t *testing.T) {
	var e Endings
	first := e.Add(dirty.Batch{Entries: []*dirty.Entry{{Path: "a/b"}}}, []*dirty.Entry{{Path: "c"}})
	second := e.Add(dirty.Batch{Entries: []*dirty.Entry{{Path: "d"}}}, nil)
	for path, want := range map[string]bool{"a": true, "a/b": true, "a/b/x": true, "a/x": false, "c/x": true, "d": true, "x": false} {
		if got := e.Touch(path); got != want {
			t.Errorf("%s: %v, expected %v", path, got, want)
		}
	}
	for path, want := range map[string]bool{"a": false, "a/b": false, "a/b/x": true, "a/x": false, "c/x": true, "d": false, "x/y": false} {
		if got := e.Overtook(path); got != want {
			t.Errorf("overtook %s: %v, expected %v", path, got, want)
		}
	}
	e.Add(dirty.Batch{Entries: []*dirty.Entry{{Path: ""}}}, nil)
	if e.Overtook("x/y") {
		t.Error("the root is always a directory")
	}
	e.Forget(first)
	if e.Touch("a/b") || e.Touch("c") || !e.Touch("d") {
		t.Error("the wrong transfer is forgotten")
	}
	e.Forget(second)
	if e.Touch("d") {
		t.Error("a transfer is not forgotten")
	}
	for range endingsLimit + 1 {
		second = e.Add(dirty.Batch{}, nil)
	}
	if !e.Touch("anything") || !e.Overtook("any/thing") || e.Overtook("anything") {
		t.Error("one of very many may have touched anything")
	}
	e.Forget(second)
	if e.Touch("anything") {
		t.Error("very many are not forgotten")
	}
}
