package monitor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsync/monitor/watch"
)

const (
	made    = watch.Entry | watch.Content
	madeDir = watch.Entry | watch.Content | watch.Tree
)

func TestChangesArrive(t *testing.T) {
	b := newBench(t)
	write(t, b.src, "a", "d/b", "d/e/c", "#x", "*")
	b.pass()
	b.drain()
	b.proven()
	write(t, b.src, "new/deep/f")
	check(t, os.WriteFile(filepath.Join(b.src, "a"), []byte("other"), 0o644))
	check(t, os.RemoveAll(filepath.Join(b.src, "d/e")))
	check(t, os.Remove(filepath.Join(b.src, "#x")))
	check(t, os.Chmod(filepath.Join(b.src, "*"), 0o600))
	b.change(madeDir, "new", "d/e")
	b.change(made, "a", "#x")
	b.change(watch.Meta, "*", "", "d")
	b.drain()
	b.proven()
}

// A directory that cannot be read fails alone, is tried again, and is not
// believed to be clean until it is.
func TestUnreadableDirectoryStaysDirty(t *testing.T) {
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
					t.Fatalf("failing: %q, of %d", failing(b), b.set.Len())
				}
			}
			if b.failure.err != nil || !exists(filepath.Join(b.dst, "ok")) || !exists(filepath.Join(b.dst, "d/ok")) {
				t.Errorf("others do not go on: %v", b.failure.err)
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
			b.proven()
		})
	}
}

// Each name that can be misunderstood in a complaint.
func TestUnwritableDirectoryStaysDirty(t *testing.T) {
	if os.Geteuid() != 0 {
		return // it takes two users
	}
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
			if b.set.Len() == 0 && b.failures == 0 {
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
		b.proven()
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
	if b.failure.err != nil || failing(b) != "secret" {
		t.Errorf("failing: %q; everything failed: %v", failing(b), b.failure.err)
	}
}

func TestMassDeletionIsHeld(t *testing.T) {
	for name, way := range map[string]func(b *bench){
		"one by one": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			b.change(made, numbered("d/", 150)...)
			b.change(madeDir, "d")
		},
		"as a whole": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			b.change(madeDir, "d")
		},
		"as a whole, after a change below": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			b.change(made, "d/1")
			b.change(madeDir, "d")
		},
		"as a whole, replaced by an empty directory": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			check(b.t, os.Mkdir(filepath.Join(b.src, "d"), 0o755))
			b.change(madeDir, "d")
		},
		"emptied, in a set that folded": func(b *bench) {
			for _, name := range numbered("d/", 150) {
				check(b.t, os.Remove(filepath.Join(b.src, name)))
			}
			b.change(madeDir, "d")
		},
		"as a whole, replaced by a file": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			write(b.t, b.src, "d")
			b.change(madeDir, "d")
		},
		"found by a full pass": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			b.pass()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, numbered("d/", 150)...)
			write(t, b.src, numbered("keep/", 20)...)
			b.pass()
			b.proven()
			way(b)
			write(t, b.src, "new")
			b.change(made, "new")
			for range 3 {
				b.transfer()
			}
			if b.hold == nil || b.held == nil {
				t.Fatalf("150 of 170 deletions are not held; %q is there: %v", "d/1", exists(filepath.Join(b.dst, "d/1")))
			}
			if !exists(filepath.Join(b.dst, "d/2")) || !exists(filepath.Join(b.dst, "d/149")) {
				t.Error("held, and deleted")
			}
			if n := b.held.Count; n < 149 || n > 152 { // one that was seen to go is gone
				t.Errorf("%d deletions are held", n)
			}
			if !exists(filepath.Join(b.dst, "new")) {
				t.Error("a hold keeps other changes from being sent")
			}
			orders := b.orders
			orders.Approve = b.held.ID
			b.seq++
			b.define(b.remote, false, orders, 0, b.seq, b.now)
			b.drain()
			b.proven()
		})
	}
}

func TestFewDeletionsGo(t *testing.T) {
	b := newBench(t)
	write(t, b.src, numbered("d/", 90)...)
	write(t, b.src, "keep")
	b.pass()
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	b.change(madeDir, "d")
	b.drain()
	b.proven()
}

// Few at a time are many in the end.
func TestDeletionsAddUp(t *testing.T) {
	b := newBench(t)
	b.limits.count = 10
	write(t, b.src, numbered("d/", 40)...)
	b.pass()
	b.now = time.Now()
	for i, name := range numbered("d/", 40) {
		check(t, os.Remove(filepath.Join(b.src, name)))
		b.change(made, name)
		b.mu.Lock()
		b.begin(t.Context(), b.now.Add(settleLimit)) // within the window
		if b.hold != nil {
			if i < 10 || i > 25 {
				t.Errorf("held after %d", i)
			}
			return
		}
	}
	t.Errorf("never held: %d dirty, %v, %v", b.set.Len(), b.failure.err, b.deletions)
}

// What comes and goes does not add up, only what stays away.
func TestRegrownTreesDoNotAddUp(t *testing.T) {
	b := newBench(t)
	b.limits.count = 10
	write(t, b.src, numbered("rest/", 50)...)
	b.pass()
	b.now = time.Now()
	began := b.now
	step := func() {
		b.now = b.now.Add(time.Second) // within the window
		b.mu.Lock()
		b.begin(t.Context(), b.now)
	}
	for round := range 4 {
		write(t, b.src, numbered("build/", 40)...)
		if round%2 == 1 { // by rsync
			write(t, b.src, "build/large")
			check(t, os.Truncate(filepath.Join(b.src, "build/large"), small.FileSize+1))
		}
		b.change(madeDir, "build")
		step()
		check(t, os.RemoveAll(filepath.Join(b.src, "build")))
		b.change(madeDir, "build")
		b.change(made, numbered("build/", 40)...)
		step()
		if b.hold != nil {
			t.Fatalf("round %d is held: %s", round, b.hold.reason)
		}
	}
	if lasted := b.now.Sub(began); lasted > deletionWindow {
		t.Fatalf("it lasted %v", lasted)
	}
	// What is gone for good adds up.
	for _, name := range numbered("rest/", 50) {
		check(t, os.Remove(filepath.Join(b.src, name)))
		b.change(made, name)
		b.mu.Lock()
		b.begin(t.Context(), b.now.Add(settleTime))
		if b.hold != nil {
			return
		}
	}
	t.Error("never held")
}

// A tree that is renamed may be new on the remote, and makes up for nothing.
func TestRenamesMakeUpForNothing(t *testing.T) {
	b := newBench(t)
	b.limits.count = 10
	write(t, b.src, numbered("goes/", 30)...)
	write(t, b.src, numbered("tree/", 30)...)
	write(t, b.src, numbered("rest/", 30)...)
	b.pass()
	b.now = time.Now()
	step := func() (deletions int) {
		b.mu.Lock()
		b.begin(t.Context(), b.now.Add(settleTime)) // within the window
		for _, d := range b.deletions {
			deletions += d.n
		}
		return deletions
	}
	check(t, os.RemoveAll(filepath.Join(b.src, "goes")))
	b.change(madeDir, "goes")
	b.change(made, numbered("goes/", 30)...)
	before := step()
	check(t, os.Rename(filepath.Join(b.src, "tree"), filepath.Join(b.src, "renamed")))
	b.seq++
	b.markMoved("tree", "renamed", madeDir, false, b.seq, b.now)
	if after := step(); before == 0 || after < before {
		t.Errorf("%d deletions count, and %d after a rename", before, after)
	}
	b.drain()
	b.proven()
}

// A hold whose batch fails otherwise is not counted again with each attempt.
func TestHoldIsNotCountedTwice(t *testing.T) {
	if os.Geteuid() != 0 {
		return // it takes an unusable remote
	}
	b := newBench(t)
	write(t, b.src, numbered("d/", 150)...)
	write(t, b.src, "keep")
	b.pass()
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	b.change(made, numbered("d/", 150)...)
	check(t, os.Truncate(filepath.Join(b.src, "keep"), small.FileSize+1)) // for rsync
	b.change(made, "keep")
	// The run for "keep" breaks, after the deletions have been held.
	d := newDir(t)
	check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' --ignore-times '*) exit 12;; esac\nPATH='%s' exec rsync \"$@\"\n", os.Getenv("PATH"))), 0o755))
	t.Setenv("PATH", d+":"+os.Getenv("PATH"))
	for range 3 {
		b.transfer()
	}
	if b.held != nil && b.held.Count != 150 {
		t.Errorf("%d deletions are held", b.held.Count)
	}
	if b.hold != nil && b.set.Len()+len(b.hold.entries) > 151 {
		t.Errorf("%d paths are dirty and %d held", b.set.Len(), len(b.hold.entries))
	}
}

func TestAdoption(t *testing.T) {
	b := newBench(t)
	b.adopted = false
	write(t, b.src, "mine")
	write(t, b.dst, "yours", "d/yours")
	b.pass()
	if b.hold == nil || !b.hold.all || b.held.Count != 3 || !exists(filepath.Join(b.dst, "yours")) || exists(filepath.Join(b.dst, "mine")) {
		t.Fatalf("%+v", b.hold)
	}
	orders := b.orders
	orders.Approve = b.held.ID
	b.seq++
	b.define(b.remote, false, orders, 0, b.seq, b.now)
	b.drain()
	b.proven()
	if !b.adopted {
		t.Error("not adopted")
	}
}

// Destinations that hold nothing foreign are adopted at once.
func TestAdoptionOfOwnAndEmptyDestinations(t *testing.T) {
	for name, prepare := range map[string]func(b *bench){
		"empty":   func(b *bench) {},
		"own":     func(b *bench) { write(b.t, b.dst, "mine") },
		"missing": func(b *bench) { check(b.t, os.Remove(b.dst)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.adopted = false
			write(t, b.src, "mine")
			prepare(b)
			b.pass()
			b.drain()
			b.proven()
			if !b.adopted {
				t.Error("not adopted")
			}
		})
	}
}

// What changes while its transfer fails, or is held, is sent in the end.
func TestSameSizeSameTime(t *testing.T) {
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
	b.proven()
}

// The same in a tree that comes as a whole: where there was one before, its
// bytes are compared, while one that is new needs no comparison.
func TestSameSizeSameTimeInTrees(t *testing.T) {
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
		check(t, os.Truncate(filepath.Join(b.src, large), small.FileSize+1))
	}
	b.change(madeDir, "old", "new")
	b.drain()
	b.proven()
}

// After a fold the change is as dirty as before, and so is what only the bytes
// tell.
func TestFoldedChangesOnARemoteWithoutFractions(t *testing.T) {
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
	if !b.set.Everything() {
		t.Fatal("nothing folded")
	}
	b.drain()
	if got, err := os.ReadFile(filepath.Join(b.dst, "d/f")); err != nil || string(got) != "CONTENT of d/f" {
		t.Errorf("%q, %v", got, err)
	}
}

// A run whose deletions were stopped by their number has proven nothing, whatever
// its exit code is.
func TestStoppedDeletionsAreNotProven(t *testing.T) {
	for _, code := range []string{"0", "24"} {
		b := newBench(t)
		write(t, b.src, "gone", "stays")
		b.pass()
		b.proven()
		b.lane.known.Load().direct = nil
		d := newDir(t)
		script := "#!/bin/sh\nPATH='" + os.Getenv("PATH") + `'
case "$*" in *--dry-run*) exec rsync "$@" ;; esac
echo run >>` + d + `/runs
if [ "$(wc -l <` + d + `/runs)" -le 2 ]; then
	echo "file has vanished: \"` + b.src + `/passing\"" >&2
	echo "Deletions stopped due to --max-delete limit (1 skipped)" >&2
	exit ` + code + `
fi
exec rsync "$@"
`
		check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(script), 0o755))
		t.Setenv("PATH", d+":"+os.Getenv("PATH"))
		check(t, os.Remove(filepath.Join(b.src, "gone")))
		b.change(made, "gone")
		b.drain()
		b.proven()
	}
}
