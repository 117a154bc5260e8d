package exclude

import (
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/watch"
)

var (
	plain    = config.Remote{}
	delaying = config.Remote{DelayUpdates: true}
	trashing = config.Remote{Trash: config.Age(time.Hour)}
	both     = config.Remote{DelayUpdates: true, Trash: 1}
)

func TestOwn(t *testing.T) {
	for _, test := range []struct {
		name string
		own  Own
		in   []string
		out  []string
	}{
		{"nothing", Own{}, []string{"", "a", ".git", ".wsync-tmp"}, nil},
		// The destination of another mirror may be in the workspace.
		{"a remote", OwnOf(plain), []string{"", "a", ".wsync-tmpx", "a/.wsync-tmp-1", ".wsync-trash/x", ".wsync-delayed", ".git"},
			[]string{".wsync-tmp", ".wsync-tmp/mark-1", "a/.wsync-tmp", "a/.wsync-tmp/x"}},
		{"delayed updates", OwnOf(delaying), []string{"", "a", ".wsync-delayed2", "a.wsync-delayed/b", ".wsync-trash"},
			[]string{".wsync-delayed", ".wsync-delayed/a", "a/.wsync-delayed", "a/.wsync-delayed/b/c", ".wsync-tmp"}},
		{"a trash", OwnOf(trashing), []string{"", "a", "a/.wsync-trash", ".wsync-trash2/a", ".wsync-delayed"}, []string{".wsync-trash", ".wsync-trash/a/b", ".wsync-tmp"}},
		{"all", OwnOf(both), []string{"a"}, []string{".wsync-trash/a", "b/.wsync-delayed", ".wsync-tmp"}},
	} {
		for _, path := range test.in {
			if test.own.Excludes(path) {
				t.Errorf("%s: %q is excluded", test.name, path)
			}
		}
		for _, path := range test.out {
			if !test.own.Excludes(path) {
				t.Errorf("%s: %q is not excluded", test.name, path)
			}
		}
	}
	if path, change := OwnOf(plain).Change("a/.wsync-tmp", watch.Entry|watch.Tree); path != "a" || change != watch.Meta {
		t.Errorf("%q, %v", path, change)
	}
}

func TestFilters(t *testing.T) {
	for _, test := range []struct {
		own   Own
		basic bool
		want  []string
	}{
		{Own{}, false, nil},
		{OwnOf(plain), false, []string{"--exclude=/.wsync-tmp", "--filter=H .wsync-tmp/"}},
		{OwnOf(plain), true, []string{"--exclude=/.wsync-tmp"}},
		{OwnOf(both), false, []string{"--exclude=/.wsync-tmp", "--filter=H .wsync-tmp/", "--filter=-p .wsync-delayed/", "--exclude=/.wsync-trash"}},
		{OwnOf(both), true, []string{"--exclude=/.wsync-tmp"}},
	} {
		if got := test.own.Filters(test.basic); !slices.Equal(got, test.want) {
			t.Errorf("%q, expected %q", got, test.want)
		}
	}
}

// What others have left below the top keeps no directory, unless it is ignored.
func TestStays(t *testing.T) {
	r := Rules{own: OwnOf(both)}
	for path, want := range map[string]bool{
		".wsync-tmp": true, ".wsync-tmp/a/.wsync-tmp": true, ".wsync-trash/t/a/.wsync-tmp/m": true, "a/.wsync-tmp": false, "a/b/.wsync-tmp/mark-1": false,
		"a/.wsync-delayed/x": false, ".wsync-delayed": false, "a": false,
	} {
		if got := r.Stays(path, true); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
