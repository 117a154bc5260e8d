package rsync

import (
	"slices"
	"testing"
)

func TestTemporaryOf(t *testing.T) {
	for name, want := range map[string][]string{
		"d/.a.txt.x1Y2z3": {"d/a.txt", "d/.a.txt"}, ".b.AbCdEf": {"b", ".b"}, "d/a.txt": nil, ".b.AbCdE": nil, "b.AbCdEf": nil, "": nil,
	} {
		if got := TemporaryOf(name); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
