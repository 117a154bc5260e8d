package transfer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

func TestMassDeletionIsHeld(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
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
		"renamed, and removed there": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			b.moved("d", "old", madeDir)
			b.change(madeDir, "old")
		},
		"renamed, and emptied there": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			check(b.t, os.Mkdir(filepath.Join(b.src, "old"), 0o755))
			b.moved("d", "old", madeDir)
			b.change(madeDir, "old")
		},
		"renamed, and most of it removed there": func(b *bench) {
			check(b.t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "old")))
			for _, name := range numbered("old/", 149) {
				check(b.t, os.Remove(filepath.Join(b.src, name)))
			}
			b.moved("d", "old", madeDir)
			b.change(madeDir, "old")
		},
		"as a whole, replaced by a directory into which something was renamed": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			write(b.t, b.src, "d/new")
			b.change(madeDir, "d")
			b.moved("d/new.tmp", "d/new", made)
		},
		"found by a full pass": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "d")))
			b.pass()
		},
	} {
		for _, rsyncOnly := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by rsync only %v", name, rsyncOnly), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				b.remote.DelayUpdates = rsyncOnly
				testMassDeletionIsHeld(t, b, way)
			})
		}
	}
}

func testMassDeletionIsHeld(t *testing.T, b *bench, way func(b *bench)) {
	write(t, b.src, numbered("d/", 150)...)
	write(t, b.src, numbered("keep/", 20)...)
	b.pass()
	b.equal()
	way(b)
	write(t, b.src, "new")
	b.change(made, "new")
	for range 3 {
		b.transfer()
	}
	held := b.held()
	if held == nil {
		t.Fatalf("150 of 170 deletions are not held; %q is there: %v", "d/1", exists(filepath.Join(b.dst, "d/1")))
	}
	if !exists(filepath.Join(b.dst, "d/2")) || !exists(filepath.Join(b.dst, "d/149")) {
		t.Error("held, and deleted")
	}
	if n := held.Count; n < 149 || n > 152 { // one that was seen to go is gone
		t.Errorf("%d deletions are held", n)
	}
	if !exists(filepath.Join(b.dst, "new")) {
		t.Error("a hold keeps other changes from being sent")
	}
	b.approve()
	b.drain()
	b.equal()
}

func TestFewDeletionsGo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, numbered("d/", 90)...)
	write(t, b.src, numbered("keep", 20)...)
	b.pass()
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	b.change(madeDir, "d")
	b.drain()
	b.equal()
}

// Few at a time are many in the end.
func TestDeletionsAddUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.limits.Count = 10
	write(t, b.src, numbered("d/", 40)...)
	b.pass()
	b.now = time.Now()
	for i, name := range numbered("d/", 40) {
		check(t, os.Remove(filepath.Join(b.src, name)))
		b.change(made, name)
		b.begin(b.now.Add(5 * time.Second)) // within the window
		if b.Account().Hold != nil {
			if i < 10 || i > 25 {
				t.Errorf("held after %d", i)
			}
			return
		}
	}
	t.Errorf("never held: %d dirty, %v, %v", b.isDirty(), b.Account().Failure, b.Account().Recent)
}

// What comes and goes does not add up, only what stays away.
func TestRegrownTreesDoNotAddUp(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.limits.Count = 10
	write(t, b.src, numbered("rest/", 50)...)
	b.pass()
	b.now = time.Now()
	began := b.now
	step := func() {
		b.now = b.now.Add(time.Second) // within the window
		b.begin(b.now)
	}
	for round := range 4 {
		write(t, b.src, numbered("build/", 40)...)
		if round%2 == 1 { // by rsync
			write(t, b.src, "build/large")
			check(t, os.Truncate(filepath.Join(b.src, "build/large"), directLimits.FileSize+1))
		}
		b.change(madeDir, "build")
		step()
		check(t, os.RemoveAll(filepath.Join(b.src, "build")))
		b.change(madeDir, "build")
		b.change(made, numbered("build/", 40)...)
		step()
		if b.Account().Hold != nil {
			t.Fatalf("round %d is held: %s", round, b.Account().Hold.Verdict.Reason)
		}
	}
	if lasted := b.now.Sub(began); lasted > 10*time.Second {
		t.Fatalf("it lasted %v", lasted)
	}
	// What is gone for good adds up.
	for _, name := range numbered("rest/", 50) {
		check(t, os.Remove(filepath.Join(b.src, name)))
		b.change(made, name)
		b.begin(b.now.Add(300 * time.Millisecond)) // all has come, and the window is open
		if b.Account().Hold != nil {
			return
		}
	}
	t.Error("never held")
}

// A tree that is renamed may be new on the remote, and makes up for nothing.
func TestRenamesMakeUpForNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.limits.Count = 10
	write(t, b.src, numbered("goes/", 30)...)
	write(t, b.src, numbered("tree/", 30)...)
	write(t, b.src, numbered("rest/", 30)...)
	b.pass()
	b.now = time.Now()
	step := func() (deletions int) {
		b.now = b.now.Add(300 * time.Millisecond) // all has come, and the window is open
		b.begin(b.now)
		return b.Account().Recent.Entries
	}
	check(t, os.RemoveAll(filepath.Join(b.src, "goes")))
	b.change(madeDir, "goes")
	b.change(made, numbered("goes/", 30)...)
	before := step()
	check(t, os.Rename(filepath.Join(b.src, "tree"), filepath.Join(b.src, "renamed")))
	b.seq++
	b.Moved("tree", "renamed", madeDir, false, b.seq, b.now)
	if after := step(); before == 0 || after < before {
		t.Errorf("%d deletions count, and %d after a rename", before, after)
	}
	b.drain()
	b.equal()
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
	check(t, os.Truncate(filepath.Join(b.src, "keep"), directLimits.FileSize+1)) // for rsync
	b.change(made, "keep")
	// The run for "keep" breaks, after the deletions have been held.
	d := newDir(t)
	check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' --ignore-times '*) exit 12;; esac\nPATH='%s' exec rsync \"$@\"\n", os.Getenv("PATH"))), 0o755))
	t.Setenv("PATH", d+":"+os.Getenv("PATH"))
	for range 3 {
		b.transfer()
	}
	if held := b.held(); held != nil && held.Count != 150 {
		t.Errorf("%d deletions are held", held.Count)
	}
	if b.Account().Hold != nil && b.isDirty()+len(b.Account().Hold.Entries) > 151 {
		t.Errorf("%d paths are dirty and %d held", b.isDirty(), len(b.Account().Hold.Entries))
	}
}

// A run whose deletions were stopped by their number says nothing, whatever
// its exit code is.
func TestStoppedDeletionsAreNotProven(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for _, code := range []string{"0", "24"} {
		b := newBench(t)
		write(t, b.src, "gone", "stays")
		b.pass()
		b.equal()
		b.lane.known.Load().direct = nil
		d := newDir(t)
		scriptedRsync(t, `case "$*" in *--dry-run*) exec rsync "$@" ;; esac
echo run >>`+d+`/runs
if [ "$(wc -l <`+d+`/runs)" -le 2 ]; then
	echo "file has vanished: \"`+b.src+`/passing\"" >&2
	echo "Deletions stopped due to --max-delete limit (1 skipped)" >&2
	exit `+code+`
fi
exec rsync "$@"`)
		check(t, os.Remove(filepath.Join(b.src, "gone")))
		b.change(made, "gone")
		b.drain()
		b.equal()
	}
}

// A directory is renamed, and removed while its new name is being sent.
func TestRenamedDirectoryGoesWhileItIsSent(t *testing.T) {
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.remote.DelayUpdates = true
	write(t, b.src, append(numbered("d/", 150), numbered("keep/", 20)...)...)
	b.pass()
	check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "old")))
	b.moved("d", "old", madeDir)
	scriptedRsync(t, `rsync "$@"; code=$?; rm -rf '`+b.src+`/old'; exit $code`)
	b.transfer()
	b.change(madeDir, "old")
	b.drain()
	if b.Account().Hold == nil || !exists(filepath.Join(b.dst, "d/1")) && !exists(filepath.Join(b.dst, "old/1")) {
		t.Errorf("hold %+v, d/1 %v, old/1 %v", b.Account().Hold, exists(filepath.Join(b.dst, "d/1")), exists(filepath.Join(b.dst, "old/1")))
	}
}

// A rename of all there is takes no judgement, however it gets there, and does not
// count against what follows.
func TestRenameOfEverything(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.remote.DelayUpdates = true
	write(t, b.src, append(numbered("d/", 300), "d/sub/f")...)
	b.pass()
	check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "e")))
	b.moved("d", "e", madeDir)
	b.drain()
	b.equal()
	if n := b.Account().Recent; n.Entries > 0 {
		t.Errorf("%v deletions count", n)
	}
}

// During a hold a directory is renamed in which deletions are held.
func TestHeldDirectoryIsRenamed(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.remote.DelayUpdates = true
	write(t, b.src, append(numbered("d/", 150), "d/keep")...)
	b.pass()
	for _, name := range numbered("d/", 150) {
		check(t, os.Remove(filepath.Join(b.src, name)))
	}
	b.change(made, numbered("d/", 150)...)
	b.transfer()
	if b.Account().Hold == nil {
		t.Fatal("not held")
	}
	check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "e")))
	b.moved("d", "e", madeDir)
	b.transfer()
	if b.Account().Hold == nil || !exists(filepath.Join(b.dst, "d/1")) || !exists(filepath.Join(b.dst, "e/keep")) {
		t.Errorf("hold %+v, d/1 %v, e/keep %v", b.Account().Hold, exists(filepath.Join(b.dst, "d/1")), exists(filepath.Join(b.dst, "e/keep")))
	}
}

// What has to go from a tree counts together with what is gone beside it.
func TestDeletionsOfATransferAddUp(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	b.remote.DelayUpdates = true
	write(t, b.src, append(append(numbered("d/", 99), numbered("e/", 99)...), "keep")...)
	b.pass()
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	check(t, os.Mkdir(filepath.Join(b.src, "d"), 0o755))
	b.change(madeDir, "d")
	for _, name := range numbered("e/", 99) {
		check(t, os.Remove(filepath.Join(b.src, name)))
	}
	b.change(made, numbered("e/", 99)...)
	b.transfer()
	if b.Account().Hold == nil || !exists(filepath.Join(b.dst, "e/1")) {
		t.Errorf("198 of 201 are gone; held: %+v", b.Account().Hold)
	}
}

// Deletions that the user has approved do not count against those that follow.
func TestApprovedDeletionsCountForNothing(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, append(numbered("d/", 150), numbered("e/", 5)...)...)
	b.pass()
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	b.pass()
	b.approve()
	b.begin(b.now)
	if exists(filepath.Join(b.dst, "d")) {
		t.Fatal("approved, and not deleted")
	}
	if n := b.Account().Recent; n.Entries > 0 {
		t.Errorf("%v deletions count", n)
	}
}

// What was renamed when the user was asked is not among what was approved, and is judged
// when it is gone from the new place, too.
func TestApprovalIsGoodForItsNames(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, slices.Concat(numbered("d/", 60), numbered("x/", 150), numbered("keep", 5))...)
	b.pass()
	check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "e")))
	check(t, os.RemoveAll(filepath.Join(b.src, "x")))
	b.moved("d", "e", madeDir)
	b.change(madeDir, "x")
	b.transfer()
	if held := b.held(); held == nil || held.Count != 151 {
		t.Fatalf("held: %+v", held)
	}
	check(t, os.RemoveAll(filepath.Join(b.src, "e")))
	b.change(madeDir, "e")
	b.approve()
	b.transfer()
	if exists(filepath.Join(b.dst, "x")) {
		t.Error("approved, and not deleted")
	}
	if held := b.held(); held == nil || held.Count != 122 || !exists(filepath.Join(b.dst, "d/1")) || !exists(filepath.Join(b.dst, "e/1")) {
		t.Errorf("held: %+v", held)
	}
}

func TestEmptiedBesideGitIsHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.lane.exclude = exclude.NewLive(b.src, config.Workspace{SkipGit: true})
	write(t, b.src, append(numbered("f", 60), ".git/HEAD")...)
	b.pass()
	for _, name := range numbered("f", 60) {
		check(t, os.Remove(filepath.Join(b.src, name)))
	}
	b.change(made, numbered("f", 60)...)
	b.transfer()
	if b.Account().Hold == nil || !exists(filepath.Join(b.dst, "f1")) {
		t.Errorf("hold %+v, f1 is there: %v", b.Account().Hold, exists(filepath.Join(b.dst, "f1")))
	}
}

// What is there again is taken out at once, and the hold ends with the last of it.
func TestHoldEndsWhenAllIsThereAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, append(numbered("d/", 150), "keep")...)
	b.pass()
	aside := filepath.Join(newDir(t), "d")
	check(t, os.Rename(filepath.Join(b.src, "d"), aside))
	b.change(madeDir, "d")
	b.transfer()
	before := b.held()
	if before == nil || before.Count != 151 {
		t.Fatalf("%+v", before)
	}
	check(t, os.Rename(filepath.Join(aside, "1"), filepath.Join(newDir(t), "1")))
	check(t, os.Rename(aside, filepath.Join(b.src, "d")))
	b.change(madeDir, "d")
	if s := b.Status(b.now); s.Held != nil || s.State == report.Halted {
		t.Errorf("nobody has looked whether it is there again: %+v", s)
	}
	after := b.held()
	if after == nil || after.Count != 1 || after.ID != before.ID || len(after.Sample) != 1 || after.Sample[0] != "d/1" {
		t.Errorf("%+v after %+v", after, before)
	}
	if b.transfer(); !exists(filepath.Join(b.dst, "d/1")) {
		t.Error("held, and deleted")
	}
	write(t, b.src, "d/1")
	b.change(made, "d/1")
	if held := b.held(); held != nil || b.Account().Hold != nil {
		t.Errorf("%+v", held)
	}
	b.drain()
	b.equal()
}

// Another pass finds the same deletions, and says no less of them.
func TestHoldKeepsItsReason(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, append(numbered("d/", 150), "keep")...)
	b.pass()
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	b.pass()
	before := b.held()
	b.pass()
	if after := b.held(); !reflect.DeepEqual(after, before) {
		t.Errorf("%+v after %+v", after, before)
	}
}

// What is gone, and what makes way for something else, is deleted one after the other, and
// judged together: neither is more than half of the tree.
func TestDeletionsOfOneBatchAddUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, numbered("d/", 110)...)
	write(t, b.src, numbered("e/", 110)...)
	write(t, b.src, numbered("keep/", 200)...)
	b.pass()
	b.equal()
	check(t, errors.Join(os.RemoveAll(filepath.Join(b.src, "d")), os.RemoveAll(filepath.Join(b.src, "e"))))
	write(t, b.src, "e")
	b.change(madeDir, "d")
	b.change(madeDir, "e")
	b.transfer()
	if hold := b.Account().Hold; hold == nil || hold.Names.Len() != 110 || exists(filepath.Join(b.dst, "d/1")) || !exists(filepath.Join(b.dst, "e/1")) {
		t.Errorf("%q is there: %v, %q: %v, held: %v", "d/1", exists(filepath.Join(b.dst, "d/1")), "e/1", exists(filepath.Join(b.dst, "e/1")), hold != nil)
	}
}

// A file that was renamed clears its own old name, and nothing of a directory that was there
// before on the remote.
func TestRenamedFileClearsNoDirectory(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{true, false} {
		for _, rsyncOnly := range []bool{true, false} {
			t.Run(fmt.Sprintf("held %v, by rsync only %v", held, rsyncOnly), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				b.remote.DelayUpdates = rsyncOnly
				write(t, b.src, numbered("d/", 150)...)
				write(t, b.src, numbered("keep/", 20)...)
				b.pass()
				b.equal()
				check(t, os.RemoveAll(filepath.Join(b.src, "d")))
				if held {
					b.change(madeDir, "d")
					b.transfer()
				}
				write(t, b.src, "c")
				b.moved("d", "c", made)
				b.transfer()
				b.transfer()
				if !exists(filepath.Join(b.dst, "d/1")) || b.Account().Hold == nil {
					t.Errorf("%q is there: %v, held: %v", "d/1", exists(filepath.Join(b.dst, "d/1")), b.Account().Hold != nil)
				}
			})
		}
	}
}
