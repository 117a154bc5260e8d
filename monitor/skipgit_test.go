package monitor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

type losslessWatcher struct{ watch.Watcher }

func (losslessWatcher) Stats() watch.Stats { return watch.Stats{Lossless: true} }

func TestSkippingMarks(t *testing.T) {
	for _, test := range []struct {
		name   string
		happen func(watch.Sink)
		dirty  string
	}{
		{"changes", func(s watch.Sink) {
			for _, p := range []string{"a", ".git", ".git/index", "b/.git/x", "b/.git", ".gitignore", ""} {
				s.Changed(p, watch.Content)
			}
		}, "/ /.gitignore /a"},
		{"the times of its directory", func(s watch.Sink) {
			s.Changed("b/.git", watch.Entry|watch.Tree)
			s.Changed("c/.git/index", watch.Entry)
		}, "/b"},
		{"and of the root", func(s watch.Sink) { s.Changed(".git", watch.Entry) }, "/"},
		{"a move", func(s watch.Sink) { s.Moved("a", "b", false) }, "/a! /b"},
		{"a move in", func(s watch.Sink) { s.Moved("a", ".git/b", false) }, "/a"},
		{"a move onto its name", func(s watch.Sink) { s.Moved("x/a", "x/.git", true) }, "/x /x/a"},
		{"a move out", func(s watch.Sink) { s.Moved(".git/a", "b", true) }, "/b"},
		{"a move within", func(s watch.Sink) { s.Moved("x/.git/a", ".git/b", true) }, ""},
		{"a new name for it", func(s watch.Sink) { s.Moved("x/.git", "x/.git.old", true) }, "/x /x/.git.old"},
	} {
		w := &worker{log: zap.NewNop(), lane: &lane{}, set: dirty.NewSet(), confirmations: remote.NewConfirmations(), changed: func(bool) {}}
		m := &mirror{watcher: losslessWatcher{}, links: newLinks(t.TempDir(), true, nil), workers: map[string]*runningWorker{"r": {worker: w}}}
		test.happen(skipping{m})
		var got []string
		for _, e := range w.set.Take(time.Now()).Entries {
			mark := "/" + e.Path
			if e.Cleared() {
				mark += "!"
			}
			got = append(got, mark)
		}
		if slices.Sort(got); strings.Join(got, " ") != test.dirty {
			t.Errorf("%s: %q, expected %q", test.name, got, test.dirty)
		}
	}
}

func TestGuardWithoutGit(t *testing.T) {
	root := newDir(t)
	write(t, root, ".git/a", ".git/b", "sub/.git/c", "sub/.git/d", "x")
	if n, all := countEntries(root, 100, true), countEntries(root, 100, false); n != 2 || all != 8 {
		t.Errorf("%d of %d entries count", n, all)
	}
	limits := deletionLimits{share: 0.5, count: 2}
	if limits.judge(root, 3) != "" {
		t.Error("3 of 11 are held")
	}
	limits.skipGit = true
	if limits.judge(root, 3) == "" {
		t.Error("3 of 5 are not held")
	}
	empty := newDir(t)
	write(t, empty, ".git/a")
	if limits.judge(empty, 1) == "" || (deletionLimits{count: 2}).judge(empty, 1) != "" {
		t.Error("a directory with nothing but .git is not empty, or the other way round")
	}
}
