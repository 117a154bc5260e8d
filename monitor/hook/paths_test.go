package hook

import (
	"fmt"
	"strings"
	"testing"

	"wsync/monitor/report"
)

func TestPaths(t *testing.T) {
	for names, want := range map[string]string{
		"":               "",
		"b a b":          "a b",
		"a .":            ".",
		". a":            ".",
		"d/x\ny d/x\nz":  "d",
		"top\nlevel":     ".",
		"d\ne/f g":       "g .", // a directory at the top
		"a\rb/c":         ".",
		"d/e\n/f/g\nh a": "a d",
	} {
		var p Paths
		for _, name := range strings.Split(names, " ") {
			if name != "" {
				p.Add(name)
			}
		}
		if strings.Contains(want, ".") {
			want = "."
		}
		if got := strings.Join(strings.Fields(p.Lines()), " "); got != want {
			t.Errorf("%q: told %q, want %q", names, got, want)
		}
		if read := ReadLines(p.Lines()); read.Lines() != p.Lines() || read.Len() != p.Len() {
			t.Errorf("%q: read as %q", p.Lines(), read.Lines())
		}
	}
}

func TestPathsAreBounded(t *testing.T) {
	var many, long Paths
	for i := range MaxPaths {
		many.Add(fmt.Sprint(i))
	}
	if many.Len() != MaxPaths {
		t.Errorf("%d of %d paths", many.Len(), MaxPaths)
	}
	if many.Add("one more"); many.Lines() != ".\n" {
		t.Errorf("%d paths", many.Len())
	}
	for i := range 1000 {
		long.Add(fmt.Sprint(i) + strings.Repeat("x", MaxBytes/1000))
	}
	if long.Lines() != ".\n" {
		t.Errorf("%d long paths", long.Len())
	}
	var of Paths
	list := report.PathList{Count: 2, Paths: []report.EventPath{report.NewEventPath("to", "from")}}
	of.AddList(report.PathList{Count: 1, Paths: list.Paths})
	if of.Lines() != "from\nto\n" {
		t.Errorf("a rename is told as %q", of.Lines())
	}
	if of.AddList(list); of.Lines() != ".\n" {
		t.Errorf("what has no name is told as %q", of.Lines())
	}
}
