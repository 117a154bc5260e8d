package direct

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// One flight with a step of each kind.
func TestEachKind(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("changed", "old and longer")
		f.both("gone", "")
		f.both("empty/gone", "")
		f.both("mode", "")
		f.both("dir/f", "")
		f.check(os.Symlink("old", f.there("link")))

		f.write(f.at("changed"), "new")
		f.check(os.Remove(f.at("gone")))
		f.check(os.RemoveAll(f.at("empty")))
		f.check(os.Chmod(f.at("mode"), 0o600))
		f.check(os.Chmod(f.at("dir"), 0o700))
		f.check(os.Symlink("new\nplace", f.at("link")))
		f.write(f.at("tree/sub/f"), "in a tree")
		f.check(os.Symlink("f", f.at("tree/sub/l")))

		result := f.sendAll(nil, entry("changed", watch.Content), entry("gone", watch.Entry), entry("empty/gone", watch.Entry),
			entry("empty", newTree), entry("mode", watch.Meta), entry("dir", watch.Meta), entry("link", newEntry), entry("tree", newTree))
		f.wantSame()
		f.wantNoLeftovers()
		if want := (Result{Deleted: 3, Files: 2, Bytes: 3 + 9}); result.Deleted != want.Deleted || result.Files != want.Files || result.Bytes != want.Bytes {
			f.Errorf("%+v, expected %+v", result, want)
		}
	})
}

// Whoever has the old file open goes on with the old file.
func TestReplaceAFileThatIsOpen(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("f", "old")
		old, err := os.Open(f.there("f"))
		f.check(err)
		defer old.Close()
		f.write(f.at("f"), "new")
		f.sendAll(nil, entry("f", watch.Content))
		f.wantContent(f.there("f"), "new")
		if got, err := io.ReadAll(old); err != nil || string(got) != "old" {
			f.Errorf("the reader has %q, %v", got, err)
		}
	})
}

func TestAttributes(t *testing.T) {
	modes := []fs.FileMode{0, 0o400, 0o755, 0o4755, 0o2755, 0o6711, 0o1777, 0o7777}
	special := map[fs.FileMode]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky}
	onTargets(t, func(f *fixture) {
		var first, again []*dirty.Entry
		for i, bits := range modes {
			mode := bits.Perm()
			for bit, m := range special {
				if bits&bit != 0 {
					mode |= m
				}
			}
			if os.Geteuid() != 0 && bits&0o700 != 0o700 {
				continue // others could not read, nor remove them
			}
			for _, kind := range []string{"new-", "changed-", "dir-", "newdir-"} {
				name, change := fmt.Sprintf("%s%o", kind, bits), newEntry
				switch kind {
				case "new-":
					f.write(f.at(name), name)
				case "changed-":
					f.both(name, name)
					change = watch.Meta
				case "dir-":
					f.both(name+"/f", name)
					change = watch.Meta
				default:
					f.write(f.at(name+"/f"), name)
					change = newTree
				}
				f.check(os.Chmod(f.at(name), mode))
				modified := time.Unix(1_500_000_000+int64(i), 123456789)
				f.check(os.Chtimes(f.at(name), modified, modified))
				first, again = append(first, entry(name, change)), append(again, entry(name, watch.Meta))
			}
		}
		f.sendAll(nil, first...)
		f.wantSame()
		// What is set already stays: the owner must not clear setuid and setgid.
		f.sendAll(nil, again...)
		f.wantSame()
	})
}

// As root, wsync keeps owners. Others cannot give their files away.
func TestOwner(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("f", "old")
		if os.Geteuid() != 0 {
			f.write(f.at("f"), "new")
			f.sendAll(nil, entry("f", watch.Content))
			return
		}
		f.check(os.Chown(f.at("f"), 4711, 4712))
		plan, result := f.send(nil, entry("f", watch.Meta))
		f.wantFailed(result)
		if f.server != nil {
			// By sftp the number may be another user's name there.
			if len(plan.Rest) != 1 {
				f.Errorf("the plan is %+v", plan)
			}
			return
		}
		info, err := os.Stat(f.there("f"))
		f.check(err)
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 4711 || st.Gid != 4712 {
			f.Errorf("owned by %d, %d", st.Uid, st.Gid)
		}
	})
}

func TestNames(t *testing.T) {
	names := []string{"new\nline", "not \xff\xfe UTF-8", strings.Repeat("n", 255), "-f", " ", "a\\b", "*", ".wsync-tmp-1", "...", "tab\t", "\x7f", "ünï"}
	onTargets(t, func(f *fixture) {
		var made, gone []*dirty.Entry
		for _, name := range names {
			f.write(f.at(name), name)
			f.write(f.at("d/"+name+"/f"), name)
			f.check(os.Symlink(name, f.at("d/l"+name[:min(len(name), 250)])))
			made = append(made, entry(name, newEntry))
			gone = append(gone, entry(name, watch.Entry))
		}
		f.sendAll(nil, append(made, entry("d", newTree))...)
		f.wantSame()
		var moves []dirty.Move
		for i, name := range names {
			to := fmt.Sprint("d/moved", i)
			f.check(os.Rename(f.at("d/"+name), f.at(to)))
			moves = append(moves, dirty.Move{From: "d/" + name, To: to, Dir: true})
			f.check(os.Remove(f.at(name)))
		}
		if result := f.sendAll(moves, gone...); result.Deleted != len(names) {
			f.Errorf("%d deleted", result.Deleted)
		}
		f.wantSame()
	})
}

func TestSizes(t *testing.T) {
	onTargets(t, func(f *fixture) {
		var entries []*dirty.Entry
		for _, size := range []int{0, 1, 32<<10 - 1, 32 << 10, 32<<10 + 1, 255 << 10, 1 << 20} {
			name := fmt.Sprint(size)
			f.both(name, "old")
			f.write(f.at(name), pattern(size))
			entries = append(entries, entry(name, watch.Content))
		}
		f.sendAll(nil, entries...)
		f.wantSame()
		f.wantNoLeftovers()
	})
}

// pattern is content in which each piece is another.
func pattern(size int) string {
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return b.String()[:size]
}

// More files than may be open at once, and more bytes than may be under way.
func TestLargeFlight(t *testing.T) {
	remotetest.Long(t, testing.Short())
	onTargets(t, func(f *fixture) {
		for i := range 3 * inFlight {
			f.write(f.at(fmt.Sprintf("d%d/f%d", i%7, i)), pattern(i*400))
		}
		var entries []*dirty.Entry
		for i := range 7 {
			entries = append(entries, entry(fmt.Sprint("d", i), newTree))
		}
		f.sendAll(nil, entries...)
		f.wantSame()
		f.wantNoLeftovers()
	})
}

func TestMoves(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("d/sub/f", "in a directory")
		f.both("one", "1")
		f.both("two", "2")
		f.both("over", "is replaced")
		f.both("by", "replaces")
		f.both("other/x", "")
		rename := func(from, to string) dirty.Move {
			f.check(os.Rename(f.at(from), f.at(to)))
			return dirty.Move{From: from, To: to, Dir: from == "d"}
		}
		moves := []dirty.Move{
			rename("d", "other/e"),
			rename("one", "third"), rename("two", "one"), rename("third", "two"),
			rename("by", "over"),
			rename("other/e/sub/f", "f"),
		}
		f.write(f.at("other/e/sub/new"), "made after the move")
		f.write(f.at("by"), "made under an old name")
		result := f.sendAll(moves, entry("other/e/sub/new", newEntry), entry("by", newEntry))
		f.wantSame()
		if result.Deleted != 0 {
			f.Errorf("%d deleted", result.Deleted)
		}
	})
}

// After a move that fails the names may mean other things, so that all later
// ones are reported as failed, too. What else is in the flight is carried out.
func TestMoveThatFails(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("a", "a")
		f.both("full/x", "in the way")
		f.write(f.there("d/y"), "y")
		f.write(f.at("full/y"), "y")
		f.check(os.Remove(f.at("full/x")))
		f.check(os.Rename(f.at("a"), f.at("b")))
		f.write(f.at("new"), "new")
		moves := []dirty.Move{
			{From: "a", To: "b", Seq: 1},
			{From: "d", To: "full", Dir: true, Seq: 2},
			{From: "b", To: "c", Seq: 3},
			{From: "c", To: "b", Seq: 4},
		}
		_, result := f.send(moves, entry("new", newEntry))
		f.wantFailed(result)
		if got := result.MovesFailed; len(got) != 3 || got[0] != moves[1] || got[1] != moves[2] || got[2] != moves[3] {
			f.Errorf("failed: %+v", got)
		}
		f.wantContent(f.there("new"), "new")
		f.wantContent(f.there("full/x"), "in the way")
		f.wantContent(f.there("d/y"), "y")
	})
}

// What is gone already was not deleted, and is no failure.
func TestRemoveWhatNeverWas(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("f", "a file")
		f.check(os.Remove(f.at("f")))
		f.check(os.Mkdir(f.at("f"), 0o755))
		f.check(os.Remove(f.at("f")))
		result := f.sendAll(nil, entry("never", watch.Entry), entry("never/below", newTree), entry("dir", newTree))
		if result.Deleted != 0 {
			f.Errorf("%d deleted", result.Deleted)
		}
	})
}

// A directory that is not empty there is nobody's to delete without a look.
func TestRemoveADirectoryThatIsNotEmpty(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.write(f.there("d/unknown"), "")
		_, result := f.send(nil, entry("d", newTree))
		f.wantFailed(result, "d")
		f.wantContent(f.there("d/unknown"), "")
	})
}

// What is approved is not counted.
func TestApprovedDeletion(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.write(f.there("gone"), "")
		gone := entry("gone", watch.Entry)
		gone.Approved = 1
		if result := f.sendAll(nil, gone); result.Deleted != 0 {
			f.Errorf("%d deleted", result.Deleted)
		}
		f.wantNothing(f.there("gone"))
	})
}

// Between the plan and the flight a file changes into something else.
func TestFileChangesOnItsWay(t *testing.T) {
	for name, change := range map[string]func(f *fixture){
		"grows":   func(f *fixture) { f.write(f.at("f"), pattern(int(limits.FileSize)+1)) },
		"is gone": func(f *fixture) { f.check(os.Remove(f.at("f"))) },
		"pipe": func(f *fixture) {
			f.check(os.Remove(f.at("f")))
			f.check(syscall.Mkfifo(f.at("f"), 0o644))
		},
		"link": func(f *fixture) {
			f.check(os.Rename(f.at("f"), f.at("other")))
			f.check(os.Symlink("other", f.at("f")))
		},
		"directory": func(f *fixture) {
			f.check(os.Remove(f.at("f")))
			f.check(os.Mkdir(f.at("f"), 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTargets(t, func(f *fixture) {
				f.both("f", "old")
				f.both("g", "old")
				f.write(f.at("f"), "new")
				f.write(f.at("g"), "new")
				plan := f.plan(nil, entry("f", watch.Content), entry("g", watch.Content))
				change(f)
				f.wantFailed(f.fly(nil, plan), "f")
				f.wantContent(f.there("f"), "old")
				f.wantContent(f.there("g"), "new")
				f.wantNoLeftovers()
			})
		})
	}
}

// A file that is smaller or larger than planned, and within the limit, is sent
// as it is by then, with the attributes that it has by then.
func TestFileIsReadAtTheLastMoment(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.both("f", "old")
		plan := f.plan(nil, entry("f", watch.Content))
		f.write(f.at("f"), pattern(100_000))
		f.check(os.Chmod(f.at("f"), 0o751))
		f.check(os.Chtimes(f.at("f"), time.Unix(1, 0), time.Unix(1, 0)))
		f.wantFailed(f.fly(nil, plan))
		f.wantSame()
	})
}
