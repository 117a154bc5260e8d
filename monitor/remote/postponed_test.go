package remote

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// postponed reads "path seconds" and "path seconds moved-to", due so long after start; a path
// that ends with a slash is a directory.
func postponed(lines ...string) Postponed {
	var names []Postponement
	for _, line := range lines {
		fields := strings.Fields(line)
		var seconds int
		_, _ = fmt.Sscan(fields[1], &seconds)
		q := Postponement{Gone: gone(fields[0]), Due: start.Add(time.Duration(seconds) * time.Second)}
		if len(fields) > 2 {
			q.MovedTo = fields[2]
		}
		names = append(names, q)
	}
	return NewPostponed(names, false)
}

func gone(name string) Gone {
	path := strings.TrimSuffix(name, "/")
	return Gone{Path: path, Dir: path != name}
}

// text writes it as postponed reads it.
func (p Postponed) text() (lines []string) {
	for q := range p.All() {
		name := q.Path
		if q.Dir {
			name += "/"
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d %s", name, q.Due.Sub(start)/time.Second, q.MovedTo)))
	}
	return lines
}

func TestPostponedUpdate(t *testing.T) {
	for name, test := range map[string]struct {
		before []string
		left   []string // due at 100
		forget []string
		want   []string
	}{
		"what is new is due later":                    {nil, []string{"b", "a/"}, nil, []string{"a/ 100", "b 100"}},
		"what is known keeps its time":                {[]string{"a 10"}, []string{"a"}, nil, []string{"a 10"}},
		"what is below goes with what is above":       {[]string{"d/ 10"}, []string{"d/x"}, nil, []string{"d/ 10"}},
		"of a directory that is here again":           {[]string{"d/ 10"}, []string{"d/x", "d/y/"}, []string{"d"}, []string{"d/x 10", "d/y/ 10"}},
		"what went before keeps its time":             {[]string{"d/x 10"}, []string{"d/"}, nil, []string{"d/ 100", "d/x 10"}},
		"a tree is one":                               {nil, []string{"d/x", "d/y", "d/"}, nil, []string{"d/ 100"}},
		"a name that only begins alike is no child":   {nil, []string{"d/", "d-x", "d0"}, nil, []string{"d/ 100", "d-x 100", "d0 100"}},
		"what is forgotten is gone":                   {[]string{"a 10", "b 20"}, nil, []string{"a", "c"}, []string{"b 20"}},
		"what is below a forgotten name stays":        {[]string{"d/ 10", "d/x 5"}, nil, []string{"d"}, []string{"d/x 5"}},
		"what was renamed by itself is known":         {[]string{"d/x 100 e"}, []string{"d/"}, nil, []string{"d/ 100", "d/x 100 e"}},
		"what was renamed with a directory":           {[]string{"d/ 10 e"}, []string{"d/x"}, []string{"d"}, []string{"d/x 10 e/x"}},
		"what was renamed with it, and that is known": {[]string{"d/ 10 e"}, []string{"d/x"}, nil, []string{"d/ 10 e"}},
	} {
		var left []Gone
		for _, name := range test.left {
			left = append(left, gone(name))
		}
		before := postponed(test.before...)
		got := before.Update(left, start.Add(100*time.Second), test.forget).text()
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if !slices.Equal(before.text(), postponed(test.before...).text()) {
			t.Errorf("%s: the value has changed", name)
		}
	}
}

// A name goes when it, or the nearest above it, is due, and all that is below it by itself.
func TestPostponedDue(t *testing.T) {
	p := postponed("a 10", "d/ 20", "d/late 30", "d/soon 5")
	for name, want := range map[string]int{"a": 10, "a/b": 10, "d": 30, "d/soon": 5, "d/late": 30, "d/late/x": 30, "d/else": 20, "b": -1, "": -1, "d-x": -1} {
		due, ok := p.Due(name)
		if got := int(due.Sub(start) / time.Second); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %v, want %d", name, got, ok, want)
		}
	}
}

// What is too much is left out with the word that there is more: what is due last.
func TestPostponedLimit(t *testing.T) {
	p := postponed("a 10")
	var left []Gone
	for i := range PostponedLimit + 5 {
		left = append(left, gone(fmt.Sprintf("z%06d", i)))
	}
	p = p.Update(left, start.Add(100*time.Second), nil)
	if _, ok := p.Due("a"); !ok || p.Len() != PostponedLimit || !p.More() {
		t.Errorf("%d names, more %v, a is one %v", p.Len(), p.More(), ok)
	}
}
