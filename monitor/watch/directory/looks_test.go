package directory

import (
	"fmt"
	"slices"
	"testing"
)

func TestLooks(t *testing.T) {
	var l Looks
	if l.Any() || len(l.Take()) > 0 {
		t.Error("there is something to look at")
	}
	l.Add([]string{"a", "b"})
	l.Add([]string{"b", "c"})
	if got := l.Take(); !slices.Equal(got, []string{"a", "b", "c"}) || l.Any() {
		t.Errorf("%q", got)
	}
	l.Add([]string{"a", "", "b"})
	if got := l.Take(); !slices.Equal(got, []string{""}) {
		t.Errorf("with the root: %q", got)
	}
	for i := range looksRoom + 1 {
		l.Add([]string{fmt.Sprint("dir", i)})
	}
	l.Add([]string{"more"})
	if got := l.Take(); !slices.Equal(got, []string{""}) {
		t.Errorf("too many: %d", len(got))
	}
}
