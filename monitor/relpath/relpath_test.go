package relpath

import "testing"

func TestPaths(t *testing.T) {
	for _, test := range []struct {
		p, dir        string
		below, within bool
	}{
		{"a/b", "a", true, true},
		{"a/b/c", "a", true, true},
		{"a", "a", false, true},
		{"ab", "a", false, false},
		{"a", "a/b", false, false},
		{"a.b/c", "a", false, false},
		{"a", "", false, false},
		{"", "", false, true},
		{"", "a", false, false},
	} {
		if got := Below(test.p, test.dir); got != test.below {
			t.Errorf("Below(%q, %q) = %v", test.p, test.dir, got)
		}
		if got := Within(test.p, test.dir); got != test.within {
			t.Errorf("Within(%q, %q) = %v", test.p, test.dir, got)
		}
	}
	for p, want := range map[string]string{"a/b/c": "a/b", "a": "", "": ""} {
		if got := Parent(p); got != want {
			t.Errorf("Parent(%q) = %q", p, got)
		}
	}
	if Join("", "a") != "a" || Join("a/b", "c") != "a/b/c" {
		t.Error("Join")
	}
}
