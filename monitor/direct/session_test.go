package direct

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// patience is how long something may take that must not hang.
const patience = 20 * time.Second

// within fails the test if do hangs.
func (f *fixture) within(do func()) {
	f.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		f.Fatal("it hangs")
	}
}

// What earlier sessions left is cleared, and at the end nothing is left.
func TestTempDirComesAndGoes(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	f := &fixture{TB: t, src: src, dst: dst}
	f.write(f.there(TempDir+"/1"), "from an earlier version")
	f.write(f.there(TempDir+"/another"), "")
	f.write(f.there(TempDir+"/0123456789abcdef/1"), "from an earlier session")
	f.check(os.Mkdir(f.there(TempDir+"/"+newSession()), 0o700))
	f.write(f.there("precious/f"), "must stay")
	f.check(os.Symlink("../precious", f.there(TempDir+"/"+newSession())))
	f = onSFTP(t, src, dst)
	f.settle()
	f.wantContent(f.there("precious/f"), "must stay")
	f.check(os.RemoveAll(f.there("precious")))
	if names, err := os.ReadDir(f.there(TempDir)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v are in %s", names, err, TempDir)
	}
	names, err := os.ReadDir(f.there(f.lane.dir()))
	f.check(err)
	if len(names) != ahead {
		t.Errorf("%d files are made ahead of time", len(names))
	}
	for _, name := range names {
		if info, err := name.Info(); err != nil || info.Size() > 0 || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name.Name(), info, err)
		}
	}
	for _, dir := range []string{TempDir, f.lane.dir()} {
		if info, err := os.Stat(f.there(dir)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
	f.write(f.at("f"), "new")
	f.sendAll(nil, entry("f", newEntry))
	f.wantSame()
	f.lane.Close()
	f.wantNothing(f.there(TempDir))
	f.wantContent(f.there("f"), "new")
}

// The end restores the time of the destination, by the root of the workspace,
// unless that is gone and something else is in its place.
func TestCloseRestoresTheTimeOfTheRoot(t *testing.T) {
	for name, replaced := range map[string]bool{"as it was": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			f := onSFTP(t, t.TempDir(), t.TempDir())
			f.settle()
			at := f.src
			if replaced {
				at += ".old"
				f.check(os.Rename(f.src, at))
				f.check(os.Mkdir(f.src, 0))
			}
			for dir, mode := range map[string]os.FileMode{at: 0o750, f.dst: 0o755} {
				f.check(os.Chmod(dir, mode))
			}
			f.within(f.lane.Close)
			info, err := os.Stat(f.dst)
			f.check(err)
			if want := map[bool]os.FileMode{false: 0o750, true: 0o755}[replaced]; info.Mode().Perm() != want {
				t.Errorf("the destination has mode %v, expected %v", info.Mode(), want)
			}
		})
	}
}

// A local target needs nothing ahead of time.
func TestNoTempDirLocally(t *testing.T) {
	f := onLocal(t, t.TempDir(), t.TempDir())
	f.write(f.at("f"), "new")
	f.sendAll(nil, entry("f", newEntry))
	f.lane.Close()
	f.wantNothing(f.there(TempDir))
	f.wantSame()
	f.wantNoLeftovers()
}

// A TempDir that is no directory of ours is left alone, with all that it leads
// to.
func TestTempDirIsSomethingElse(t *testing.T) {
	for name, make := range map[string]func(f *fixture){
		"a link": func(f *fixture) { f.check(os.Symlink("precious", f.there(TempDir))) },
		"a file": func(f *fixture) { f.write(f.there(TempDir), "a file") },
		"a directory with directories": func(f *fixture) {
			f.write(f.there(TempDir+"/sub/f"), "")
		},
		"a session that has directories": func(f *fixture) {
			f.write(f.there(TempDir+"/0123456789abcdef/sub/f"), "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := onSFTP(t, t.TempDir(), t.TempDir())
			f.lane.Close()
			f.write(f.there("precious/f"), "must stay")
			make(f)
			if lane, err := NewLane(f.src, f.target, NewFiles(f.src, f.marks.Load)); err == nil {
				lane.Close()
				t.Error("the lane begins as if nothing were there")
			}
			f.wantContent(f.there("precious/f"), "must stay")
			f.check(f.target.Err())
		})
	}
}

// When somebody removes TempDir, changes still arrive.
func TestTempDirIsRemoved(t *testing.T) {
	f := onSFTP(t, t.TempDir(), t.TempDir())
	for round := range 4 {
		var entries []*dirty.Entry
		for i := range 3 * ahead {
			name := fmt.Sprintf("f%d", i)
			f.write(f.at(name), fmt.Sprint(name, round))
			entries = append(entries, entry(name, newEntry))
		}
		f.sendAll(nil, entries...)
		f.wantSame()
		f.wantNoLeftovers()
		f.check(os.RemoveAll(f.there(TempDir)))
	}
	f.within(f.lane.Close)
}

// However many flights there are, and whatever fails in them, the server has
// the same number of files open.
func TestDescriptors(t *testing.T) {
	remotetest.Long(t, testing.Short())
	f := onSFTP(t, t.TempDir(), t.TempDir())
	if f.server.Descriptors() < 0 {
		remotetest.Skip(t, "this system does not tell which files a process has open")
	}
	f.write(f.there("full/x"), "in the way")
	f.write(f.at("full"), "a file")
	flight := func(round int) {
		f.write(f.at("good"), fmt.Sprint(round))
		f.write(f.at("vanishes"), "")
		plan := f.plan(nil, entry("good", newEntry), entry("full", newEntry), entry("vanishes", newEntry))
		f.check(os.Remove(f.at("vanishes")))
		f.wantFailed(f.fly(nil, plan), "full", "vanishes")
	}
	flight(0)
	f.settle()
	before := f.server.Descriptors()
	for round := range 300 {
		flight(round)
	}
	f.settle()
	if after := f.server.Descriptors(); after != before {
		t.Errorf("%d files are open, %d before", after, before)
	}
	f.wantNoLeftovers()
	// Files cannot be made for a while, and then they can. What was put beside
	// its place once is put there again, so each flight has a directory of its
	// own.
	directories := 0
	flight = func(int) {
		directories++
		dir := fmt.Sprint("d", directories)
		f.write(f.at(dir+"/f"), "")
		f.write(f.at(dir+"/g"), "")
		f.sendAll(nil, entry(dir, newTree))
	}
	for range 60 {
		f.settle() // nothing is being made there
		f.check(os.RemoveAll(f.there(TempDir)))
		f.write(f.there(TempDir), "in the way")
		flight(1)
		f.check(os.Remove(f.there(TempDir)))
		f.check(os.MkdirAll(f.there(f.lane.dir()), 0o700))
		flight(2)
	}
	f.settle()
	if after := f.server.Descriptors(); after > before {
		t.Errorf("after trouble with %s %d files are open, %d before", TempDir, after, before)
	}
	f.lane.Close()
	f.settle()
	if after := f.server.Descriptors(); after != before-ahead {
		t.Errorf("after the end %d files are open, of which %d are not the lane's", after, before-ahead)
	}
}

// A server that dies in the middle of a flight: Do says so, and nothing hangs.
func TestServerDies(t *testing.T) {
	for name, kill := range map[string]func(f *fixture){
		"killed before": func(f *fixture) {
			f.check(f.server.Process.Kill())
			f.server.Wait()
		},
		"killed meanwhile": func(f *fixture) { f.check(f.server.Process.Kill()) },
		"line cut":         func(f *fixture) { _ = f.server.Close() }, // the client may be first
		// It takes nothing any more, so that the flight stands still until
		// somebody ends the session.
		"stands still": func(f *fixture) {
			f.check(f.server.Process.Signal(syscall.SIGSTOP))
			timer := time.AfterFunc(50*time.Millisecond, func() { f.server.Close() })
			f.Cleanup(func() {
				timer.Stop()
				f.server.Process.Kill()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := onSFTP(t, t.TempDir(), t.TempDir())
			var entries []*dirty.Entry
			for i := range 2 * inFlight {
				name := fmt.Sprint("f", i)
				f.both(name, "old")
				f.write(f.at(name), pattern(60_000))
				entries = append(entries, entry(name, watch.Content))
			}
			plan := f.plan(nil, entries...)
			moves := []dirty.Move{{From: "x", To: "y"}}
			var result Result
			var err error
			if name == "killed meanwhile" {
				// As soon as the first file is there.
				watched := &watchedTarget{Target: f.target, after: 10, do: func() { kill(f) }}
				f.lane.target = watched
			} else {
				kill(f)
			}
			f.within(func() { result, err = f.lane.Do(moves, plan.Steps, limits.FileSize, 1) })
			if err == nil || result.Files > 0 || len(result.Failed)+len(result.MovesFailed) > 0 {
				t.Errorf("%+v, %v", result, err)
			}
			if f.lane.Err() == nil || errors.Is(f.lane.Err(), os.ErrNotExist) {
				t.Errorf("the lane's error: %v", f.lane.Err())
			}
			f.within(func() { _, err = f.lane.Do(nil, plan.Steps[:1], limits.FileSize, 1) })
			if err == nil {
				t.Error("another flight succeeds")
			}
			f.within(f.lane.Close)
			// No file is half there: the new ones take their place whole.
			for i := range 2 * inFlight {
				got, err := os.ReadFile(f.there(fmt.Sprint("f", i)))
				if err != nil || string(got) != "old" && string(got) != pattern(60_000) {
					t.Errorf("f%d has %d bytes, %v", i, len(got), err)
				}
			}
		})
	}
}

// watchedTarget does something after so many renames were asked for.
type watchedTarget struct {
	Target
	after int
	do    func()
}

func (w *watchedTarget) Rename(from, to string) Reply {
	reply := w.Target.Rename(from, to)
	if w.after--; w.after == 0 {
		_ = reply.Wait()
		w.do()
	}
	return reply
}

// A target that cannot be used is refused when the lane begins.
func TestNewLaneRefuses(t *testing.T) {
	f := onSFTP(t, t.TempDir(), t.TempDir())
	f.check(f.server.Process.Kill())
	f.server.Wait()
	f.within(func() {
		if _, err := NewLane(f.src, f.target, NewFiles(f.src, f.marks.Load)); err == nil || !strings.Contains(err.Error(), TempDir) {
			t.Errorf("%v", err)
		}
	})
}

// A directory that rsync sees elsewhere than the server is no target.
func TestNewSFTPWantsTheWitness(t *testing.T) {
	f := onSFTP(t, t.TempDir(), t.TempDir())
	r := f.target.(*remote)
	if _, ok := NewSFTP(r.client, f.dst, "witness"); ok {
		t.Error("the witness is not there")
	}
	f.write(f.there("witness"), "")
	if _, ok := NewSFTP(r.client, f.dst+"/", "witness"); !ok {
		t.Error("the witness is there")
	}
}

// Where there is no room for a file, for whatever reason and however long, no more
// files are cut off than those of the flight that found out.
func TestRefusedWrites(t *testing.T) {
	f := &fixture{TB: t, src: t.TempDir(), dst: t.TempDir()}
	f.server = remotetest.StartChild(t, "/bin/sh", "-c", "trap '' XFSZ; ulimit -f 8; exec "+remotetest.SFTPServer(t))
	f.connect()
	f.target = roomyTarget{f.target}
	f.start()
	large := strings.Repeat("n", 20_000)
	send := func(name, content string) Result {
		f.both(name, "old")
		f.write(f.at(name), content)
		_, result := f.send(nil, entry(name, watch.Content))
		return result
	}
	f.wantFailed(send("first", large), "first")
	for _, name := range []string{"soon", "later", "much later"} {
		f.wantFailed(send(name, large), name)
		f.wantContent(f.there(name), "old")
		f.lane.refused = f.lane.refused.Add(-2 * refusedTime)
	}
	for _, step := range []struct {
		name, content string
		careful       bool // afterwards
	}{{"empty", "", true}, {"small", "new", false}} {
		f.wantFailed(send(step.name, step.content))
		if f.lane.careful() != step.careful {
			t.Errorf("after the %s file writes are careful: %v", step.name, f.lane.careful())
		}
	}
}
