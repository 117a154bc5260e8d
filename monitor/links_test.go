package monitor

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/monitor/exclude"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// A file is written by a name that is gone, and lives on under another one that
// no event has.
func TestWriteByALostName(t *testing.T) {
	for name, lose := range map[string]func(b *bench){
		"removed": func(b *bench) { check(b.t, os.Remove(filepath.Join(b.src, "a"))) },
		"replaced": func(b *bench) {
			write(b.t, b.src, "new")
			check(b.t, os.Rename(filepath.Join(b.src, "new"), filepath.Join(b.src, "a")))
			b.change(made, "new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "a", "keep")
			b.pass()
			check(t, os.Link(filepath.Join(b.src, "a"), filepath.Join(b.src, "b")))
			b.change(made, "b")
			b.change(watch.Meta, "a")
			b.drain()
			b.drain()
			b.proven()
			file, err := os.OpenFile(filepath.Join(b.src, "a"), os.O_WRONLY|os.O_APPEND, 0)
			check(t, err)
			defer file.Close()
			lose(b)
			b.change(made, "a")
			b.drain()
			b.drain()
			_, err = file.WriteString("more")
			check(t, err)
			b.change(watch.Content, "a")
			b.drain()
			b.proven()
		})
	}
}

// A tree that goes as a whole may have a file in it that was changed, and has a
// name elsewhere.
func TestWriteInATreeToAFileWithAnotherName(t *testing.T) {
	for name, large := range map[string]bool{"small": false, "by rsync": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "other/name", "keep")
			b.pass()
			write(t, b.src, "d/f")
			if large {
				check(t, os.Truncate(filepath.Join(b.src, "d/f"), small.FileSize+1))
			}
			check(t, os.MkdirAll(filepath.Join(b.src, "d/sub"), 0o755))
			check(t, os.Link(filepath.Join(b.src, "other/name"), filepath.Join(b.src, "d/sub/name")))
			check(t, os.WriteFile(filepath.Join(b.src, "d/sub/name"), []byte("something longer than before"), 0o644))
			b.change(madeDir, "d")
			b.change(watch.Content, "d/sub/name")
			b.drain()
			b.drain()
			b.proven()
		})
	}
}

// A file is written by a name that nobody has looked at, and that is gone when
// its turn comes: it is the older of two.
func TestWriteByAnOlderName(t *testing.T) {
	b := newBench(t)
	write(t, b.src, "older", "keep", "outside")
	check(t, os.Link(filepath.Join(b.src, "older"), filepath.Join(b.src, "newer")))
	check(t, os.Link(filepath.Join(b.src, "outside"), filepath.Join(newDir(t), "elsewhere")))
	b.pass()
	check(t, os.WriteFile(filepath.Join(b.src, "older"), []byte("something longer than before"), 0o644))
	check(t, os.Remove(filepath.Join(b.src, "older")))
	b.change(watch.Content, "older")
	b.change(made, "older")
	b.drain()
	b.drain()
	b.proven()
	if b.lane.links.outside.Load() != 1 {
		t.Error("a name outside of the workspace is not counted")
	}
}

// A name comes and goes, with a write by it in between, while a remote is paused.
func TestWriteByANameThatNoLaneHasSeen(t *testing.T) {
	dst := newDir(t)
	r := startMonitor(t, []string{"a", "keep"}, localRemote("r", dst))
	r.wait("r")
	r.definition.Workspace.Paused = true
	r.send()
	r.until("r", "paused", func(s report.RemoteStatus) bool { return s.State == report.Paused })
	check(t, os.Link(filepath.Join(r.src, "a"), filepath.Join(r.src, "b")))
	r.definition.Barrier++
	r.send()
	r.until("r", "that the link is known", func(s report.RemoteStatus) bool { return s.Asked >= r.definition.Barrier })
	check(t, os.WriteFile(filepath.Join(r.src, "b"), []byte("something longer than before"), 0o644))
	check(t, os.Remove(filepath.Join(r.src, "b")))
	r.definition.Workspace.Paused = false
	r.wait("r")
	r.equal(dst)
}

// What each look at a file's names costs, by what happened before.
func TestNames(t *testing.T) {
	type bed struct {
		t         *testing.T
		l         *links
		elsewhere string
		seq       uint64
	}
	link := func(b *bed, from, to string) {
		check(b.t, os.Link(filepath.Join(b.l.root, from), filepath.Join(b.l.root, to)))
	}
	remove := func(b *bed, name string) { check(b.t, os.Remove(filepath.Join(b.l.root, name))) }
	notice := func(b *bed, name string) string {
		b.seq++
		others, a := b.l.notice(name, b.seq, time.Now())
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
		"one name":                    {func(b *bed) { write(b.t, b.l.root, "a") }, "a", "", false, "", 0},
		"two names that are known":    {func(b *bed) { write(b.t, b.l.root, "a"); link(b, "a", "b"); notice(b, "b"); notice(b, "a") }, "b", "a ", false, "a", 0},
		"an older name":               {func(b *bed) { write(b.t, b.l.root, "a"); link(b, "a", "b") }, "b", "?", true, "a", 0},
		"an older name, after a pass": {func(b *bed) { write(b.t, b.l.root, "a"); link(b, "a", "b"); b.l.scan(b.t.Context()) }, "b", "a ", false, "", 0},
		"a name outside": {func(b *bed) {
			write(b.t, b.l.root, "a")
			check(b.t, os.Link(filepath.Join(b.l.root, "a"), b.elsewhere))
		}, "a", "?", true, "", 1},
		"a name outside, once more": {func(b *bed) {
			write(b.t, b.l.root, "a")
			check(b.t, os.Link(filepath.Join(b.l.root, "a"), b.elsewhere))
			notice(b, "a")
			b.l.scan(b.t.Context())
		}, "a", "", false, "", 1},
		"a name outside that is gone": {func(b *bed) {
			write(b.t, b.l.root, "a")
			check(b.t, os.Link(filepath.Join(b.l.root, "a"), b.elsewhere))
			b.l.scan(b.t.Context())
			check(b.t, os.Remove(b.elsewhere))
		}, "a", "", false, "", 0},
		"a name that came from outside": {func(b *bed) {
			write(b.t, b.l.root, "a")
			check(b.t, os.Link(filepath.Join(b.l.root, "a"), b.elsewhere))
			b.l.scan(b.t.Context())
			check(b.t, os.Rename(b.elsewhere, filepath.Join(b.l.root, "b")))
		}, "b", "a ", false, "", 0},
		"a second name that is gone": {func(b *bed) { write(b.t, b.l.root, "a"); notice(b, "a"); link(b, "a", "b"); remove(b, "a") }, "b", "", false, "", 0},
		"the older name of it": {func(b *bed) {
			write(b.t, b.l.root, "a")
			notice(b, "a")
			link(b, "a", "b")
			remove(b, "a")
			notice(b, "b")
		}, "a", "b ", false, "", 0},
		"the older name of it, replaced": {func(b *bed) {
			write(b.t, b.l.root, "a")
			notice(b, "a")
			link(b, "a", "b")
			remove(b, "a")
			notice(b, "b")
			write(b.t, b.l.root, "a")
		}, "a", "b ", false, "", 0},
		"a number that is used once more": {func(b *bed) {
			write(b.t, b.l.root, "a")
			notice(b, "a")
			remove(b, "a")
			notice(b, "a")
			write(b.t, b.l.root, "b")
			notice(b, "b")
		}, "a", "", false, "", 0},
		"a second name that is about to go": {func(b *bed) { write(b.t, b.l.root, "a"); link(b, "a", "b"); notice(b, "b"); remove(b, "a") }, "a", "", false, "b", 0},
		"below a directory that was renamed": {func(b *bed) {
			write(b.t, b.l.root, "d/a")
			link(b, "d/a", "b")
			b.l.scan(b.t.Context())
			check(b.t, os.Rename(filepath.Join(b.l.root, "d"), filepath.Join(b.l.root, "e")))
			b.l.moved("d", "e", true)
		}, "b", "e/a ", false, "", 0},
		"renamed, and gone": {func(b *bed) {
			write(b.t, b.l.root, "a")
			link(b, "a", "b")
			b.l.scan(b.t.Context())
			check(b.t, os.Rename(filepath.Join(b.l.root, "a"), filepath.Join(b.l.root, "c")))
			b.l.moved("a", "c", false)
			remove(b, "c")
		}, "c", "b ", false, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			b := &bed{t: t, elsewhere: filepath.Join(newDir(t), "elsewhere")}
			b.l = newLinks(newDir(t), exclude.Rules{}, func(all []marks, _ answer) {
				for _, m := range all {
					found = append(found, m.names...)
				}
			})
			write(t, b.l.root, "other")
			test.before(b)
			found = nil
			if others := notice(b, test.of); strings.TrimSpace(others) != strings.TrimSpace(test.others) {
				t.Errorf("%q is to be looked at, expected %q", others, test.others)
			}
			b.l.recheck()
			if _, _, open := b.l.oldest(); (open > 0) != test.walk {
				t.Errorf("%d questions are open", open)
			}
			b.l.scan(t.Context())
			if _, _, open := b.l.oldest(); open > 0 {
				t.Error("a walk does not answer the question")
			}
			slices.Sort(found)
			if got := strings.Join(slices.Compact(found), " "); got != test.found {
				t.Errorf("found %q, expected %q", got, test.found)
			}
			if n := b.l.outside.Load(); n != test.outside {
				t.Errorf("%d files have names outside", n)
			}
		})
	}
}

// A walk past which a directory is renamed proves nothing, and is made again.
func TestWalkPastARename(t *testing.T) {
	l := newLinks(newDir(t), exclude.Rules{}, func([]marks, answer) {})
	write(t, l.root, "d/a")
	check(t, os.Link(filepath.Join(l.root, "d/a"), filepath.Join(newDir(t), "elsewhere")))
	l.notice("d/a", 1, time.Now())
	f := l.paths["d/a"][0]
	for range searchRounds {
		l.renames++
		l.finish(l.resolve(f, l.renames-1))
		if f.question == nil {
			t.Fatal("the question was answered by a walk that was disturbed")
		}
	}
	if !l.giveUp() {
		t.Error("it goes on for ever")
	}
	if l.finish(nil); f.question != nil || len(l.asked) > 0 {
		t.Error("the question is still open")
	}
}

func TestNamesAreBounded(t *testing.T) {
	l := newLinks(newDir(t), exclude.Rules{}, nil)
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

// While other names are looked for, nothing from before is on the remotes.
func TestSearchKeepsBarriersWaiting(t *testing.T) {
	b := newBench(t)
	write(t, b.src, "a")
	b.pass()
	b.noteSearch(5, b.now, 1)
	b.addBarrier(1, 6, b.now)
	b.mu.Lock()
	b.answer()
	b.mu.Unlock()
	if s := b.status(b.now); s.Barrier != 0 || s.State != report.Pending || s.NamesSought != 1 {
		t.Errorf("barrier %d, %s, %d sought", s.Barrier, s.State, s.NamesSought)
	}
	b.noteSearch(0, b.now, 0)
	b.mu.Lock()
	b.answer()
	b.mu.Unlock()
	if s := b.status(b.now); s.Barrier != 1 {
		t.Errorf("barrier %d, %s", s.Barrier, s.State)
	}
}
