package links

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotetest"
	"wsync/monitor/walk"
)

var check = remotetest.Check

// write writes files below root.
func write(t *testing.T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		file := filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(t, os.WriteFile(file, []byte(name), 0o644))
	}
}

// What each look at a file's names costs, by what happened before.
func TestNames(t *testing.T) {
	type bed struct {
		t         *testing.T
		l         *Index
		root      string
		elsewhere string
		seq       uint64
	}
	link := func(b *bed, from, to string) {
		check(b.t, os.Link(filepath.Join(b.root, from), filepath.Join(b.root, to)))
	}
	remove := func(b *bed, name string) { check(b.t, os.Remove(filepath.Join(b.root, name))) }
	notice := func(b *bed, name string) string {
		b.seq++
		others, a := b.l.Notice(name, b.seq, time.Now())
		slices.Sort(others)
		return strings.Join(append(others, []string{"", "?", "!"}[a]), " ")
	}
	for name, test := range map[string]struct {
		before func(b *bed)
		// of is the path of the event, others what else is to be looked at at once,
		// with a ? if there may be more.
		of, others string
		// found is what is to be looked at after a recheck, or after a walk if that
		// leaves the question open.
		walk    bool
		found   string
		outside int64
	}{
		"one name":                    {func(b *bed) { write(b.t, b.root, "a") }, "a", "", false, "", 0},
		"two names that are known":    {func(b *bed) { write(b.t, b.root, "a"); link(b, "a", "b"); notice(b, "b"); notice(b, "a") }, "b", "a ", false, "a", 0},
		"an older name":               {func(b *bed) { write(b.t, b.root, "a"); link(b, "a", "b") }, "b", "?", true, "a", 0},
		"an older name, after a pass": {func(b *bed) { write(b.t, b.root, "a"); link(b, "a", "b"); b.l.Scan(b.t.Context()) }, "b", "a ", false, "", 0},
		"a name outside": {func(b *bed) {
			write(b.t, b.root, "a")
			check(b.t, os.Link(filepath.Join(b.root, "a"), b.elsewhere))
		}, "a", "?", true, "", 1},
		"a name outside, once more": {func(b *bed) {
			write(b.t, b.root, "a")
			check(b.t, os.Link(filepath.Join(b.root, "a"), b.elsewhere))
			notice(b, "a")
			b.l.Scan(b.t.Context())
		}, "a", "", false, "", 1},
		"a name outside that is gone": {func(b *bed) {
			write(b.t, b.root, "a")
			check(b.t, os.Link(filepath.Join(b.root, "a"), b.elsewhere))
			b.l.Scan(b.t.Context())
			check(b.t, os.Remove(b.elsewhere))
		}, "a", "", false, "", 0},
		"a name that came from outside": {func(b *bed) {
			write(b.t, b.root, "a")
			check(b.t, os.Link(filepath.Join(b.root, "a"), b.elsewhere))
			b.l.Scan(b.t.Context())
			check(b.t, os.Rename(b.elsewhere, filepath.Join(b.root, "b")))
		}, "b", "a ", false, "", 0},
		"a second name that is gone": {func(b *bed) { write(b.t, b.root, "a"); notice(b, "a"); link(b, "a", "b"); remove(b, "a") }, "b", "", false, "", 0},
		"the older name of it": {func(b *bed) {
			write(b.t, b.root, "a")
			notice(b, "a")
			link(b, "a", "b")
			remove(b, "a")
			notice(b, "b")
		}, "a", "b ", false, "", 0},
		"the older name of it, replaced": {func(b *bed) {
			write(b.t, b.root, "a")
			notice(b, "a")
			link(b, "a", "b")
			remove(b, "a")
			notice(b, "b")
			write(b.t, b.root, "a")
		}, "a", "b ", false, "", 0},
		"a number that is used once more": {func(b *bed) {
			write(b.t, b.root, "a")
			notice(b, "a")
			remove(b, "a")
			notice(b, "a")
			write(b.t, b.root, "b")
			notice(b, "b")
		}, "a", "", false, "", 0},
		"a second name that is about to go": {func(b *bed) { write(b.t, b.root, "a"); link(b, "a", "b"); notice(b, "b"); remove(b, "a") }, "a", "", false, "b", 0},
		"below a directory that was renamed": {func(b *bed) {
			write(b.t, b.root, "d/a")
			link(b, "d/a", "b")
			b.l.Scan(b.t.Context())
			check(b.t, os.Rename(filepath.Join(b.root, "d"), filepath.Join(b.root, "e")))
			b.l.Moved("d", "e", true)
		}, "b", "e/a ", false, "", 0},
		"renamed, and gone": {func(b *bed) {
			write(b.t, b.root, "a")
			link(b, "a", "b")
			b.l.Scan(b.t.Context())
			check(b.t, os.Rename(filepath.Join(b.root, "a"), filepath.Join(b.root, "c")))
			b.l.Moved("a", "c", false)
			remove(b, "c")
		}, "c", "b ", false, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			b := &bed{t: t, root: t.TempDir(), elsewhere: filepath.Join(t.TempDir(), "elsewhere")}
			b.l = New(walk.Tree{Root: b.root}, func(string) bool { return false }, func(all []Marks, _ Answer) {
				for _, m := range all {
					found = append(found, m.Names...)
				}
			})
			write(t, b.root, "other")
			test.before(b)
			found = nil
			if others := notice(b, test.of); strings.TrimSpace(others) != strings.TrimSpace(test.others) {
				t.Errorf("%q is to be looked at, expected %q", others, test.others)
			}
			b.l.Recheck()
			if _, _, open := b.l.Oldest(); (open > 0) != test.walk {
				t.Errorf("%d questions are open", open)
			}
			b.l.Scan(t.Context())
			if _, _, open := b.l.Oldest(); open > 0 {
				t.Error("a walk does not answer the question")
			}
			slices.Sort(found)
			if got := strings.Join(slices.Compact(found), " "); got != test.found {
				t.Errorf("found %q, expected %q", got, test.found)
			}
			if n := int64(b.l.Outside()); n != test.outside {
				t.Errorf("%d files have names outside", n)
			}
		})
	}
}

// A walk past which a directory is renamed says nothing, and is made again.
func TestWalkPastARename(t *testing.T) {
	root := t.TempDir()
	l := New(walk.Tree{Root: root}, func(string) bool { return false }, func([]Marks, Answer) {})
	write(t, root, "d/a")
	check(t, os.Link(filepath.Join(root, "d/a"), filepath.Join(t.TempDir(), "elsewhere")))
	l.Notice("d/a", 1, time.Now())
	f := l.paths["d/a"][0]
	for range searchRounds {
		l.renames++
		l.Finish(l.resolve(f, l.renames-1))
		if f.question == nil {
			t.Fatal("the question was answered by a walk that was disturbed")
		}
	}
	if !l.GiveUp() {
		t.Error("it goes on for ever")
	}
	if l.Finish(nil); f.question != nil || len(l.asked) > 0 {
		t.Error("the question is still open")
	}
}

func TestNamesAreBounded(t *testing.T) {
	l := New(walk.Tree{Root: t.TempDir()}, func(string) bool { return false }, nil)
	for i := range uint64(3 * linksRoom) {
		name := "gone/" + strconv.FormatUint(i, 10)
		l.join(fileID{1, i}, name).used = i
	}
	if l.count > linksRoom || l.count != len(l.paths) || l.count != len(l.files) {
		t.Errorf("%d names, %d paths, %d files", l.count, len(l.paths), len(l.files))
	}
	if l.files[fileID{1, 3*linksRoom - 1}] == nil {
		t.Error("the last one is forgotten")
	}
	l.count, l.room = linksLimit, linksLimit+1
	if l.join(fileID{2, 1}, "last") == nil || l.join(fileID{2, 2}, "one too many") != nil {
		t.Errorf("%d names are remembered", l.count)
	}
}

// A file that got a second name, was written to by that, and lost it before anybody looked has
// the first one still, which only a walk finds.
func TestSecondNameIsGone(t *testing.T) {
	root := t.TempDir()
	marked := make(map[string]uint64)
	l := New(walk.Tree{Root: root}, func(string) bool { return false }, func(found []Marks, _ Answer) {
		for _, m := range found {
			for _, name := range m.Names {
				marked[name] = max(marked[name], m.Seq)
			}
		}
	})
	write(t, root, "first")
	check(t, os.Link(filepath.Join(root, "first"), filepath.Join(root, "second")))
	l.Notice("second", 1, time.Now())
	check(t, os.Remove(filepath.Join(root, "second")))
	l.Notice("second", 2, time.Now()) // it was written to
	l.Notice("second", 3, time.Now()) // it is gone
	if l.Recheck(); marked["first"] == 0 {
		if _, _, open := l.Oldest(); open == 0 {
			t.Error("nobody looks for the first name")
		}
	}
	if l.Scan(t.Context()); marked["first"] < 2 {
		t.Errorf("marked are %v", marked)
	}
	if _, _, open := l.Oldest(); open != 0 {
		t.Errorf("%d questions are open", open)
	}
}
