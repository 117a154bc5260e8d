package transfer

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// makeDeep makes directories of directories in dir, with a file in the last, which
// together have a path that no system call takes. It returns that of the file, and
// the first that is too long for rsync.
func makeDeep(t *testing.T, dir string) (leaf, first string) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	check(t, err)
	name := strings.Repeat("n", 200)
	for range 22 {
		check(t, root.Mkdir(name, 0o755))
		if leaf = filepath.Join(leaf, name); first == "" && len(leaf) >= 4096 {
			first = leaf
		}
		below, err := root.OpenRoot(name)
		check(t, err)
		root.Close()
		root = below
	}
	check(t, root.WriteFile("leaf", []byte("deep"), 0o644))
	root.Close()
	return filepath.Join(leaf, "leaf"), first
}

// A path that is too long for rsync fails alone: no run is made for it, and what
// is beside it, and beside the directories that lead to it, is sent and deleted.
func TestTooLongPathFailsAlone(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newBench(t)
	write(t, b.src, "a", "gone", "d/b", "d/gone")
	b.pass()
	b.drain()
	b.equal()
	leaf, first := makeDeep(t, b.src)
	top := strings.Split(leaf, "/")[0]
	write(t, b.src, "new", top+"/beside")
	check(t, os.Remove(filepath.Join(b.src, "d/gone")))
	b.change(madeDir, top)
	b.change(made, "new", "d/gone", leaf)
	onlyItFails := func(when string) {
		t.Helper()
		if b.Account().Failures != 0 {
			t.Errorf("%s: all fails: %v", when, b.Account().Failure)
		}
		for _, e := range b.Account().Failing() {
			if e.Path != leaf && e.Path != first || e.Reason != dirty.TooLong {
				t.Errorf("%s: %q fails, for %q: %s", when, e.Path, e.Reason, e.Problem)
			}
		}
		if b.isDirty() == 0 || b.isDirty() > 2 {
			t.Errorf("%s: %d paths are dirty", when, b.isDirty())
		}
	}
	b.transfer()
	b.transfer()
	onlyItFails("after changes")
	for name, want := range map[string]bool{"new": true, top + "/beside": true, "d/gone": false} {
		if exists(filepath.Join(b.dst, name)) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}

	// A full pass finds what no event told, deletions as well.
	check(t, os.Remove(filepath.Join(b.src, "gone")))
	write(t, b.src, "unnoticed", filepath.Dir(first)+"/unnoticed")
	b.pass()
	b.transfer()
	onlyItFails("after a pass")
	for name, want := range map[string]bool{"unnoticed": true, filepath.Dir(first) + "/unnoticed": true, "gone": false} {
		if exists(filepath.Join(b.dst, name)) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}

	// And it is over when the path is gone.
	check(t, os.RemoveAll(filepath.Join(b.src, top)))
	b.change(madeDir, top)
	for range 3 {
		b.transfer()
	}
	b.equal()
	if b.isDirty() > 0 {
		t.Errorf("failing: %q", failing(b))
	}
}

// What a user may not make on the remote is named, whatever rsync says of it, and
// what was there before does not stay.
func TestDevicesThatCannotBeMade(t *testing.T) {
	remotetest.Long(t, testing.Short())
	remotetest.NeedRoot(t, "to make a device")
	beNobody(t)
	device := func(t *testing.T, b *bench, names ...string) {
		for _, name := range names {
			check(t, os.RemoveAll(filepath.Join(b.src, name)))
			if err := syscall.Mknod(filepath.Join(b.src, name), syscall.S_IFCHR|0o644, 1<<8|3); err != nil {
				remotetest.Skip(t, "no device can be made: "+err.Error())
			}
		}
	}
	for name, way := range map[string]func(b *bench){
		"changes":   func(b *bench) { b.change(madeDir, "dir"); b.change(made, "file", "link", "sub/new", "sub/file") },
		"a tree":    func(b *bench) { b.change(madeDir, "dir", "sub"); b.change(made, "file", "link") },
		"full pass": func(b *bench) { b.pass() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			write(t, b.src, "dir/sub/f", "file", "sub/file", "sub/stays", "link", "stays")
			b.pass()
			b.drain()
			b.equal()
			device(t, b, "dir", "file", "link", "sub/new", "sub/file")
			write(t, b.src, "another")
			b.change(made, "another")
			way(b)
			for range 3 {
				b.transfer()
				for _, device := range []string{"dir", "file", "link", "sub/new", "sub/file"} {
					if !strings.Contains(" "+failing(b)+" ", " "+device+" ") {
						t.Fatalf("%s is believed to be there; failing: %s", device, failing(b))
					}
					if exists(filepath.Join(b.dst, device)) {
						t.Errorf("what was at %s is there still", device)
					}
				}
			}
			for _, e := range b.Account().Failing() {
				if e.Reason != dirty.BadKind {
					t.Errorf("%s: %q", e.Path, e.Reason)
				}
			}
			if !exists(filepath.Join(b.dst, "another")) || !exists(filepath.Join(b.dst, "stays")) || !exists(filepath.Join(b.dst, "sub/stays")) {
				t.Error("others were not sent, or are gone")
			}
			for _, device := range []string{"dir", "file", "link", "sub/new", "sub/file"} {
				check(t, os.Remove(filepath.Join(b.src, device)))
			}
			write(t, b.src, "dir/again")
			b.change(madeDir, "dir")
			b.change(made, "file", "link", "sub/new", "sub/file")
			b.drain()
			b.pass()
			b.drain()
			b.equal()
		})
	}
}

// What stood in the place of a device is judged like any other deletion.
func TestDevicesDoNotEmptyARemote(t *testing.T) {
	remotetest.Long(t, testing.Short())
	remotetest.NeedRoot(t, "to make a device")
	beNobody(t)
	b := newBench(t)
	write(t, b.src, append(numbered("dir/f", 150), "stays")...)
	b.pass()
	b.drain()
	b.equal()
	check(t, os.RemoveAll(filepath.Join(b.src, "dir")))
	if err := syscall.Mknod(filepath.Join(b.src, "dir"), syscall.S_IFCHR|0o644, 1<<8|3); err != nil {
		remotetest.Skip(t, "no device can be made: "+err.Error())
	}
	b.change(madeDir, "dir")
	b.transfer()
	b.transfer()
	if held := b.held(); held == nil || held.Count < 150 || !exists(filepath.Join(b.dst, "dir/f149")) {
		t.Fatalf("held: %+v", held)
	}
	b.approve()
	b.transfer()
	b.transfer()
	if exists(filepath.Join(b.dst, "dir")) || failing(b) != "dir" {
		t.Errorf("after the approval: there %v, failing %q", exists(filepath.Join(b.dst, "dir")), failing(b))
	}
}

// Pipes and sockets are nothing special.
func TestPipesAndSocketsArrive(t *testing.T) {
	remotetest.Long(t, testing.Short())
	beNobody(t)
	b := newBench(t)
	write(t, b.src, "dir/f", "file")
	b.pass()
	b.drain()
	for _, name := range []string{"dir", "file"} {
		check(t, os.RemoveAll(filepath.Join(b.src, name)))
	}
	check(t, syscall.Mkfifo(filepath.Join(b.src, "dir"), 0o644))
	give(t, filepath.Join(b.src, "dir"))
	l, err := net.Listen("unix", filepath.Join(b.src, "file"))
	check(t, err)
	defer l.Close()
	give(t, filepath.Join(b.src, "file"))
	b.change(madeDir, "dir")
	b.change(made, "file")
	b.change(watch.Meta, "")
	b.drain()
	b.equal()
}

// An rsync daemon that excludes names takes no such file, and says so; it keeps what
// it has of them, and says that, too, although the run succeeds.
func TestExcludedByTheDaemon(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t, "exclude = keep*")
	write(t, b.src, "d/f", "ok")
	b.pass()
	b.drain()
	b.equal()
	write(t, b.dst, "d/keep")
	check(t, os.RemoveAll(filepath.Join(b.src, "d")))
	write(t, b.src, "keep1", "new")
	b.change(madeDir, "d")
	b.change(made, "keep1", "new")
	for range 3 {
		b.transfer()
		if !strings.Contains(failing(b.bench), "d") || !strings.Contains(failing(b.bench), "keep1") || b.Account().Failures != 0 {
			t.Fatalf("failing: %q, failure %v", failing(b.bench), b.Account().Failure)
		}
	}
	if !exists(filepath.Join(b.dst, "new")) || !exists(filepath.Join(b.dst, "d/keep")) {
		t.Error("another file is missing, or what the daemon keeps is gone")
	}
	b.pass()
	if !strings.Contains(failing(b.bench), "d") {
		t.Errorf("after a pass, failing: %q", failing(b.bench))
	}

	// It is over with what is in the way, and with the file that is not taken.
	check(t, os.Remove(filepath.Join(b.dst, "d/keep")))
	check(t, os.Remove(filepath.Join(b.src, "keep1")))
	b.change(made, "keep1")
	b.drain()
	b.pass()
	b.drain()
	b.equal()
}
