package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/walk"
)

// TestIsBehind: wherever a comparison goes on, it comes to what a walk visits later, also
// where the file it was at is gone.
func TestIsBehind(t *testing.T) {
	root := newDir(t)
	for _, name := range []string{"a/b/c", "a/b.txt", "a.txt", "a-b/x", "a0", "b/a", "z"} {
		write(t, root, name, "x")
	}
	var all []string
	walk.Tree{Root: root}.Files(context.Background(), "", func(name string, _ fs.DirEntry) bool {
		all = append(all, name)
		return true
	})
	for i, after := range all {
		for _, at := range []string{after, after + "+gone"} {
			p := parts{after: at}
			for j, name := range all {
				if got := p.isBehind(name); got != (j > i) {
					t.Errorf("after %s: %s is to be compared: %v", at, name, got)
				}
			}
		}
	}
}

// A step that fails takes the same files again, and has found nothing twice.
func TestStepIsMadeAgain(t *testing.T) {
	b := newBench(t)
	write(t, b.src, numbered("f", 30)...)
	b.pass()
	for _, name := range []string{"f3", "f7"} { // with the same size and time
		info, err := os.Stat(filepath.Join(b.dst, name))
		check(t, err)
		check(t, os.WriteFile(filepath.Join(b.dst, name), bytes.Repeat([]byte{'?'}, int(info.Size())), 0o644))
		check(t, os.Chtimes(filepath.Join(b.dst, name), info.ModTime(), info.ModTime()))
	}
	id := report.Comparison{ID: "c", Checksum: true}
	b.Define(remote.Definition{Remote: b.remote, Comparisons: []report.Comparison{id}}, b.seq, b.now)
	file := filepath.Join(newDir(t), "found")
	c := b.lane.Compare(id, file, func(context.Context) (remote.Known, bool) { return b.Known("c") })
	defer c.Close()
	s := b.Machine.Compare(b.seq, b.now)
	if s == nil {
		t.Fatal("there is no step to be made")
	}
	step := func() remote.StepEnd {
		return c.Step(t.Context(), s.Order, benchAsker{b, s, b.now, time.Now()})
	}
	step() // a look
	step() // a list of all files
	path := os.Getenv("PATH")
	d := newDir(t)
	check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(fmt.Sprintf("#!/bin/sh\nPATH='%s' rsync \"$@\"\nexit 12\n", path)), 0o755))
	t.Setenv("PATH", d+":"+path)
	if end := step(); end.Failure == nil || end.Status.Files != 0 {
		t.Fatalf("%+v", end)
	}
	t.Setenv("PATH", path)
	end := remote.StepEnd{}
	for range 5 {
		if end = step(); end.Failure != nil {
			t.Fatal(end.Failure)
		}
		if end.Status.State.Ended() {
			break
		}
	}
	if end.Status.Summary == nil || end.Status.Summary.Files != 30 || end.Status.Summary.Differences != 2 {
		t.Errorf("%+v", end.Status.Summary)
	}
	found, err := os.ReadFile(file)
	check(t, err)
	if n := bytes.Count(found, []byte("\n")); n != 2 {
		t.Errorf("%d differences:\n%s", n, found)
	}
}
