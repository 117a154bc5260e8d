package transfer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// daemonBench is a bench with a module of an rsync daemon for its remote.
type daemonBench struct {
	*bench
	*remotetest.RsyncDaemon
	tally string // a line for each connection that came as far as to its module
}

// newDaemonBench starts a daemon that lets in a user with a password, and that
// has further lines in its configuration.
func newDaemonBench(t *testing.T, lines ...string) *daemonBench {
	t.Helper()
	b := &daemonBench{bench: newBench(t)}
	own := newDir(t)
	b.tally = filepath.Join(own, "tally")
	password := filepath.Join(own, "password")
	check(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	b.RsyncDaemon = remotetest.StartRsyncDaemon(t, map[string]string{"mod": b.dst}, remotetest.RsyncDaemonOptions{
		Users:  map[string]string{"u": "secret"},
		Config: append([]string{"pre-xfer exec = echo >>" + b.tally}, lines...),
	})
	b.remote = config.Remote{Name: "r", RemotePath: "mod", Connection: config.Connection{
		RsyncDaemon: &config.RsyncDaemon{Host: "127.0.0.1", Port: b.Port, Username: "u", PasswordFile: password},
	}}
	t.Cleanup(b.lane.Close)
	return b
}

// connections is how many there were.
func (b *daemonBench) connections() int {
	content, err := os.ReadFile(b.tally)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return strings.Count(string(content), "\n")
}

// first makes the first full pass, and waits until a standby waits at the daemon.
func (b *daemonBench) first() {
	b.t.Helper()
	b.step(5, b.pass) // three for the probe
}

// step changes something and sees it arrive, with so many connections, the next
// standby's included.
func (b *daemonBench) step(connections int, do func()) {
	b.t.Helper()
	b.count(connections, do)
	b.equal()
}

// count is step that does not compare.
func (b *daemonBench) count(connections int, do func()) {
	b.t.Helper()
	before := b.connections()
	do()
	b.drain()
	if b.Account().Failures != 0 {
		b.t.Errorf("it failed: %v", b.Account().Failure)
	}
	poll(b.t, "the standby", func() bool { return b.lane.standby != nil && b.connections() >= before+connections })
	if got := b.connections() - before; got != connections {
		b.t.Errorf("%d connections, expected %d", got, connections)
	}
}

func TestChangesGoByTheStandby(t *testing.T) {
	t.Parallel()
	b := newDaemonBench(t)
	write(t, b.src, "a", "d/b", "d/e/c", "#x")
	b.first()
	for i := range 3 {
		b.step(1, func() {
			check(t, os.WriteFile(filepath.Join(b.src, "a"), fmt.Append(nil, "content ", i), 0o644))
			b.change(made, "a")
		})
	}
	b.step(1, func() {
		write(t, b.src, "new", "d/new")
		b.change(made, "new", "d/new")
		b.change(watch.Meta, "", "d")
	})
	// A deletion has other arguments: the standby goes, a run comes, and a standby.
	b.step(2, func() {
		check(t, os.Remove(filepath.Join(b.src, "#x")))
		b.change(made, "#x")
	})
	b.step(1, func() {
		check(t, os.Chmod(filepath.Join(b.src, "a"), 0o600))
		b.change(watch.Meta, "a")
	})
	b.step(2, func() {
		check(t, os.Rename(filepath.Join(b.src, "new"), filepath.Join(b.src, "renamed")))
		b.change(made, "new", "renamed")
	})
	// A tree is one run, and what is gone is counted by another and deleted by a third.
	b.step(4, func() {
		check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, "moved")))
		b.change(madeDir, "d", "moved")
	})
	// What is only at the remote, in the way of a change that seemed to be harmless,
	// goes after it was counted, by its names, before the change is sent again.
	b.step(4, func() {
		write(t, b.dst, "way/in/the")
		write(t, b.src, "way")
		b.change(made, "way")
	})
	b.step(1, func() {
		write(t, b.src, "moved/last")
		b.change(made, "moved/last")
	})
}

// What goes by the standby keeps what it overwrites, too: each in a directory of its own.
func TestTrashByTheStandby(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t)
	b.remote.Trash = config.Age(time.Hour)
	write(t, b.src, "d/a", "b")
	b.count(7, b.pass) // two for the trash
	for i := range 3 {
		b.count(1, func() {
			check(t, os.WriteFile(filepath.Join(b.src, "d/a"), fmt.Append(nil, "content ", i), 0o644))
			b.change(made, "d/a")
		})
	}
	b.count(2, func() {
		check(t, os.Remove(filepath.Join(b.src, "b")))
		b.change(made, "b")
	})
	var contents []string
	for _, name := range []string{"d/a", "b"} {
		kept, err := filepath.Glob(filepath.Join(b.dst, config.TrashDirectory, "*", name))
		check(t, err)
		for _, name := range kept {
			content, err := os.ReadFile(name)
			check(t, err)
			contents = append(contents, string(content))
		}
	}
	if got, want := fmt.Sprintf("%q", contents), `["content of d/a" "content 0" "content 1" "content of b"]`; got != want {
		t.Errorf("the trash has %s, expected %s", got, want)
	}
	b.withoutTrash()
	b.equal()
}

// A full pass is no job for the standby that waits.
func TestFullPassWhileAStandbyWaits(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t, "max connections = 1", "lock file = "+filepath.Join(newDir(t), "lock"))
	write(t, b.src, "a")
	b.pass()
	b.equal()
	for range 3 {
		write(t, b.dst, "drift")
		waiting := b.lane.standby
		if waiting == nil {
			t.Fatal("no standby")
		}
		b.pass()
		b.drain()
		b.equal()
		if b.Account().Failures != 0 || waiting.Ready() {
			t.Errorf("failure %v; the old standby is ready: %v", b.Account().Failure, waiting.Ready())
		}
	}
}

// A daemon that takes one connection at a time never refuses one.
func TestOneConnectionAtATime(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t, "max connections = 1", "lock file = "+filepath.Join(newDir(t), "lock"))
	write(t, b.src, numbered("keep/", 10)...)
	b.pass()
	for i := range 15 {
		name := fmt.Sprint("keep/", i%10)
		switch i % 5 {
		case 0, 1:
			write(t, b.src, fmt.Sprint("d/f", i))
			b.change(made, fmt.Sprint("d/f", i), "d")
		case 2:
			check(t, os.WriteFile(filepath.Join(b.src, name), fmt.Append(nil, "changed ", i), 0o644))
			b.change(made, name)
		case 3:
			gone := fmt.Sprint("d/f", i-2)
			check(t, os.Remove(filepath.Join(b.src, gone)))
			b.change(made, gone)
			b.change(watch.Meta, "d")
		case 4:
			check(t, os.Rename(filepath.Join(b.src, "d"), filepath.Join(b.src, fmt.Sprint("old", i))))
			b.change(madeDir, "d", fmt.Sprint("old", i))
			b.change(watch.Meta, "")
		}
		b.transfer() // once: nothing has to be tried again
		if b.Account().Failures != 0 {
			t.Fatalf("step %d: %v", i, b.Account().Failure)
		}
		b.drain()
		b.equal()
	}
}

// A daemon that is away, and comes back, with a standby that was ready and with
// one that is over.
func TestDaemonGoesAndComesBack(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for name, expired := range map[string]bool{"the standby is ready": false, "the standby is over": true} {
		t.Run(name, func(t *testing.T) {
			b := newDaemonBench(t)
			write(t, b.src, "a")
			b.first()
			if expired {
				b.lane.standby.Close() // as its time does
			}
			b.Stop()
			write(t, b.src, "b")
			b.change(made, "b")
			for range 2 {
				b.transfer()
				if b.Account().Failures == 0 || b.isDirty() == 0 {
					t.Fatalf("a daemon that is away took it: %d dirty", b.isDirty())
				}
				if !(b.Account().Failure.Kind == remote.Offline) || (b.Account().Failure.Kind == remote.Attention) {
					t.Errorf("offline %v, attention %v: %v", (b.Account().Failure.Kind == remote.Offline), (b.Account().Failure.Kind == remote.Attention), b.Account().Failure)
				}
				if expired && !strings.HasPrefix(b.Account().Failure.Error(), "cannot connect to 127.0.0.1:"+strconv.Itoa(b.Port)) {
					t.Errorf("it is not said what is wrong: %v", b.Account().Failure)
				}
			}
			b.Restart()
			b.drain()
			b.equal()
			if b.Account().Failures != 0 {
				t.Errorf("it still fails: %v", b.Account().Failure)
			}
		})
	}
}

// One that restarts while nothing happens is not even noticed.
func TestDaemonRestartsUnnoticed(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for name, lose := range map[string]func(b *daemonBench){
		"restarts":         func(b *daemonBench) { b.Restart() },
		"hangs up":         func(b *daemonBench) { b.KillConnections() },
		"standby was over": func(b *daemonBench) { b.lane.standby.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newDaemonBench(t)
			write(t, b.src, "a")
			b.first()
			for i := range 3 {
				lose(b)
				name := fmt.Sprint("b", i)
				write(t, b.src, name)
				b.change(made, name)
				b.transfer()
				if b.Account().Failures != 0 {
					t.Fatalf("it failed: %v", b.Account().Failure)
				}
				b.drain()
				b.equal()
			}
		})
	}
}

// What a lane has at the daemon ends with it.
func TestLaneCloseEndsTheStandby(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t)
	write(t, b.src, "a")
	b.pass()
	b.equal()
	waiting, way := b.lane.standby, b.lane.relay
	if waiting == nil || way == nil {
		t.Fatal("there is nothing to end")
	}
	b.lane.Close()
	if waiting.Ready() || b.lane.standby != nil || b.lane.relay != nil {
		t.Error("it goes on")
	}
	if err := way.Connect(t.Context()); err == nil {
		t.Error("its relay goes on")
	}
	b.lane.Close()
	// And it can begin again.
	write(t, b.src, "b")
	b.change(made, "b")
	b.drain()
	b.equal()
}

// A password that is wrong from now on is found out, and said.
func TestPasswordOfADaemonChanges(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t)
	write(t, b.src, "a")
	b.pass()
	b.equal()
	password := b.remote.Connection.RsyncDaemon.PasswordFile
	check(t, os.WriteFile(password, []byte("wrong\n"), 0o600))
	b.lane.Reset(true)
	write(t, b.src, "b")
	b.change(made, "b")
	b.transfer()
	if b.Account().Failures == 0 || !(b.Account().Failure.Kind == remote.Attention) || !strings.Contains(b.Account().Failure.Error(), "password") {
		t.Fatalf("%d failures: %v", b.Account().Failures, b.Account().Failure)
	}
	check(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	b.drain()
	b.equal()
}

// A run that waits keeps the directory that the module had when it connected.
// What it sends is confirmed by one that connects anew.
func TestModuleIsReplacedUnderAStandby(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	b := newDaemonBench(t)
	write(t, b.src, "a")
	b.first()
	check(t, os.Rename(b.dst, b.dst+".old"))
	t.Cleanup(func() { os.RemoveAll(b.dst + ".old") })
	check(t, os.Mkdir(b.dst, 0o755))
	write(t, b.src, "a")
	b.change(made, "a")
	b.drain()
	for b.Account().Unconfirmed > 0 || b.isDirty() > 0 || b.Account().Everything {
		b.transfer()
		if b.Account().Failures > 0 {
			t.Fatal(b.Account().Failure)
		}
	}
	b.equal()
}
