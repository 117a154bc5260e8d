package direct

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// keepTrash gives the lane a trash with directories 1, 2 and so on.
func (f *fixture) keepTrash() {
	n := 0
	f.lane.KeepTrash(func() string {
		n++
		return fmt.Sprint(config.TrashDirectory, "/", n)
	})
}

// inTrash is what is in the trash: paths with contents, or with where links lead.
func (f *fixture) inTrash() []string {
	f.Helper()
	var all []string
	trash := f.there(config.TrashDirectory)
	if _, err := os.Lstat(trash); err != nil {
		return nil
	}
	for name, content := range f.contentsOf(trash) {
		all = append(all, name+"="+content)
	}
	slices.Sort(all)
	return all
}

// wantTrash compares it, and wants nothing else in it.
func (f *fixture) wantTrash(want ...string) {
	f.Helper()
	f.settle()
	if got := f.inTrash(); !slices.Equal(got, want) {
		f.Errorf("in the trash: %q, expected %q", got, want)
	}
	trash := f.there(config.TrashDirectory)
	if len(want) == 0 {
		f.wantNothing(trash)
		return
	}
	f.check(filepath.WalkDir(trash, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && path != trash {
			if inside, _ := os.ReadDir(path); len(inside) == 0 {
				f.Errorf("%s is empty", path)
			}
		}
		return err
	}))
}

// contentsOf is what is in a directory, with its paths, when all requests are carried out:
// what is made ahead of time must not come or go meanwhile.
func (f *fixture) contentsOf(dir string) map[string]string {
	f.Helper()
	f.settle()
	all := make(map[string]string)
	f.check(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil || e.IsDir():
			return err
		case e.Type() == fs.ModeSymlink:
			all[name], err = os.Readlink(path)
		case e.Type().IsRegular():
			var content []byte
			content, err = os.ReadFile(path)
			all[name] = string(content)
		}
		return err
	}))
	return all
}

func (c *churn) contents() map[string]string { return c.contentsOf(c.dst) }

// wantKept wants that whatever was there is there, or in the trash, and empties that.
func (c *churn) wantKept(before map[string]string) {
	c.Helper()
	has := make(map[string]bool)
	for _, content := range c.contents() {
		has[content] = true
	}
	for name, content := range before {
		if !has[content] && !strings.HasPrefix(name, TempDir) {
			c.Errorf("%s is lost: %.20q", name, content)
		}
	}
	c.check(os.RemoveAll(c.there(config.TrashDirectory)))
	c.attributes(".")
}

func TestTrash(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.keepTrash()
		f.both("changed", "old")
		f.both("gone", "gone")
		f.both("d/e/f", "in a directory")
		f.both("moved", "moved")
		f.both("over", "over")
		f.both("same", "same")
		f.check(os.Symlink("nowhere", f.there("link")))
		f.check(os.Symlink("nowhere", f.there("file")))

		f.write(f.at("changed"), "new")
		f.write(f.at("made"), "made")
		f.write(f.at("new/tree/f"), "new")
		f.check(os.Remove(f.at("gone")))
		f.check(os.RemoveAll(f.at("d")))
		f.check(os.Rename(f.at("moved"), f.at("over")))
		f.check(os.Chmod(f.at("same"), 0o600))
		f.check(os.Symlink("somewhere", f.at("link")))
		f.write(f.at("file"), "file")
		f.sendAll([]dirty.Move{{From: "moved", To: "over"}}, entry("changed", watch.Content), entry("made", newEntry), entry("new", newTree),
			entry("gone", watch.Entry), entry("never", watch.Entry), entry("nowhere/never", watch.Entry), entry("d/e/f", watch.Entry), entry("d/e", newTree), entry("d", newTree),
			entry("same", watch.Meta), entry("link", newEntry), entry("file", newEntry))
		f.wantTrash("1/changed=old", "1/d/e/f=in a directory", "1/file=nowhere", "1/gone=gone", "1/link=nowhere", "1/over=over")
		if info, err := os.Stat(f.there(config.TrashDirectory)); err != nil || info.Mode().Perm() != 0o700 {
			f.Errorf("the trash is not private: %v, %v", info, err)
		}
		f.write(f.at("changed"), "newer")
		f.sendAll(nil, entry("changed", watch.Content))
		f.wantContent(f.there("changed"), "newer")
		f.wantContent(f.there(config.TrashDirectory+"/2/changed"), "new")
		f.check(os.RemoveAll(f.there(config.TrashDirectory)))
		f.check(f.lane.restoreTime().Wait())
		f.wantSame()
		f.wantNoLeftovers()
	})
}

// What takes a place twice in one flight is kept twice.
func TestTrashTwice(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.keepTrash()
		f.both("a", "first")
		f.both("b", "second")
		f.both("c/d", "third")
		f.check(os.Rename(f.at("b"), f.at("a")))
		f.check(os.Rename(f.at("c/d"), f.at("a")))
		f.write(f.at("a"), "fourth")
		f.sendAll([]dirty.Move{{From: "b", To: "a"}, {From: "c/d", To: "a"}}, entry("a", watch.Content))
		f.wantTrash("1/a=first", "2/a=second", "3/a=third")
		f.wantContent(f.there("a"), "fourth")
	})
}

// What cannot be kept is neither removed nor replaced: rsync is to find a way.
func TestTrashFails(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.write(f.there(config.TrashDirectory), "not a directory")
		f.testTrashFails()
	})
}

func (f *fixture) testTrashFails() {
	f.keepTrash()
	f.both("changed", "old")
	f.both("gone", "gone")
	f.both("d/f", "in a directory")
	f.both("moved", "moved")
	f.both("over", "over")
	f.check(os.Symlink("nowhere", f.there("link")))
	before := f.contentsOf(f.dst)
	f.write(f.at("changed"), "new")
	f.check(os.Remove(f.at("gone")))
	f.check(os.Remove(f.at("d/f")))
	f.check(os.Rename(f.at("moved"), f.at("over")))
	f.check(os.Symlink("somewhere", f.at("link")))
	_, result := f.send([]dirty.Move{{From: "moved", To: "over"}},
		entry("changed", watch.Content), entry("gone", watch.Entry), entry("d/f", watch.Entry), entry("link", newEntry))
	f.wantStays(before)
	f.wantFailed(result, "changed", "d/f", "gone", "link")
	if len(result.MovesFailed) != 1 {
		f.Error("the rename is done")
	}
	f.wantNoLeftovers()
}

// wantStays wants that what was there is there as it was.
func (f *fixture) wantStays(before map[string]string) {
	f.Helper()
	after := f.contentsOf(f.dst)
	for name, content := range before {
		if !strings.HasPrefix(name, TempDir) && after[name] != content {
			f.Errorf("%s is %q", name, after[name])
		}
	}
}

// A directory in the place of a file does not go to the trash as a whole: what is in it
// is to be judged first.
func TestTrashTakesNoDirectory(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.keepTrash()
		f.both("changed/f", "stays")
		f.both("gone/f", "stays")
		f.both("link/f", "stays")
		f.both("over/f", "stays")
		f.both("moved", "stays")
		for _, name := range []string{"changed", "gone", "link", "over"} {
			f.check(os.RemoveAll(f.at(name)))
		}
		before := f.contentsOf(f.dst)
		f.write(f.at("changed"), "new")
		f.check(os.Symlink("somewhere", f.at("link")))
		f.check(os.Rename(f.at("moved"), f.at("over")))
		_, result := f.send([]dirty.Move{{From: "moved", To: "over"}}, entry("changed", newEntry), entry("gone", watch.Entry), entry("link", newEntry))
		f.wantStays(before)
		f.wantFailed(result, "changed", "gone", "link")
		if len(result.MovesFailed) != 1 {
			f.Error("the rename is done")
		}
		f.wantTrash()
	})
}

// What is replaced by the same is not kept for long.
func TestTrashOfTheSame(t *testing.T) {
	onTargets(t, func(f *fixture) {
		f.keepTrash()
		large := pattern(200 << 10)
		f.both("d/same", large)
		f.both("d/other", large)
		f.both("empty", "")
		f.write(f.at("d/other"), "X"+large[1:])
		f.sendAll(nil, entry("d/same", watch.Content), entry("d/other", watch.Content), entry("empty", watch.Content))
		f.wantTrash("1/d/other="+large, "1/d/same="+large, "1/empty=")
		f.lane.ClearTrash()
		f.wantTrash("1/d/other=" + large)
		f.sendAll(nil, entry("empty", watch.Content))
		f.lane.ClearTrash()
		f.wantTrash("1/d/other=" + large)
	})
}
