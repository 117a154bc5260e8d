package config

import "testing"

func TestIsOwn(t *testing.T) {
	for path, want := range map[string]bool{
		"": false, "a": false, ".wsync-delayed": true, ".wsync-delayed/a": true, "a/.wsync-delayed": true, "a/.wsync-delayed/b/c": true,
		".wsync-delayed2": false, "a.wsync-delayed/b": false,
	} {
		if got := (Remote{DelayUpdates: true}).IsOwn(path); got != want {
			t.Errorf("%q: %t", path, got)
		}
		if (Remote{}).IsOwn(path) {
			t.Errorf("%q is wsync's own for a remote without delays", path)
		}
	}
}
