package requests

import (
	"slices"
	"testing"
)

func TestReached(t *testing.T) {
	var q Queue
	var placed []uint64
	var done []string
	add := func(name string) {
		q.Add(func(n uint64) { placed = append(placed, n) }, func() { done = append(done, name) })
	}
	add("a")
	add("b")
	add("c")
	q.Reached(0)
	if len(done) != 0 {
		t.Errorf("%q was done before its barrier", done)
	}
	q.Reached(2)
	if !slices.Equal(done, []string{"a", "b"}) {
		t.Errorf("at barrier 2, %q was done", done)
	}
	q.Reached(2)
	q.Reached(3)
	if !slices.Equal(done, []string{"a", "b", "c"}) || !slices.Equal(placed, []uint64{1, 2, 3}) {
		t.Errorf("%q was done, of barriers %d", done, placed)
	}
}
