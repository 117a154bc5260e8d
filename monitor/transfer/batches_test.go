package transfer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

func TestChangesArrive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, "a", "d/b", "d/e/c", "#x", "*")
	b.pass()
	b.drain()
	b.equal()
	write(t, b.src, "new/deep/f")
	check(t, os.WriteFile(filepath.Join(b.src, "a"), []byte("other"), 0o644))
	check(t, os.RemoveAll(filepath.Join(b.src, "d/e")))
	check(t, os.Remove(filepath.Join(b.src, "#x")))
	check(t, os.Chmod(filepath.Join(b.src, "*"), 0o600))
	b.change(madeDir, "new", "d/e")
	b.change(made, "a", "#x")
	b.change(watch.Meta, "*", "", "d")
	b.drain()
	b.equal()
}

// A directory that cannot be read fails alone, is tried again, and is not
// believed to be clean until it is.
func TestUnreadableDirectoryStaysDirty(t *testing.T) {
	remotetest.Long(t, testing.Short())
	beNobody(t)
	for name, way := range map[string]func(b *bench){
		"full pass": func(b *bench) { b.pass() },
		"changes":   func(b *bench) { b.change(madeDir, "d"); b.change(made, "d/secret/deep", "ok") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "ok", "d/ok", "d/secret/deep", "d/secret/sub/deeper")
			check(t, os.Chmod(filepath.Join(b.src, "d/secret"), 0))
			way(b)
			for range 4 {
				b.transfer()
				if !strings.Contains(failing(b), "d/secret") {
					t.Fatalf("failing: %q, of %d", failing(b), b.isDirty())
				}
			}
			if b.Account().Failure != nil || !exists(filepath.Join(b.dst, "ok")) || !exists(filepath.Join(b.dst, "d/ok")) {
				t.Errorf("others do not go on: %v", b.Account().Failure)
			}
			// And as part of a tree that changes.
			write(t, b.src, "d/new")
			b.change(madeDir, "d")
			b.transfer()
			if !strings.Contains(failing(b), "d/secret") || !exists(filepath.Join(b.dst, "d/new")) {
				t.Errorf("failing: %q", failing(b))
			}
			check(t, os.Chmod(filepath.Join(b.src, "d/secret"), 0o755))
			b.change(watch.Meta, "d/secret", "d", "")
			b.drain()
			b.equal()
		})
	}
}

// Each name that can be misunderstood in a complaint.
func TestUnwritableDirectoryStaysDirty(t *testing.T) {
	remotetest.Long(t, testing.Short())
	remotetest.NeedRoot(t, "it takes two users")
	beNobody(t)
	for _, name := range []string{"f", ".f", "...", "nl\nx", strings.Repeat("l", 255), `a" failed: b`, `q"`} {
		b := newBench(t)
		write(t, b.src, "d/"+name, "ok")
		write(t, b.dst, "d/there")
		write(t, b.src, "d/there")
		check(t, os.Chown(filepath.Join(b.dst, "d"), 0, 0))
		b.change(made, "d/"+name, "ok")
		for range 3 {
			b.transfer()
			if b.isDirty() == 0 && b.Account().Failures == 0 {
				t.Fatalf("%q is believed to be clean", name)
			}
		}
		if !exists(filepath.Join(b.dst, "ok")) {
			t.Errorf("%q keeps others from being sent", name)
		}
		check(t, os.Chown(filepath.Join(b.dst, "d"), nobody, nobody))
		b.drain()
		b.pass()
		b.drain()
		b.equal()
	}
}

// More paths fail than rsync's words are kept of.
func TestVeryManyFailingPaths(t *testing.T) {
	remotetest.Long(t, testing.Short())
	beNobody(t)
	b := newBench(t)
	b.remote.DelayUpdates = true
	names := numbered("d/"+strings.Repeat("long", 55), 1500)
	write(t, b.src, append(names, "ok")...)
	for _, name := range names {
		check(t, os.Chmod(filepath.Join(b.src, name), 0))
	}
	b.pass()
	for range 8 {
		b.transfer()
	}
	failing := make(map[string]bool)
	for _, e := range b.Account().Failing() {
		failing[e.Path] = true
	}
	for _, name := range names {
		if !failing[name] {
			t.Fatalf("%s counts as sent", name)
		}
	}
	if b.Account().Everything || b.Account().Failure != nil || failing["ok"] {
		t.Errorf("they fail others: everything %v, %v", b.Account().Everything, b.Account().Failure)
	}
}

// A workspace reached through a symbolic link: rsync names its real paths.
func TestLinkedRootAttributesFailures(t *testing.T) {
	beNobody(t)
	b := newBench(t)
	write(t, b.src, "secret", "ok")
	check(t, os.Chmod(filepath.Join(b.src, "secret"), 0))
	link := filepath.Join(newDir(t), "link")
	check(t, os.Symlink(b.src, link))
	b.lane.root = link
	b.pass()
	if b.Account().Failure != nil || failing(b) != "secret" {
		t.Errorf("failing: %q; everything failed: %v", failing(b), b.Account().Failure)
	}
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.remote.AdoptionPending = true
	write(t, b.src, "mine")
	write(t, b.dst, "yours", "d/yours")
	b.pass()
	if b.Status(b.now).LastSuccess != nil {
		t.Error("nothing was sent yet")
	}
	if b.Account().Hold == nil || !b.Account().Hold.All || b.held().Count != 3 || !exists(filepath.Join(b.dst, "yours")) || exists(filepath.Join(b.dst, "mine")) {
		t.Fatalf("%+v", b.Account().Hold)
	}
	b.approve()
	b.drain()
	b.equal()
	if !b.Account().Adopted {
		t.Error("not adopted")
	}
}

// Destinations that hold nothing foreign are adopted at once.
func TestAdoptionOfOwnAndEmptyDestinations(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for name, prepare := range map[string]func(b *bench){
		"empty":   func(b *bench) {},
		"own":     func(b *bench) { write(b.t, b.dst, "mine") },
		"missing": func(b *bench) { check(b.t, os.Remove(b.dst)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.remote.AdoptionPending = true
			write(t, b.src, "mine")
			prepare(b)
			b.pass()
			b.drain()
			b.equal()
			if !b.Account().Adopted {
				t.Error("not adopted")
			}
		})
	}
}

// Not every file that somebody misses is the destination, which is in use here.
func TestAdoptionWithNoise(t *testing.T) {
	for name, script := range map[string]string{
		"a warning":           `case "$*" in *--dry-run*) echo 'bash: warning: setlocale: cannot change locale: No such file or directory' >&2 ;; esac; exec rsync "$@"`,
		"no rsync behind ssh": `echo 'bash: line 1: /usr/bin/rrsync: No such file or directory' >&2; exit 127`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.remote.AdoptionPending = true
			write(t, b.src, "mine")
			write(t, b.dst, "yours")
			scriptedRsync(t, script)
			b.pass()
			if b.Account().Adopted || !exists(filepath.Join(b.dst, "yours")) || b.Account().Hold == nil && b.Account().Failure == nil {
				t.Errorf("adopted %v, hold %+v, failure %v", b.Account().Adopted, b.Account().Hold, b.Account().Failure)
			}
		})
	}
}

// What cannot be read here keeps nobody from finding what is foreign there.
func TestAdoptionByAWorkspaceThatIsPartlyUnreadable(t *testing.T) {
	remotetest.Long(t, testing.Short())
	beNobody(t)
	for _, foreign := range []string{"", "yours"} {
		b := newBench(t)
		b.remote.AdoptionPending = true
		write(t, b.src, "mine", "secret/f")
		check(t, os.Chmod(filepath.Join(b.src, "secret"), 0))
		if foreign != "" {
			write(t, b.dst, foreign)
		}
		b.pass()
		if held := b.Account().Hold != nil && b.Account().Hold.All; held != (foreign != "") || exists(filepath.Join(b.dst, "mine")) == held {
			t.Errorf("foreign %q: hold %+v, failure %v", foreign, b.Account().Hold, b.Account().Failure)
		}
	}
}

// A destination that is another directory than before, such as another disk, may
// hold what is somebody else's, as at the beginning.
func TestReplacedDestination(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, numbered("f", 200)...)
	b.pass()
	aside := filepath.Join(newDir(t), "dst")
	check(t, os.Rename(b.dst, aside))
	check(t, os.Mkdir(b.dst, 0o755))
	write(t, b.dst, numbered("yours", 50)...)
	write(t, b.src, "new")
	b.change(made, "new")
	b.drain()
	if b.Status(b.now).Adopted {
		t.Error("it is adopted")
	}
	if b.Account().Hold == nil || !b.Account().Hold.All || b.held().Count != 50 || !exists(filepath.Join(b.dst, "yours1")) || exists(filepath.Join(b.dst, "new")) {
		t.Fatalf("%+v", b.Account().Hold)
	}
	check(t, os.RemoveAll(b.dst))
	check(t, os.Rename(aside, b.dst))
	b.orders.Retry++
	b.define()
	b.drain()
	b.equal()
	if !b.Account().Adopted {
		t.Error("it is still another one")
	}
}

// What changes while its transfer fails, or is held, is sent in the end.
func TestSameSizeSameTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, "f")
	b.pass()
	info, err := os.Stat(filepath.Join(b.src, "f"))
	check(t, err)
	content := []byte("CONTENT of f")
	check(t, os.WriteFile(filepath.Join(b.src, "f"), content, 0o644))
	check(t, os.Chtimes(filepath.Join(b.src, "f"), info.ModTime(), info.ModTime()))
	b.change(watch.Content, "f")
	b.drain()
	b.equal()
}

// The same in a tree that comes as a whole: where there was one before, its
// bytes are compared, while one that is new needs no comparison.
func TestSameSizeSameTimeInTrees(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, "old/f", "old/g")
	b.pass()
	info, err := os.Stat(filepath.Join(b.src, "old/f"))
	check(t, err)
	write(t, b.src, "new/f")
	check(t, os.RemoveAll(filepath.Join(b.src, "old")))
	write(t, b.src, "old/f")
	check(t, os.WriteFile(filepath.Join(b.src, "old/f"), []byte("CONTENT of old/f"), 0o644))
	check(t, os.Chtimes(filepath.Join(b.src, "old/f"), info.ModTime(), info.ModTime()))
	for _, large := range []string{"old/large", "new/large"} { // for rsync
		write(t, b.src, large)
		check(t, os.Truncate(filepath.Join(b.src, large), directLimits.FileSize+1))
	}
	b.change(madeDir, "old", "new")
	b.drain()
	b.equal()
}

// After a fold the change is as dirty as before, and so is what only the bytes
// tell.
func TestFoldedChangesOnARemoteWithoutFractions(t *testing.T) {
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	d := newDir(t)
	// The other end forgets fractions of a second: rsync does not see them.
	check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(fmt.Sprintf("#!/bin/sh\nfor a; do shift; case $a in --modify-window=-1) ;; *) set -- \"$@\" \"$a\";; esac; done\nPATH='%s' exec rsync \"$@\"\n", os.Getenv("PATH"))), 0o755))
	t.Setenv("PATH", d+":"+os.Getenv("PATH"))
	b.lane.local.Patch, b.lane.local.Minor, b.lane.local.Major = 2, 1, 3
	write(t, b.src, "d/f")
	b.pass()
	info, err := os.Stat(filepath.Join(b.src, "d/f"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(b.src, "d/f"), []byte("CONTENT of d/f"), 0o644))
	check(t, os.Chtimes(filepath.Join(b.src, "d/f"), info.ModTime(), info.ModTime()))
	b.change(watch.Content, "d/f")
	for i := range 30000 {
		b.change(watch.Content, fmt.Sprintf("x%d/f", i))
	}
	if !b.Account().Everything {
		t.Fatal("nothing folded")
	}
	b.drain()
	if got, err := os.ReadFile(filepath.Join(b.dst, "d/f")); err != nil || string(got) != "CONTENT of d/f" {
		t.Errorf("%q, %v", got, err)
	}
}

// What folded into a full pass was announced: it is no drift.
func TestFoldIsNoDrift(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pass()
	write(t, b.src, "announced")
	for i := range dirty.Limit + 1 {
		b.seq++
		b.Mark(numbered("x", 1)[0]+string(rune('a'+i%26))+time.Duration(i).String()+"/f", watch.Content, b.seq, b.now)
	}
	if !b.Account().Everything {
		t.Fatal("nothing folded")
	}
	b.drain()
	if b.Account().Drift != 0 {
		t.Errorf("a drift of %d", b.Account().Drift)
	}
}
