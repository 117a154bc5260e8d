package exclude

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/watch"
)

// live is a workspace whose rules change, at a time of its own.
type live struct {
	*Live
	t    *testing.T
	root string
	now  time.Time
}

func newLive(t *testing.T, w config.Workspace, files map[string]string) *live {
	root := workspace(t, files)
	l := &live{NewLive(root, w), t, root, time.Now()}
	l.enterAll(t.Context(), "")
	return l
}

// change writes a file and has it noticed; open: it is not closed yet.
func (l *live) change(name, text string, open bool) {
	l.t.Helper()
	write(l.t, l.root, name, text)
	change := watch.Content
	if open {
		change |= watch.Open
	}
	if !l.Noticed(name, change, l.now) {
		l.t.Errorf("%s was not noticed", name)
	}
}

// after lets time pass, and returns what differs then, if anything is settled.
func (l *live) after(d time.Duration) (released []string, ok bool) {
	l.now = l.now.Add(d)
	s, ok := l.Settle(l.now)
	s.Differences(context.Background(), l.root, func(d Difference) {
		sign := ""
		if d.Excluded {
			sign = "-"
		}
		released = append(released, sign+d.Path)
	})
	return released, ok
}

func (l *live) settles(d time.Duration, want ...string) {
	l.t.Helper()
	got, ok := l.after(d)
	if !ok {
		l.t.Errorf("nothing is settled after %v", d)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		l.t.Errorf("%q differ, expected %q", got, want)
	}
}

func (l *live) waits(d time.Duration) {
	l.t.Helper()
	if got, ok := l.after(d); ok {
		l.t.Errorf("settled after %v: %q", d, got)
	}
}

// What a new text ignores is ignored at once, and what it releases a moment later.
func TestLive(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": "old\n", "old": "", "new": "", "d/old": ""})
	l.change(".wsyncignore", "new\n", false)
	wants(t, l.Rules(), "-old", "-new")
	l.waits(settleTime / 2)
	l.settles(settleTime/2, "-new", "d/old", "old")
	wants(t, l.Rules(), "old", "-new")
	if _, ok := l.Due(); ok {
		t.Error("something is unsettled")
	}
}

// While a file is written in steps, nothing is released that was ignored before.
func TestHalfWritten(t *testing.T) {
	const text = "node_modules\n*.log\n"
	for name, steps := range map[string]func(l *live){
		"truncated and written": func(l *live) {
			l.change(".wsyncignore", "", true)
			l.waits(3 * time.Second)
			l.change(".wsyncignore", "node_modules\n", true)
			l.waits(3 * time.Second)
		},
		"in several calls": func(l *live) {
			l.change(".wsyncignore", "", false)
			l.waits(settleTime)
			l.change(".wsyncignore", "node_modules\n", false)
			l.waits(settleTime / 2)
		},
		"removed and made": func(l *live) {
			if err := os.Remove(filepath.Join(l.root, ".wsyncignore")); err != nil {
				t.Fatal(err)
			}
			l.Noticed(".wsyncignore", watch.Entry, l.now)
			l.waits(thinTime / 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": text, "node_modules/x": "", "a.log": "", "b.o": ""})
			steps(l)
			wants(t, l.Rules(), "-node_modules/", "-a.log")
			l.change(".wsyncignore", text+"*.o\n", false)
			l.settles(settleTime, "-b.o")
		})
	}
}

// A file that is gone, or has nothing in it, counts in the end.
func TestRuleFileGone(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": "x\n", "d/.wsyncignore": "y\n", "x": "", "d/y": ""})
	for _, name := range []string{".wsyncignore", "d/.wsyncignore"} {
		if err := os.Remove(filepath.Join(l.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	l.now = time.Now() // the directories have changed before
	for _, name := range []string{".wsyncignore", "d/.wsyncignore"} {
		l.Noticed(name, watch.Entry, l.now)
	}
	l.waits(settleTime)
	l.settles(thinTime-settleTime, "d/y", "x")
	if l.Rules().List() == nil || l.current.has("d") {
		t.Error("rules that are gone are remembered, or the defaults are not")
	}
}

// Directories take their files along when they are renamed, and what is said of those
// that are gone stays until there is one again.
func TestDirectoriesOfRules(t *testing.T) {
	workspace := config.Workspace{IgnoreTagged: []string{"TAG"}}
	l := newLive(t, workspace, map[string]string{"d/.wsyncignore": "x\n", "d/e/.wsyncignore": "y\n", "d/t/TAG": "", "d/x": ""})
	memory := filepath.Join(t.TempDir(), "memory")
	check(t, l.Remember(memory))
	check(t, os.Rename(filepath.Join(l.root, "d"), filepath.Join(l.root, "f")))
	l.Moved("d", "f", l.now)
	for _, dir := range []string{"f", "d"} { // also if the rename is not repeated
		wants(t, l.Rules(), "-"+dir+"/x", "-"+dir+"/e/y", "-"+dir+"/t/", dir+"/z")
	}
	if v := l.Rules().Check("f/e/y", false); v.Rule.Source != "f/e/.wsyncignore" {
		t.Errorf("the rule stands in %s", v.Rule.Source)
	}
	l.after(thinTime)
	check(t, os.RemoveAll(filepath.Join(l.root, "f")))
	l.Noticed("f", watch.Entry|watch.Tree, l.now)
	l.settles(thinTime)
	check(t, l.Save())

	later := NewLive(l.root, workspace)
	check(t, later.Remember(memory))
	l.Define(t.Context(), config.Workspace{IgnoreTagged: []string{"TAG"}, Ignore: []string{"other"}})
	for _, r := range []Rules{l.Rules(), later.Rules()} {
		wants(t, r, "-f/x", "-f/e/y", "-f/t/", "-d/x", "f/z")
	}
	check(t, os.Mkdir(filepath.Join(l.root, "f"), 0o755))
	for _, l := range []*live{l, {later, t, l.root, l.now}} {
		l.Noticed("f", watch.Entry|watch.Tree, l.now)
		l.after(thinTime)
		wants(t, l.Rules(), "f/x", "-f/e/y", "-d/x") // f/e is not there
	}
	if n := len(l.Rules().Problems()); n > 0 {
		t.Errorf("%d problems", n)
	}
}

// What a text ignores that is replaced before it has settled is released with the next
// one.
func TestPassed(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": "old\n", "d/.wsyncignore": "x\n", "old": "", "new": "", "d/new/a": "", "d/x": "", "e": ""})
	for _, text := range []string{"old\nnew\n", "old\ne\n", "old\n"} {
		l.change(".wsyncignore", text, false)
	}
	wants(t, l.Rules(), "-old", "new", "e")
	l.now = l.now.Add(settleTime / 2)
	l.change("d/.wsyncignore", "", false)
	l.settles(settleTime/2, "d/new", "e", "new")
	l.change("d/.wsyncignore", "x\n", false)
	l.settles(settleTime, "d/new") // again, as something was unsettled all the time

	l.change(".wsyncignore", "old\nnew\n", false) // which settles
	l.settles(settleTime, "-d/new", "-new")
	l.change(".wsyncignore", "old\n", false)
	l.settles(settleTime, "d/new", "new")

	for range passedLimit + 1 {
		l.change(".wsyncignore", "old\nnew\n", false)
		l.change(".wsyncignore", "old\n", false)
	}
	l.settles(settleTime, ".wsyncignore", "d", "e", "new")
}

// What may release something that is on a remote only is told.
func TestLoosened(t *testing.T) {
	for _, test := range []struct {
		before, after string
		want          bool
	}{
		{"a\nb\n", "a\nb\n", false}, {"a\nb\n", "c\na\nd\nb\n", false}, {"a\n", "# a\na\n", false}, {"!a\nb\n", "!a\nb\nc\n", false},
		{"a\nb\n", "a\n", true}, {"a\n", "a\n!b\n", true}, {"a\nb\n", "b\na\n", true}, {"a\n", "", true},
	} {
		l := newLive(t, config.Workspace{}, map[string]string{"d/.wsyncignore": test.before})
		l.change("d/.wsyncignore", test.after, false)
		l.now = l.now.Add(thinTime)
		if s, ok := l.Settle(l.now); !ok || s.Loosened != test.want {
			t.Errorf("from %q to %q: %v, %v", test.before, test.after, s.Loosened, ok)
		}
		l.change("d/.wsyncignore", test.before, false)
		l.change("d/.wsyncignore", test.after, false)
		l.now = l.now.Add(thinTime)
		if s, ok := l.Settle(l.now); !ok || s.Loosened != test.want {
			t.Errorf("from %q to %q and back at once: %v, %v", test.after, test.before, s.Loosened, ok)
		}
	}
}

// A tag that comes takes a directory away, and gives it back when it goes.
func TestTags(t *testing.T) {
	l := newLive(t, config.Workspace{IgnoreTagged: []string{"TAG"}}, map[string]string{"d/x": "", "TAG": ""})
	wants(t, l.Rules(), "d/", "TAG")
	l.change("d/TAG", "", false)
	wants(t, l.Rules(), "-d/", "-d/x")
	l.after(thinTime)
	if err := os.Remove(filepath.Join(l.root, "d/TAG")); err != nil {
		t.Fatal(err)
	}
	l.Noticed("d/TAG", watch.Entry, l.now)
	l.settles(thinTime, "d")
	wants(t, l.Rules(), "d/x")
}

// What a workspace says is in force at once; files that were not read before are.
func TestDefine(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{"a/.gitignore": "*.log\n", "a/x.log": "", "y": ""})
	if _, ok := l.Define(t.Context(), config.Workspace{}); ok {
		t.Error("something is new")
	}
	s, ok := l.Define(t.Context(), config.Workspace{GitIgnore: true, Ignore: []string{"y"}})
	if !ok {
		t.Fatal("nothing is new")
	}
	wants(t, l.Rules(), "-a/x.log", "-y")
	var paths []string
	s.Differences(t.Context(), l.root, func(d Difference) { paths = append(paths, d.Path) })
	if !slices.Equal(paths, []string{"a/x.log", "y"}) {
		t.Error(paths)
	}
}

// Changes that no event has told of are found.
func TestRefresh(t *testing.T) {
	l := newLive(t, config.Workspace{GitIgnore: true}, map[string]string{".git/info/exclude": "x\n", "a/.gitignore": "y\n", "x": "", "a/y": ""})
	l.Refresh(l.now)
	if _, ok := l.Due(); ok {
		t.Error("something has changed")
	}
	write(t, l.root, ".git/info/exclude", "xx\n")
	write(t, l.root, "a/.gitignore", "yy\n")
	l.Refresh(l.now)
	l.settles(thinTime, "a/y", "x")
}

// A monitor that begins while a file is half written knows what it said before, also if
// the file is the root's, or has gone for a moment.
func TestHalfWrittenAtTheStart(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": "x\n", "d/.wsyncignore": "y\n", "e/.wsyncignore": "z\n"})
	memory := filepath.Join(t.TempDir(), "memory")
	check(t, l.Remember(memory))
	for _, dir := range []string{"d", "e"} {
		l.Enter(dir)
	}
	l.change("e/.wsyncignore", "half", false) // which is not settled yet
	check(t, l.Save())
	write(t, l.root, ".wsyncignore", "")
	check(t, os.Remove(filepath.Join(l.root, "d/.wsyncignore")))

	later := &live{NewLive(l.root, config.Workspace{}), t, l.root, time.Now()}
	check(t, later.Remember(memory))
	wants(t, later.Rules(), "-x", "-d/y", "-e/z", "-e/half")
	if _, ok := later.Due(); !ok {
		t.Error("nothing is unsettled")
	}
	write(t, l.root, ".wsyncignore", "x\nmore\n")
	write(t, l.root, "d/.wsyncignore", "y\n")
	for _, name := range []string{".wsyncignore", "d/.wsyncignore"} {
		later.Noticed(name, watch.Content, later.now)
	}
	later.after(thinTime)
	// Nobody has told whether that is closed.
	wants(t, later.Rules(), "-x", "-more", "-d/y", "-e/z", "-e/half")
	later.after(openTime)
	wants(t, later.Rules(), "-x", "-more", "-d/y", "e/z", "-e/half")
	if _, ok := later.Due(); ok {
		t.Error("something is unsettled for ever")
	}
}

// What has not been written to for long when a monitor begins is whole.
func TestChangedBeforeTheStart(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": "x\n"})
	memory := filepath.Join(t.TempDir(), "memory")
	check(t, l.Remember(memory))
	l.saveLater()
	check(t, l.Save())
	write(t, l.root, ".wsyncignore", "y\n")
	long := time.Now().Add(-openTime)
	check(t, os.Chtimes(filepath.Join(l.root, ".wsyncignore"), long, long))

	later := &live{NewLive(l.root, config.Workspace{}), t, l.root, time.Now()}
	check(t, later.Remember(memory))
	wants(t, later.Rules(), "-x", "-y")
	later.now = time.Now()
	later.after(settleTime)
	wants(t, later.Rules(), "x", "-y")
}

// What is to be kept is written at once when it matters, and not again for nothing.
func TestSave(t *testing.T) {
	root := t.TempDir()
	write(t, root, "d/.wsyncignore", "x\n")
	l := &live{NewLive(root, config.Workspace{}), t, root, time.Now()}
	memory := filepath.Join(t.TempDir(), "memory")
	check(t, l.Remember(memory))
	l.Enter("d")
	check(t, l.Save())
	check(t, os.RemoveAll(filepath.Join(l.root, "d")))
	later := &live{NewLive(l.root, config.Workspace{}), t, l.root, time.Now()}
	check(t, later.Remember(memory)) // as of a monitor that begins within the same second
	wants(t, later.Rules(), "-d/x")
	check(t, os.Remove(memory))
	check(t, l.Save())
	if _, err := os.Lstat(memory); !os.IsNotExist(err) {
		t.Errorf("it is written though nothing has changed: %v", err)
	}
}

// What a file said holds while it cannot be read.
func TestUnreadableKeepsWhatItSaid(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{"d/.wsyncignore": "x\n"})
	memory := filepath.Join(t.TempDir(), "memory")
	check(t, l.Remember(memory))
	l.Enter("d")
	check(t, l.Save())
	d, err := l.options.readDir(l.root, "d")
	check(t, err)
	d.files[0], d.unreadable = gitignore.Unreadable("d/.wsyncignore", "permission denied"), []string{FileName}
	l.current = l.current.with("d", l.keepUnreadable("d", d))
	wants(t, Rules{now: &l.current}, "-d/x", "d/y")
	if p := (Rules{now: &l.current}).Problems(); len(p) != 1 || p[0].Reason != "permission denied" {
		t.Errorf("the problems are %v", p)
	}
}

// Who lists a directory knows what the rule files there and above say by then, though no
// event has told of them yet.
func TestCatch(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{".wsyncignore": "x\n", "d/e/": ""})
	l.Enter("d")
	l.Enter("d/e")
	write(t, l.root, ".wsyncignore", "x\nlater\n")
	write(t, l.root, "d/e/.wsyncignore", "y\n")
	wants(t, l.Rules(), "later", "d/e/y")
	l.Catch("d/e", l.now)
	wants(t, l.Rules(), "-later", "-d/e/later", "-d/e/y", "-x")
}

// A file that is open is not taken for whole because somebody has looked at it.
func TestALookClosesNothing(t *testing.T) {
	for name, look := range map[string]func(l *Live, now time.Time){
		"refresh": func(l *Live, now time.Time) { l.Refresh(now) },
		"catch":   func(l *Live, now time.Time) { l.Catch("d", now) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLive(t, config.Workspace{}, map[string]string{"d/.wsyncignore": "x\ny\n"})
			l.Enter("d")
			l.change("d/.wsyncignore", "x\n", true)
			look(l.Live, l.now)
			l.waits(openTime - time.Second)
			wants(t, l.Rules(), "-d/x", "-d/y")
		})
	}
}

// A look finds nothing new where nothing has changed: not in a directory that is gone, nor
// of a file that cannot be read, or is none.
func TestRefreshFindsNothing(t *testing.T) {
	l := newLive(t, config.Workspace{GitIgnore: true}, map[string]string{"gone/.wsyncignore": "x\n", "moved/.gitignore": "y\n", "d/.wsyncignore": "z\n", "e/.wsyncignore/": ""})
	check(t, os.RemoveAll(filepath.Join(l.root, "gone")))
	l.Noticed("gone", watch.Entry|watch.Tree, l.now)
	check(t, os.Rename(filepath.Join(l.root, "moved"), filepath.Join(l.root, "there")))
	l.Moved("moved", "there", l.now)
	check(t, os.Remove(filepath.Join(l.root, "d/.wsyncignore")))
	check(t, os.Symlink("nothing", filepath.Join(l.root, "d/.wsyncignore")))
	l.Refresh(l.now)
	l.after(2 * thinTime)
	l.after(2 * thinTime)
	before := l.Rules()
	l.Refresh(l.now)
	if _, ok := l.Due(); ok || l.Rules() != before {
		t.Errorf("a look finds something new: unsettled %v", l.unsettled)
	}
}

// A directory that is removed may lose its rule file, or its tag, long before it goes. As
// long as something goes in it, nothing is released, but not for ever.
func TestSlowRemoval(t *testing.T) {
	for name, test := range map[string]struct {
		file    string
		ignored []string
	}{
		"a rule file": {"d/.wsyncignore", []string{"-d/big/", "-d/x.o"}},
		"a tag":       {"d/TAG", []string{"-d/", "-d/x.o"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLive(t, config.Workspace{IgnoreTagged: []string{"TAG"}}, map[string]string{"d/big/deep/x": "", "d/x.o": ""})
			l.change(test.file, "big/\n*.o\n", false)
			l.after(thinTime)
			goes := func() { // something in it, now
				check(t, os.Chtimes(filepath.Join(l.root, "d/big/deep"), l.now, l.now))
			}
			check(t, os.Chtimes(filepath.Join(l.root, "d"), l.now, l.now))
			check(t, os.Remove(filepath.Join(l.root, test.file)))
			l.now = l.now.Add(time.Hour) // later than all the times that the tests' files have
			l.Noticed(test.file, watch.Entry, l.now)
			for range 20 {
				l.now = l.now.Add(thinTime / 2)
				goes()
				l.waits(thinTime)
				wants(t, l.Rules(), test.ignored...)
			}
			l.settles(thinTime, map[string][]string{"d/.wsyncignore": {"d/big", "d/x.o"}, "d/TAG": {"d"}}[test.file]...)

			// And one that never ends.
			l.change(test.file, "big/\n*.o\n", false)
			l.after(thinTime)
			check(t, os.Remove(filepath.Join(l.root, test.file)))
			l.Noticed(test.file, watch.Entry, l.now)
			for l.now = l.now.Add(thinTime); ; l.now = l.now.Add(thinTime) {
				if goes(); l.settled.lacks("d", l.current) {
					if _, ok := l.Settle(l.now); ok {
						break
					}
				}
			}
			wants(t, l.Rules(), "d/x.o")
		})
	}
}

// A directory whose time is one to come does not look as if something went in it.
func TestDirectoryOfTheFuture(t *testing.T) {
	l := newLive(t, config.Workspace{}, map[string]string{"d/x": "", "d/sub/y": ""})
	l.change(".wsyncignore", "x\n", false)
	l.after(thinTime)
	check(t, os.Chtimes(filepath.Join(l.root, "d/sub"), l.now, l.now.Add(1000*24*time.Hour)))
	check(t, os.Remove(filepath.Join(l.root, ".wsyncignore")))
	l.now = l.now.Add(time.Hour)
	l.Noticed(".wsyncignore", watch.Entry, l.now)
	l.settles(thinTime, "d/x")
}
