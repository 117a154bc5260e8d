package monitor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/links"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

type losslessWatcher struct{ watch.Watcher }

func (losslessWatcher) Stats() watch.Stats { return watch.Stats{Lossless: true} }

// What is excluded marks nothing but the times of the directory that it is in.
func TestExcludedMarks(t *testing.T) {
	rules := exclude.Of(config.Workspace{SkipGit: true})
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
		m := &mirror{watcher: losslessWatcher{}, links: links.New(t.TempDir(), rules, nil), exclude: rules, workers: map[string]*runningWorker{"r": {worker: w}}}
		test.happen(m)
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
