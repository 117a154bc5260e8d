package exclude

import (
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/watch"
)

var (
	withoutGit = Of(config.Workspace{SkipGit: true})
	plain      = Of(config.Workspace{}).At(config.Remote{})
	delaying   = Of(config.Workspace{}).At(config.Remote{DelayUpdates: true})
	trashing   = Of(config.Workspace{}).At(config.Remote{Trash: config.Age(time.Hour)})
)

func TestExcludes(t *testing.T) {
	for _, test := range []struct {
		name  string
		rules Rules
		in    []string
		out   []string
	}{
		{"nothing", Of(config.Workspace{}), []string{"", "a", ".git", ".wsync-tmp"}, nil},
		{"git", withoutGit, []string{"", "a", ".gitignore", "x.git", ".git2/a", "a.git/b"}, []string{".git", ".git/HEAD", "a/.git", "a/.git/b/c"}},
		// The destination of another mirror may be in the workspace.
		{"a remote", plain, []string{"", "a", ".wsync-tmpx", "a/.wsync-tmp-1", ".wsync-trash/x", ".wsync-delayed", ".git"},
			[]string{".wsync-tmp", ".wsync-tmp/mark-1", "a/.wsync-tmp", "a/.wsync-tmp/x"}},
		{"delayed updates", delaying, []string{"", "a", ".wsync-delayed2", "a.wsync-delayed/b", ".wsync-trash"},
			[]string{".wsync-delayed", ".wsync-delayed/a", "a/.wsync-delayed", "a/.wsync-delayed/b/c", ".wsync-tmp"}},
		{"a trash", trashing, []string{"", "a", "a/.wsync-trash", ".wsync-trash2/a", ".wsync-delayed"}, []string{".wsync-trash", ".wsync-trash/a/b", ".wsync-tmp"}},
		{"all", withoutGit.At(config.Remote{DelayUpdates: true, Trash: 1}), []string{"a"}, []string{"a/.git/b", ".wsync-trash/a", "b/.wsync-delayed", ".wsync-tmp"}},
	} {
		for _, path := range test.in {
			if test.rules.Excludes(path) {
				t.Errorf("%s: %q is excluded", test.name, path)
			}
		}
		for _, path := range test.out {
			if !test.rules.Excludes(path) {
				t.Errorf("%s: %q is not excluded", test.name, path)
			}
		}
	}
}

func TestChange(t *testing.T) {
	for _, test := range []struct {
		path   string
		change watch.Change
		want   string
		left   watch.Change
	}{
		{"a", watch.Content, "a", watch.Content},
		{"a/.git", watch.Entry | watch.Tree, "a", watch.Meta},
		{".git", watch.Entry, "", watch.Meta}, // of the root
		{".git", watch.Meta, "", 0},
		{".git/HEAD", watch.Entry, "", 0},
	} {
		if path, left := withoutGit.Change(test.path, test.change); path != test.want || left != test.left {
			t.Errorf("%s, %v: %q, %v, expected %q, %v", test.path, test.change, path, left, test.want, test.left)
		}
	}
}

func TestFilters(t *testing.T) {
	all := withoutGit.At(config.Remote{DelayUpdates: true, Trash: 1})
	for _, test := range []struct {
		rules Rules
		basic bool
		want  []string
	}{
		{Rules{}, false, nil},
		{plain, false, []string{"--exclude=/.wsync-tmp", "--filter=H .wsync-tmp/"}},
		{plain, true, []string{"--exclude=/.wsync-tmp"}},
		{all, false, []string{"--exclude=/.wsync-tmp", "--filter=H .wsync-tmp/", "--filter=-p .wsync-delayed/", "--exclude=/.wsync-trash", "--exclude=.git"}},
		{all, true, []string{"--exclude=/.wsync-tmp", "--exclude=.git"}},
	} {
		if got := test.rules.Filters(test.basic); !slices.Equal(got, test.want) {
			t.Errorf("%q, expected %q", got, test.want)
		}
	}
}
