package transfer

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// ignoring gives the workspace of a bench rules.
func (b *bench) ignoring(patterns ...string) {
	b.lane.exclude = exclude.NewLive(b.src, config.Workspace{NoDefaultIgnores: true, Ignore: patterns})
}

// there checks what is at the destination: paths with their contents, all that is there
// but for directories, and wsync's own.
func (b *bench) there(want map[string]string) {
	b.t.Helper()
	got := make(map[string]string)
	check(b.t, filepath.WalkDir(b.dst, func(path string, e os.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(e.Name(), ".wsync-") {
			if e != nil && e.IsDir() {
				return filepath.SkipDir
			}
			return err
		}
		if e.IsDir() {
			return nil
		}
		name, err := filepath.Rel(b.dst, path)
		check(b.t, err)
		text, err := os.ReadFile(path)
		got[name] = string(text)
		return err
	}))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if text, ok := want[name]; !ok {
			b.t.Errorf("%s is there", name)
		} else if text != got[name] {
			b.t.Errorf("%s is %q, expected %q", name, got[name], text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[name]; !ok {
			b.t.Errorf("%s is missing", name)
		}
	}
}

// here and remotely write files that say where they were written.
func (b *bench) here(names ...string) { b.fill(b.src, "here", names) }

func (b *bench) remotely(names ...string) { b.fill(b.dst, "there", names) }

func (b *bench) fill(root, text string, names []string) {
	b.t.Helper()
	for _, name := range names {
		path := filepath.Join(root, name)
		check(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(b.t, os.WriteFile(path, []byte(text), 0o644))
		for p := name; p != "."; p = filepath.Dir(p) {
			give(b.t, filepath.Join(root, p))
		}
	}
}

// texts is what there expects of files that say the same.
func texts(text string, names ...string) map[string]string {
	all := make(map[string]string)
	for _, name := range names {
		all[name] = text
	}
	return all
}

func both(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// What is ignored is neither sent nor deleted, by no way of sending and in no pass.
func TestIgnored(t *testing.T) {
	for name, newBench := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := newBench(t)
			b.ignoring("*.o", "build/", "/top")
			b.here("a", "a.o", "top/x", "d/b", "d/b.o", "d/build/x", "d/top", "build/x", "e/build", "g/h/i")
			b.pass()
			b.drain()
			sent := texts("here", "a", "d/b", "d/top", "e/build", "g/h/i")
			b.there(sent)

			// What others have there stays, whatever becomes of the directories.
			b.remotely("r.o", "d/r.o", "build/r", "g/h/build/deep/r", "g/r.o", "e/deep/r.o")
			theirs := texts("there", "r.o", "d/r.o", "build/r", "g/h/build/deep/r", "g/r.o", "e/deep/r.o")
			b.pass()
			b.there(both(sent, theirs))

			b.here("new/a", "new/a.o", "new/build/x", "a", "b.o")
			b.change(madeDir, "new")
			b.change(made, "a")
			b.drain()
			sent["new/a"] = "here"
			b.there(both(sent, theirs))

			for _, dir := range []string{"d", "g", "new"} {
				check(t, os.RemoveAll(filepath.Join(b.src, dir)))
			}
			b.change(madeDir, "d", "g", "g/h", "new")
			b.change(made, "d/b", "g/h/i")
			b.drain()
			for _, gone := range []string{"d/b", "d/top", "g/h/i", "new/a"} {
				delete(sent, gone)
			}
			b.there(both(sent, theirs))
			kept := b.Status(b.now).Kept
			if kept == nil || !slices.Contains(kept.Sample, "d") || slices.Contains(kept.Sample, "new") {
				t.Errorf("kept: %+v", kept)
			}
			b.pass()
			b.there(both(sent, theirs))
			if n := len(b.Account().Failing()); n > 0 {
				t.Errorf("%d paths fail", n)
			}
			if b.Account().Hold != nil {
				t.Errorf("held: %+v", b.Account().Hold)
			}
		})
	}
}

// Where a file is to be and the remote has a directory with something in it that is
// ignored, that file fails alone.
func TestIgnoredInTheWay(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, newBench := range deletingWays() {
		if name == "basic" {
			continue // it replaces no directory at all
		}
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.ignoring("*.o")
			b.here("a", "w")
			b.pass()
			b.drain()
			check(t, os.Remove(filepath.Join(b.dst, "w")))
			b.remotely("w/r.o", "w/foreign")
			b.here("a", "w", "x")
			b.change(made, "a", "w", "x")
			for range 3 {
				b.transfer()
			}
			if got := failing(b); got != "w" {
				t.Errorf("failing: %q", got)
			}
			b.pass()
			b.transfer()
			for _, p := range []string{"w/r.o", "a", "x"} {
				if !exists(filepath.Join(b.dst, p)) {
					t.Errorf("%s is not there", p)
				}
			}
			check(t, os.Remove(filepath.Join(b.dst, "w/r.o")))
			b.change(made, "w")
			b.drain()
			b.drain()
			b.withoutTrash()
			b.equal()
		})
	}
}

// Rules that come while a batch waits hold for it, and those that have gone do not.
func TestRulesChangeBeforeTheTransfer(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, newBench := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := newBench(t)
			b.ignoring("old")
			b.here("a")
			b.pass()
			b.here("new", "old", "d/new", "d/old", "build", "gone/x")
			b.remotely("build2/x")
			b.change(made, "new", "old", "build")
			b.change(madeDir, "d", "gone")
			b.ignoring("new", "build*/")
			check(t, os.RemoveAll(filepath.Join(b.src, "gone")))
			b.change(made|watch.Tree, "build2") // which was a directory that is gone
			b.drain()
			b.there(both(texts("here", "a", "old", "d/old", "build"), texts("there", "build2/x")))
			b.pass()
			b.there(both(texts("here", "a", "old", "d/old", "build"), texts("there", "build2/x")))
		})
	}
}

// What is ignored at a destination that is used for the first time is not foreign.
func TestIgnoredIsNotForeign(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.remote.AdoptionPending = true
	b.ignoring("*.o")
	b.here("a")
	b.remotely("r.o", "d/r.o")
	b.pass()
	b.here("d/a")
	b.pass()
	b.drain()
	if b.Account().Hold != nil {
		t.Errorf("held: %+v", b.Account().Hold)
	}
	b.there(both(texts("here", "a", "d/a"), texts("there", "r.o", "d/r.o")))
}

// A rule file that nobody has told of counts for what is beside it and below.
func TestUnknownRuleFile(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, newBench := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := newBench(t)
			b.here("a")
			b.pass()
			b.here("p/x.o", "p/x", "p/build/y", "p/d/z.o")
			check(t, os.WriteFile(filepath.Join(b.src, "p/.wsyncignore"), []byte("*.o\nbuild\n"), 0o644))
			give(t, filepath.Join(b.src, "p/.wsyncignore"))
			b.change(madeDir, "p")
			b.drain()
			want := texts("here", "a", "p/x")
			want["p/.wsyncignore"] = "*.o\nbuild\n"
			b.there(want)
			b.pass()
			b.there(want)
		})
	}
}

// What a run has left that was killed keeps no directory that is gone, and is nothing
// that a remote keeps for what is ignored.
func TestDelayedKeepsNoDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.remote.DelayUpdates = true
	b.here("a", "made/b")
	b.pass()
	b.drain()
	b.remotely("made/" + config.DelayDirectory + "/b")
	check(t, os.RemoveAll(filepath.Join(b.src, "made")))
	b.change(made, "made/b")
	b.change(madeDir, "made")
	b.drain()
	b.equal()
	if kept := b.Status(b.now).Kept; kept != nil {
		t.Errorf("kept: %+v", kept)
	}
}

// Where a file was and the remote has a directory with something ignored in it, nothing
// of that is deleted with the file, nor when the file is elsewhere now.
func TestIgnoredInPlaceOfAFile(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, newBench := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := newBench(t)
			b.ignoring("*.o")
			b.here("a", "f", "g", "d/h", "k")
			b.pass()
			b.drain()
			for _, p := range []string{"f", "g", "d/h"} {
				check(t, os.Remove(filepath.Join(b.dst, p)))
			}
			b.remotely("f/r.o", "g/e/r.o", "g/e/s.o", "d/h/r.o")
			theirs := texts("there", "f/r.o", "g/e/r.o", "g/e/s.o", "d/h/r.o")
			check(t, os.Rename(filepath.Join(b.src, "f"), filepath.Join(b.src, "f2")))
			for _, p := range []string{"g", "d/h", "k"} {
				check(t, os.Remove(filepath.Join(b.src, p)))
			}
			b.moved("f", "f2", made)
			b.change(made, "g", "d/h", "k")
			b.drain()
			b.there(both(texts("here", "a", "f2"), theirs))
			b.pass()
			b.there(both(texts("here", "a", "f2"), theirs))
		})
	}
}

// What a rule file says that comes while a pass looks, and of which nobody has told yet,
// counts for what the pass sends and deletes.
func TestRulesComeDuringALook(t *testing.T) {
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.here("a")
	b.pass()
	b.drain()
	b.remotely("r.x", "r")
	real, err := exec.LookPath("rsync")
	check(t, err)
	bin, rules := t.TempDir(), filepath.Join(b.src, ".wsyncignore")
	script := fmt.Sprintf("#!/bin/sh\n[ -e '%[1]s' ] || { echo '*.x' > '%[1]s'; echo here > '%[2]s'; }\nexec '%[3]s' \"$@\"\n", rules, filepath.Join(b.src, "y.x"), real)
	check(t, os.WriteFile(filepath.Join(bin, "rsync"), []byte(script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	b.pass()
	b.drain()
	want := both(texts("here", "a"), texts("there", "r.x"))
	want[".wsyncignore"] = "*.x\n"
	b.there(want)
}

// What is gone here, and never was there, has changed the time of the directory all the
// same.
func TestTimeBesideWhatNeverWasThere(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, newBench := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := newBench(t)
			b.here("d/e/f", "a")
			b.pass()
			b.drain()
			b.here("d/e/gone/x")
			check(t, os.RemoveAll(filepath.Join(b.src, "d/e/gone")))
			b.change(madeDir, "d/e/gone")
			b.drain()
			b.withoutTrash()
			b.equal()
		})
	}
}

// withoutTrash removes the trash, as if it had never been there.
func (b *bench) withoutTrash() {
	b.t.Helper()
	check(b.t, removeAll(filepath.Join(b.dst, config.TrashDirectory)))
	info, err := os.Stat(b.src)
	check(b.t, err)
	check(b.t, os.Chtimes(b.dst, info.ModTime(), info.ModTime()))
}

// What another mirror has left in a directory keeps it from nothing when that mirror is
// gone.
func TestWhatAnotherMirrorLeftGoes(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, newBench := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := newBench(t)
			b.here("a", "d/b")
			b.pass()
			b.drain()
			b.remotely("in/f", "in/.wsync-tmp/left", "d/.wsync-tmp/left")
			b.pass()
			b.drain()
			b.withoutTrash()
			b.equal()
		})
	}
}
