package monitor

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wsync/config"
	"wsync/monitor/watch"
)

// losslessWatcher is one that misses nothing. What it is asked to look at is forgotten.
type losslessWatcher struct{ watch.Watcher }

func (losslessWatcher) Look([]string) {}

func (losslessWatcher) Stats() watch.Stats { return watch.Stats{Lossless: true} }

// What is excluded marks nothing but the times of the directory that it is in.
func TestExcludedMarks(t *testing.T) {
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
		{"a move", func(s watch.Sink) { s.Moved("a", "b", false) }, "/a>b"},
		{"a move in", func(s watch.Sink) { s.Moved("a", ".git/b", false) }, "/a"},
		{"a move onto its name", func(s watch.Sink) { s.Moved("x/a", "x/.git", true) }, "/x /x/a"},
		{"a move out", func(s watch.Sink) { s.Moved(".git/a", "b", true) }, "/b"},
		{"a move within", func(s watch.Sink) { s.Moved("x/.git/a", ".git/b", true) }, ""},
		{"a new name for it", func(s watch.Sink) { s.Moved("x/.git", "x/.git.old", true) }, "/x /x/.git.old"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			m := &mirror{root: root}
			m.ruling = m.newRuling(config.Workspace{SkipGit: true})
			synctest.Test(t, func(t *testing.T) {
				r := recorded(t, m, losslessWatcher{})
				test.happen(m)
				time.Sleep(time.Second) // of the bubble's clock
				synctest.Wait()
				var got []string
				for _, b := range r.take() {
					for _, move := range b.Moves {
						got = append(got, "/"+move.From+">"+move.To)
					}
					for _, e := range b.Entries {
						got = append(got, "/"+e.Path)
					}
				}
				if slices.Sort(got); strings.Join(slices.Compact(got), " ") != test.dirty {
					t.Errorf("%q, expected %q", got, test.dirty)
				}
			})
		})
	}
}
