package direct

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// mounted is the variable that tells the test program that it runs in mounts of
// its own.
const mounted = "WSYNC_TEST_MOUNTED"

// inMounts runs a test on both targets in mounts of its own. A test that is not
// root's cannot mount anything.
func inMounts(t *testing.T, test func(f *fixture)) {
	remotetest.NeedRoot(t, "to mount")
	if os.Getenv(mounted) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		onTargets(t, test)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mounted+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// mount mounts an empty file system of its own at a path of the destination.
func (f *fixture) mount(path, options string) {
	f.Helper()
	f.check(os.MkdirAll(f.there(path), 0o755))
	f.check(syscall.Mount("tmpfs", f.there(path), "tmpfs", 0, options))
	f.Cleanup(func() { f.check(syscall.Unmount(f.there(path), syscall.MNT_DETACH)) })
	if path == "." && !f.target.Pipelines() {
		f.target = NewLocal(f.dst) // a mount takes the place of the directory
	}
}

// A directory of the destination is on another file system than TempDir: files
// are made beside their place.
func TestAnotherFileSystem(t *testing.T) {
	inMounts(t, func(f *fixture) {
		f.mount("m", "size=10m")
		f.both("m/sub/f", "old")
		f.both("plain", "old")
		f.both("m/moved", "across")
		write := func(round int) []*dirty.Entry {
			f.write(f.at("m/f"), fmt.Sprint("new", round))
			f.write(f.at("m/sub/f"), fmt.Sprint("new", round))
			f.write(f.at("plain"), fmt.Sprint("new", round))
			return []*dirty.Entry{entry("m/f", newEntry), entry("m/sub/f", newEntry), entry("plain", newEntry)}
		}
		f.sendAll(nil, write(1)...)
		f.wantSame()
		f.sendAll(nil, write(2)...)
		f.wantSame()
		f.wantNoLeftovers()

		f.check(os.Symlink("f", f.at("m/l")))
		f.write(f.at("m/tree/t"), "in a tree")
		f.sendAll(nil, entry("m/l", newEntry), entry("m/tree", newTree))
		f.wantSame()

		// What a rename cannot do, rsync must.
		f.check(os.Rename(f.at("m/moved"), f.at("moved")))
		_, result := f.send([]dirty.Move{{From: "m/moved", To: "moved"}})
		if len(result.MovesFailed) != 1 {
			f.Errorf("%+v", result)
		}
		f.wantContent(f.there("m/moved"), "across")
	})
}

// The first thing that is made on another file system is a link.
func TestLinkOnAnotherFileSystem(t *testing.T) {
	inMounts(t, func(f *fixture) {
		f.mount("m", "size=10m")
		f.check(os.Mkdir(f.at("m"), 0o755))
		f.check(os.Symlink("f", f.at("m/l")))
		_, result := f.send(nil, entry("m/l", newEntry))
		if _, err := os.Lstat(f.there("m/l")); err != nil && len(result.Failed) == 0 {
			f.Error("it is not there, and nobody knows")
		}
		f.wantNoLeftovers()
	})
}

// On a disk that has no room left for a file, the old file stays.
func TestFullDisk(t *testing.T) {
	inMounts(t, func(f *fixture) {
		f.lane.Close()
		f.mount(".", "size=512k")
		f.both("f", pattern(200_000))
		f.both("small", "old")
		f.start()
		f.write(f.at("f"), strings.Repeat("n", 400_000))
		_, result := f.send(nil, entry("f", watch.Content))
		f.wantFailed(result, "f")
		f.wantContent(f.there("f"), pattern(200_000))
		f.wantNoLeftovers()
		f.write(f.at("small"), "new")
		f.sendAll(nil, entry("small", watch.Content))
		f.wantContent(f.there("small"), "new")
	})
}

// If the disk seemed to have room, a file that does not fit may be cut off there
// for a moment, until rsync comes. From then on the lane looks before it
// replaces, whatever room is said to be left: it may be another one's, or there
// may be a quota.
func TestDiskThatSeemsToHaveRoom(t *testing.T) {
	inMounts(t, func(f *fixture) {
		f.lane.Close()
		f.mount(".", "size=512k")
		for _, name := range []string{"f", "g", "h"} {
			f.both(name, pattern(100_000))
			f.write(f.at(name), strings.Repeat("n", 500_000))
		}
		f.target = roomyTarget{f.target}
		f.start()
		_, result := f.send(nil, entry("f", watch.Content))
		f.wantFailed(result, "f")
		if info, err := os.Stat(f.there("f")); f.target.Pipelines() {
			f.Logf("the file has %d of 500000 bytes, and had 100000: %v", info.Size(), err)
		} else {
			f.wantContent(f.there("f"), pattern(100_000))
		}
		_, result = f.send(nil, entry("g", watch.Content))
		f.wantFailed(result, "g")
		f.wantContent(f.there("g"), pattern(100_000))
		// The room is asked for again, and there still seems to be enough.
		f.lane.asked = time.Time{}
		f.send(nil)
		_, result = f.send(nil, entry("h", watch.Content))
		f.wantFailed(result, "h")
		f.wantContent(f.there("h"), pattern(100_000))
	})
}

// In the flight in which the room runs out, files may be cut off: not more than
// are under way at once.
func TestRoomRunsOutInAFlight(t *testing.T) {
	remotetest.Long(t, testing.Short())
	inMounts(t, func(f *fixture) {
		f.lane.Close()
		f.mount(".", "size=2m")
		f.target = roomyTarget{f.target}
		f.start()
		const files = 3 * inFlight
		var entries []*dirty.Entry
		for i := range files {
			name := fmt.Sprint("f", i)
			f.both(name, pattern(5000))
			f.write(f.at(name), strings.Repeat("n", 30_000))
			entries = append(entries, entry(name, watch.Content))
		}
		_, result := f.send(nil, entries...)
		cut := 0
		for i := range files {
			got, err := os.ReadFile(f.there(fmt.Sprint("f", i)))
			f.check(err)
			if len(got) != 30_000 && string(got) != pattern(5000) {
				cut++
			}
		}
		f.Logf("%d of %d files are new, %d are cut off", result.Files, files, cut)
		if len(result.Failed)+result.Files != files || cut > len(result.Failed) {
			f.Errorf("%d failed and %d are new", len(result.Failed), result.Files)
		}
		if cut > inFlight || !f.target.Pipelines() && cut > 0 {
			f.Errorf("%d files are cut off", cut)
		}
		f.wantNoLeftovers()
	})
}

// A trash on another file system takes nothing by a rename.
func TestTrashOnAnotherFileSystem(t *testing.T) {
	inMounts(t, func(f *fixture) {
		dir := f.there(config.TrashDirectory)
		f.check(os.Mkdir(dir, 0o700))
		f.check(syscall.Mount("trash", dir, "tmpfs", 0, ""))
		defer func() { f.check(syscall.Unmount(dir, 0)) }()
		f.testTrashFails()
	})
}
