package direct

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// What stands in the way there is rsync's: it knows how much is in a directory.
// Nothing may be lost before it comes.
func TestDirectoryInTheWay(t *testing.T) {
	for name, make := range map[string]func(f *fixture){
		"of a file": func(f *fixture) { f.write(f.at("x"), "a file") },
		"of a link": func(f *fixture) { f.check(os.Symlink("to", f.at("x"))) },
	} {
		t.Run(name, func(t *testing.T) {
			onTargets(t, func(f *fixture) {
				f.write(f.there("x/inside"), "old")
				make(f)
				f.write(f.at("y"), "another")
				_, result := f.send(nil, entry("x", newEntry), entry("y", newEntry))
				f.wantFailed(result, "x")
				f.wantContent(f.there("x/inside"), "old")
				f.wantContent(f.there("y"), "another")
				f.wantNoLeftovers()
			})
		})
	}
}

func TestFileInTheWayOfADirectory(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.write(f.there("x"), "old")
		f.write(f.at("x/inside/f"), "new")
		f.write(f.at("y"), "another")
		_, result := f.send(nil, entry("x", newTree), entry("y", newEntry))
		f.wantFailed(result, "x")
		f.wantContent(f.there("x"), "old")
		f.wantContent(f.there("y"), "another")
		f.wantNoLeftovers()
	})
}

// A directory that is there already may have more in it than the new one.
func TestDirectoryInTheWayOfADirectory(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.write(f.there("x/more"), "old")
		f.write(f.at("x/f"), "new")
		_, result := f.send(nil, entry("x", newTree))
		f.wantFailed(result, "x")
	})
}

// A directory that went with the one above it, before its own event came.
func TestDirectoryThatIsThere(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("x/sub/f", "old")
		f.both("x/empty/f", "old")
		f.check(os.Remove(f.at("x/empty/f")))
		f.check(os.Remove(f.there("x/empty/f")))
		f.write(f.at("x/sub/f"), "new")
		f.write(f.at("x/sub/deep/g"), "new")
		f.write(f.at("y/f"), "new")
		f.sendAll(nil, entry("x", newTree), entry("y", newTree))
		f.wantSame()
		f.wantNoLeftovers()
	})
}

func TestObstaclesInDirectoriesThatAreThere(t *testing.T) {
	for name, obstruct := range map[string]func(f *fixture){
		"more":   func(f *fixture) { f.write(f.there("x/sub/more"), "old") },
		"a file": func(f *fixture) { f.write(f.there("x/sub/deep"), "old") },
		"a link": func(f *fixture) {
			f.both("elsewhere/g", "must stay")
			f.check(os.Symlink("../../elsewhere", f.there("x/sub/deep")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTargets(t, func(f *fixture) {
				f.both("x/sub/f", "old")
				obstruct(f)
				f.write(f.at("x/sub/deep/g"), "new")
				_, result := f.send(nil, entry("x", newTree))
				f.wantFailed(result, "x")
				if name == "a link" {
					f.wantContent(f.there("elsewhere/g"), "must stay")
				}
				f.wantNoLeftovers()
			})
		})
	}
}

// Many that are there are too many to look into.
func TestManyDirectoriesThatAreThere(t *testing.T) {
	onTargets(t, func(f *fixture) {
		for i := range existingLimit + 1 {
			f.both(fmt.Sprintf("x/%d/f", i), "old")
		}
		_, result := f.send(nil, entry("x", newTree))
		f.wantFailed(result, "x")
	})
}

// linked is a tree in which d was a symbolic link, and still is there, to a
// directory elsewhere with the same names.
func linked(f *fixture) {
	f.both("elsewhere/x", "must stay")
	f.both("elsewhere/sub/y", "must stay")
	f.check(os.Chmod(f.there("elsewhere"), 0o711))
	f.check(os.Symlink("elsewhere", f.there("d")))
}

func (f *fixture) wantUntouched() {
	f.Helper()
	for _, dir := range []string{"elsewhere/x", "elsewhere/sub/y"} {
		f.wantContent(f.there(dir), "must stay")
	}
	f.wantNothing(f.there("elsewhere/new"))
	if info, err := os.Stat(f.there("elsewhere")); err != nil || info.Mode().Perm() != 0o711 {
		f.Errorf("the directory that the link leads to: %v, %v", info.Mode(), err)
	}
	f.wantNoLeftovers()
}

// Where a directory takes the place of a link, nothing of it may go through the
// link: it leads anywhere.
func TestLinkInTheWayOfADirectory(t *testing.T) {
	onTargets(t, func(f *fixture) {
		linked(f)
		f.write(f.at("d/x"), "new")
		f.write(f.at("d/new"), "new")
		f.write(f.at("d/sub/y"), "new")
		f.write(f.at("other"), "another")
		_, result := f.send(nil, entry("d", newTree), entry("d/x", newEntry), entry("d/new", newEntry), entry("other", newEntry))
		f.wantUntouched()
		f.wantFailed(result, "d")
		f.wantContent(f.there("other"), "another")
	})
}

// The directory may be too much for this lane. Then all below it is, too.
func TestLinkInTheWayOfADirectoryForRsync(t *testing.T) {
	onTargets(t, func(f *fixture) {
		linked(f)
		f.write(f.at("d/x"), "new")
		f.check(syscall.Mkfifo(f.at("d/new"), 0o600))
		f.write(f.at("d/sub/y"), "new")
		plan, _ := f.send(nil, entry("d", newTree), entry("d/sub/y", newEntry), entry("d/gone", watch.Entry), entry("d/sub", watch.Meta))
		f.wantUntouched()
		if len(plan.Rest) != 4 {
			f.Errorf("rsync is to send %q", pathsOf(plan.Rest))
		}
	})
}

// A link became a directory that is gone again: what was in it never was there,
// but something of its name is where the link leads to.
func TestLinkInTheWayOfARemoval(t *testing.T) {
	onTargets(t, func(f *fixture) {
		linked(f)
		f.write(f.there("real/f"), "")
		_, result := f.send(nil, entry("d", newTree), entry("d/x", watch.Entry), entry("d/sub", newTree), entry("d/sub/y", watch.Entry),
			entry("real", newTree), entry("real/f", watch.Entry))
		f.wantUntouched()
		f.wantFailed(result, "d", "d/sub", "d/sub/y", "d/x")
		f.wantNothing(f.there("real"))
		if result.Deleted != 2 {
			f.Errorf("%d deleted", result.Deleted)
		}
	})
}

// A file became a directory that is gone again.
func TestFileInTheWayOfARemoval(t *testing.T) {
	onTargets(t, func(f *fixture) {
		for _, entries := range [][]*dirty.Entry{{entry("d", newTree)}, {entry("d", newTree), entry("d/x", watch.Entry)}} {
			f.write(f.there("d"), "a file")
			_, result := f.send(nil, entries...)
			if _, err := os.Lstat(f.there("d")); err == nil && len(result.Failed) == 0 {
				f.Errorf("the file is still there after %q, and nobody knows", pathsOf(entries))
			}
		}
	})
}

// The attributes of a file are not those of what a link leads to.
func TestLinkInTheWayOfAttributes(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("elsewhere", "must stay")
		f.check(os.Chmod(f.there("elsewhere"), 0o711))
		f.check(os.Symlink("elsewhere", f.there("f")))
		f.write(f.at("f"), "was a link")
		f.sendAll(nil, entry("f", watch.Entry|watch.Meta))
		if info, err := os.Stat(f.there("elsewhere")); err != nil || info.Mode().Perm() != 0o711 {
			f.Errorf("%v, %v", info.Mode(), err)
		}
		f.wantContent(f.there("f"), "was a link")
	})
}

// A directory that leads to the place is missing there: nothing announced that,
// so that rsync must see it.
func TestParentIsMissing(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.write(f.at("d/f"), "new")
		f.write(f.at("d/g"), "new")
		f.check(os.Symlink("f", f.at("d/l")))
		f.write(f.at("other"), "another")
		_, result := f.send(nil, entry("d/f", watch.Content), entry("d/g", watch.Meta), entry("d/l", newEntry), entry("other", newEntry))
		f.wantFailed(result, "d/f", "d/g", "d/l")
		f.wantNothing(f.there("d"))
		f.wantContent(f.there("other"), "another")
	})
}

// A rename onto a directory that is not empty there fails, and onto a file, too;
// what else the flight has below the new name fails with it or is right.
func TestSomethingInTheWayOfAMove(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("d/f", "f")
		f.check(os.Rename(f.at("d"), f.at("e")))
		f.write(f.there("e"), "a file")
		moves := []dirty.Move{{From: "d", To: "e", Dir: true}}
		f.write(f.at("e/new"), "new")
		_, result := f.send(moves, entry("e/new", newEntry))
		if len(result.MovesFailed) != 1 {
			f.Errorf("%+v", result)
		}
		f.wantFailed(result, "e/new")
		f.wantContent(f.there("e"), "a file")
		f.wantContent(f.there("d/f"), "f")
	})
}
