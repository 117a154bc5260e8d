package dirty

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/watch"
)

// What is taken beside another transfer that has some of the paths. Nothing goes
// below what may be something else on the remote and does not go.
func TestTakeFree(t *testing.T) {
	now := time.Unix(1000, 0)
	const made = watch.Entry | watch.Content
	for name, test := range map[string]struct {
		mark func(s *Set)
		busy string // paths that are not free
		want string
	}{
		"a file":                            {func(s *Set) { s.Mark("d/a", made, 1, now) }, "d", "d/a"},
		"one that is not free":              {func(s *Set) { s.Mark("d/a", made, 1, now) }, "d d/a", ""},
		"below a new directory":             {func(s *Set) { s.Mark("d/a", made, 1, now); s.Mark("d", wholly, 2, now) }, "", "d d/a"},
		"below one that is not free":        {func(s *Set) { s.Mark("d/e/a", made, 1, now); s.Mark("d", wholly, 2, now); s.Mark("x", made, 2, now) }, "d", "x"},
		"below one whose mode changed":      {func(s *Set) { s.Mark("d/a", made, 1, now); s.Mark("d", watch.Meta, 2, now) }, "d", "d/a"},
		"below one that fails":              {func(s *Set) { s.Restore(failing("d"), now.Add(time.Hour)); s.Mark("d/a", made, 1, now) }, "", ""},
		"a rename, and a file":              {func(s *Set) { s.Move("a", "b", false, 1, now); s.Mark("x", made, 2, now) }, "", "a>b x"},
		"a rename that is not free":         {func(s *Set) { s.Move("a", "b", false, 1, now); s.Mark("x", made, 2, now) }, "b", ""},
		"into a directory that is not free": {func(s *Set) { s.Move("a", "d/b", false, 1, now); s.Mark("d", wholly, 2, now) }, "d", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSet()
			test.mark(s)
			free := func(p string) bool { return !slices.Contains(strings.Fields(test.busy), p) }
			at, ok := s.RipeFree(free)
			if ready := ok && !at.After(now); ready != (test.want != "") {
				t.Errorf("ripe at %v, %v", at, ok)
			}
			if got := named(s.TakeFree(now, free)); got != test.want {
				t.Errorf("takes %q, expected %q", got, test.want)
			}
		})
	}
}

const wholly = watch.Entry | watch.Content | watch.Tree

func failing(p string) Batch {
	return Batch{Entries: []*Entry{{Path: p, Change: wholly, Attempts: 1}}}
}

// named are the names of a batch, sorted.
func named(b Batch) string {
	var names []string
	for _, m := range b.Moves {
		names = append(names, m.From+">"+m.To)
	}
	for _, e := range b.Entries {
		names = append(names, e.Path)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
