package config

import (
	"testing"
	"time"
)

func TestIsOwn(t *testing.T) {
	for path, want := range map[string]bool{
		"": false, "a": false, ".wsync-delayed": true, ".wsync-delayed/a": true, "a/.wsync-delayed": true, "a/.wsync-delayed/b/c": true,
		".wsync-delayed2": false, "a.wsync-delayed/b": false,
	} {
		if got := (Remote{DelayUpdates: true}).IsOwn(path); got != want {
			t.Errorf("%q: %t", path, got)
		}
		if (Remote{Trash: Age(time.Hour)}).IsOwn(path) {
			t.Errorf("%q is in the trash", path)
		}
		if (Remote{}).IsOwn(path) {
			t.Errorf("%q is wsync's own for a remote without delays", path)
		}
	}
}

func TestIsOwnTrash(t *testing.T) {
	for path, want := range map[string]bool{
		"": false, "a": false, ".wsync-trash": true, ".wsync-trash/a/b": true, "a/.wsync-trash": false, ".wsync-trash2/a": false, ".wsync-delayed": false,
	} {
		if got := (Remote{Trash: Age(time.Hour)}).IsOwn(path); got != want {
			t.Errorf("%q: %t", path, got)
		}
	}
}
