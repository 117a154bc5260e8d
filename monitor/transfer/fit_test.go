package transfer

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/remote"
	"wsync/monitor/remotefs"
	"wsync/monitor/remotetest"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// limited is a destination that folds case and has no symbolic links and colons.
var limited = remotefs.Capabilities{FoldsCase: true, NoSymlinks: true, Refused: ":"}

// fitTransfer is a transfer from a workspace that holds names, those with a slash
// at the end as directories and those with an arrow as links.
func fitTransfer(t *testing.T, names []string, entries ...*dirty.Entry) *transfer {
	t.Helper()
	root := newDir(t)
	for _, name := range names {
		path := filepath.Join(root, strings.TrimRight(name, "/>"))
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case strings.HasSuffix(name, "/"):
			check(t, os.MkdirAll(path, 0o755))
		case strings.HasSuffix(name, ">"):
			check(t, os.Symlink("target", path))
		default:
			check(t, os.WriteFile(path, []byte(name), 0o644))
		}
	}
	if first, err := os.ReadFile(filepath.Join(root, names[0])); err == nil && string(first) != names[0] {
		remotetest.Skip(t, "this file system folds case itself")
	}
	return &transfer{
		ctx: context.Background(), lane: &Lane{root: root, links: new(links.Index), tools: guard.NewTools(root), exclude: noRules(t, root)},
		endpoint: rsync.Endpoint{Strategy: rsync.Strategy{Capabilities: limited}},
		Order:    remote.Order{Batch: dirty.Batch{Entries: entries}},
	}
}

func pathsOf(entries []*dirty.Entry) string {
	var paths []string
	for _, e := range entries {
		paths = append(paths, e.Path)
	}
	slices.Sort(paths)
	return strings.Join(slices.Compact(paths), " ")
}

// What becomes of a dirty path at a destination that is limited: it is brought in
// line, fails, or another one is to be sent in its place.
func TestFit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		names, dirty         []string
		fits, fails, instead string
	}{
		"alone":                          {[]string{"Readme"}, []string{"Readme"}, "Readme", "", ""},
		"the first":                      {[]string{"README", "Readme"}, []string{"README"}, "README", "Readme", "README"},
		"the second":                     {[]string{"README", "Readme"}, []string{"Readme"}, "", "Readme", "README"},
		"gone":                           {[]string{"other"}, []string{"README"}, "README", "", ""},
		"gone, and another is there":     {[]string{"Readme"}, []string{"README"}, "", "", "Readme"},
		"renamed in case only":           {[]string{"Readme"}, []string{"README", "Readme"}, "Readme", "", "Readme"},
		"gone, of three":                 {[]string{"ReadMe", "Readme"}, []string{"README"}, "", "", "ReadMe"},
		"below the first":                {[]string{"D/f", "d/f"}, []string{"D/f"}, "D/f", "d", "D"},
		"below the second":               {[]string{"D/f", "d/f"}, []string{"d/f"}, "", "d", "D"},
		"below what is gone":             {[]string{"d/f"}, []string{"D/f"}, "", "", "d"},
		"below what was renamed in case": {[]string{"d/f"}, []string{"d", "D", "D/f"}, "d", "", "d"},
		"in a new directory":             {[]string{"new/A", "new/a", "new/s/B", "new/s/b"}, []string{"new"}, "new", "new/a new/s/b", "new/A new/s/B"},
		"a link":                         {[]string{"l>"}, []string{"l"}, "l", "", ""}, // rsync removes what was there
		"a link in a new directory":      {[]string{"new/l>", "new/f"}, []string{"new"}, "new", "new/l", ""},
		"a name":                         {[]string{"a:b"}, []string{"a:b"}, "", "a:b", ""},
		"below a name":                   {[]string{"a:b/c"}, []string{"a:b/c"}, "", "a:b", ""},
		"a name that is gone":            {[]string{"other"}, []string{"a:b"}, "a:b", "", ""},
		"a link beside a file":           {[]string{"A>", "a"}, []string{"a"}, "a", "", ""},
		"the root":                       {[]string{"Readme"}, []string{""}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []*dirty.Entry
			for _, path := range test.dirty {
				entries = append(entries, entryOf(path))
			}
			tr := fitTransfer(t, test.names, entries...)
			tr.fit()
			fits, fails, instead := pathsOf(tr.Batch.Entries), pathsOf(tr.out.Failed), pathsOf(tr.out.Again.Entries)
			if fits != test.fits || fails != test.fails || instead != test.instead {
				t.Errorf("fit %q, fail %q, instead %q; expected %q, %q, %q", fits, fails, instead, test.fits, test.fails, test.instead)
			}
			for _, e := range tr.out.Failed {
				if e.Reason == "" || e.Problem == "" || !slices.Contains(tr.Except, e.Path) {
					t.Errorf("%+v is not left alone for a reason", *e)
				}
			}
		})
	}
}

// Where paths must be shorter than on Linux, what is longer fails alone.
func TestFitPathMax(t *testing.T) {
	t.Parallel()
	tr := fitTransfer(t, []string{"short", "d/e/f/too-long"}, &dirty.Entry{Path: "d", Change: madeDir}, &dirty.Entry{Path: "short", Change: made})
	tr.endpoint.Strategy.Capabilities = remotefs.Capabilities{PathMax: 12}
	tr.fit()
	if got := pathsOf(tr.out.Failed); got != "d/e/f/too-long" || tr.out.Failed[0].Reason != dirty.TooLong {
		t.Errorf("%q fails", got)
	}
	if got := pathsOf(tr.Batch.Entries); got != "d short" || !slices.Contains(tr.Except, "d/e/f/too-long") {
		t.Errorf("%q are sent, without %q", got, tr.Except)
	}
}

// A full pass leaves alone all that cannot be held, and tells of it once.
func TestFitFullPass(t *testing.T) {
	t.Parallel()
	tr := fitTransfer(t, []string{"README", "Readme", "d/A", "d/a", "l>", "x:y/z", "D2/q", "d2/q"})
	tr.Batch.Everything = &dirty.Entry{Seq: 1}
	known := &dirty.Entry{Path: "Readme", Attempts: 1, Reason: dirty.Meets, Problem: limited.Meeting("README"), NotBefore: dirty.Never}
	tr.Failing, tr.Except = []*dirty.Entry{known}, []string{"Readme"}
	tr.fit()
	slices.Sort(tr.Except)
	if got, want := strings.Join(tr.Except, " "), "Readme d/a d2 l x:y"; got != want {
		t.Errorf("left alone are %q, expected %q", got, want)
	}
	// What is kept was perhaps overwritten before, by one that was not known.
	if got, want := pathsOf(tr.out.Again.Entries), "D2 d/A"; got != want {
		t.Errorf("sent again are %q, expected %q", got, want)
	}
	if got, want := pathsOf(tr.out.Failed), "d/a d2 l x:y"; got != want {
		t.Errorf("told of are %q, expected %q", got, want)
	}
}

// What is known to meet another is no reason to send that again, also when its turn
// comes early: each sending would find it anew, and put it off.
func TestFitKnown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		batch, fails string
	}{
		"not in the batch": {"README", ""},
		"its turn":         {"Readme", "Readme"},
		"both":             {"README Readme", "Readme"},
	} {
		t.Run(name, func(t *testing.T) {
			known := &dirty.Entry{Path: "Readme", Change: watch.Entry, Seq: 1, Attempts: 1, Reason: dirty.Meets, Problem: limited.Meeting("README")}
			var entries []*dirty.Entry
			for _, path := range strings.Fields(test.batch) {
				if path == known.Path {
					entries = append(entries, known)
				} else {
					entries = append(entries, entryOf(path))
				}
			}
			tr := fitTransfer(t, []string{"README", "Readme"}, entries...)
			tr.Failing, tr.Except = []*dirty.Entry{known}, []string{known.Path}
			tr.fit()
			if again, fails := pathsOf(tr.out.Again.Entries), pathsOf(tr.out.Failed); again != "" || fails != test.fails {
				t.Errorf("sent again are %q, failed %q; expected none, %q", again, fails, test.fails)
			}
		})
	}
}

// Nothing is removed whose file there is another name's, even if that came after
// the batch was parted.
func TestFitKeepsAlive(t *testing.T) {
	t.Parallel()
	gone := []*dirty.Entry{entryOf("README"), entryOf("D/f"), entryOf("other"), entryOf("l")}
	tr := fitTransfer(t, []string{"unrelated", "d/"}, gone...)
	tr.fit()
	if got := pathsOf(tr.Batch.Entries); got != "D/f README l other" && got != "README l other" {
		t.Errorf("to be removed are %q", got)
	}
	write(t, tr.lane.root, "Readme", "d/F")
	check(t, os.Symlink("x", filepath.Join(tr.lane.root, "L")))
	var plan rsync.Plan
	var steps direct.Plan
	for _, e := range gone {
		plan.Deleted = append(plan.Deleted, rsync.Deletion{Path: e.Path, Entries: []*dirty.Entry{e}})
		steps.Steps = append(steps.Steps, direct.Step{Kind: direct.RemoveFile, Path: e.Path, Entry: e})
	}
	tr.out.Again = dirty.Batch{}
	tr.keepAlive(&plan)
	tr.keepAliveDirectly(&steps)
	var left []string
	for _, d := range plan.Deleted {
		left = append(left, d.Path)
	}
	for _, s := range steps.Steps {
		left = append(left, s.Path)
	}
	if got := strings.Join(left, " "); got != "other l other l" {
		t.Errorf("removed are %q", got)
	}
	if got := pathsOf(tr.out.Again.Entries); got != "D/f README" {
		t.Errorf("looked at again are %q", got)
	}
}

// Where something cannot be, what was there before is cleared, unless it is another
// name's.
func TestFitClears(t *testing.T) {
	t.Parallel()
	tr := fitTransfer(t, []string{"README", "Readme>", "link>", "d/l>", "D/L"})
	tr.fitting.begin(tr)
	for path, want := range map[string]bool{"Readme": false, "link": true, "README": true, "d/l": false} {
		if got := tr.clearable(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	tr.endpoint.Strategy.Capabilities = remotefs.Capabilities{}
	if !tr.clearable("Readme") {
		t.Error("where nothing folds, another name is kept")
	}
}

// A rename is repeated only where both names mean there what they mean here.
func TestFitMoves(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		names    []string
		from, to string
		want     bool
	}{
		"plain":                       {[]string{"new"}, "old", "new", true},
		"in case only":                {[]string{"README"}, "Readme", "README", true},
		"a directory in case only":    {[]string{"D/f"}, "d", "D", true},
		"onto another's file":         {[]string{"README", "Readme"}, "x", "README", false},
		"onto a file that is kept":    {[]string{"README", "Readme"}, "x", "Readme", false},
		"away from another's file":    {[]string{"Readme", "new"}, "README", "new", false},
		"to a name that cannot be":    {[]string{"a:b"}, "ab", "a:b", false},
		"gone again":                  {[]string{"x"}, "old", "new", false},
		"into a directory that loses": {[]string{"D/x", "d/new"}, "old", "d/new", false},
	} {
		tr := fitTransfer(t, test.names)
		tr.fitting.begin(tr)
		if got := tr.repeatable(dirty.Move{From: test.from, To: test.to}); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A directory is read again when it has changed, also within the same moment.
func TestSiblings(t *testing.T) {
	t.Parallel()
	root := newDir(t)
	write(t, root, "d/a", "d/b")
	var s siblings
	for i, want := range []string{"a", "A a", "A"} {
		switch i {
		case 1:
			write(t, root, "d/A")
		case 2:
			check(t, os.Remove(filepath.Join(root, "d/a")))
		}
		if got := strings.Join(s.in(root, "d", limited)["a"], " "); got != want {
			t.Errorf("%d: %q, expected %q", i, got, want)
		}
	}
	if s.in(root, "gone", limited) != nil || s.in(root, "d/b", limited) != nil {
		t.Error("there are names where there is no directory")
	}
}
