package transfer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/remotefs"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// lanes are those to all kinds of remotes that have a direct lane.
var lanes = map[string]func(t testing.TB) (*Lane, config.Remote){"local": localLane, "ssh": sshLane}

// slowRun is a transfer of the path "big" whose run of rsync waits.
type slowRun struct {
	t    *testing.T
	gate string
	out  chan remote.Outcome
}

// startSlowRun begins a transfer with all of the entries, and waits until rsync runs.
// It ends with a code that is not 0 without having done anything.
func startSlowRun(t *testing.T, l *Lane, r config.Remote, code int, entries ...*dirty.Entry) *slowRun {
	t.Helper()
	s := &slowRun{t: t, gate: filepath.Join(newDir(t), "gate"), out: make(chan remote.Outcome, 1)}
	check(t, syscall.Mkfifo(s.gate, 0o600))
	end := ""
	if code != 0 {
		end = fmt.Sprintf("exit %d; ", code)
	}
	remotetest.ScriptedRsync(t, `case " $* " in *big*) read line <'`+s.gate+`'; `+end+`;; esac; exec rsync "$@"`)
	check(t, os.WriteFile(filepath.Join(l.root, "big"), make([]byte, directLimits.FileSize+1), 0o644))
	free := make(chan struct{})
	go func() {
		order := orderOf(r, append(entries, entryOf("big"))...)
		s.out <- l.Transfer(t.Context(), order, &asker{onlyRsync: sync.OnceFunc(func() { close(free) })})
	}()
	select {
	case <-free:
	case out := <-s.out:
		t.Fatalf("it has ended: %+v", out)
	}
	return s
}

// end lets rsync go on.
func (s *slowRun) end() remote.Outcome {
	s.t.Helper()
	gate, err := os.OpenFile(s.gate, os.O_WRONLY, 0) // waits for rsync
	check(s.t, err)
	check(s.t, gate.Close())
	return <-s.out
}

// beside has entries sent beside another transfer.
func beside(t *testing.T, l *Lane, r config.Remote, entries ...*dirty.Entry) remote.Outcome {
	order := orderOf(r, entries...)
	order.Beside = true
	return l.Transfer(t.Context(), order, new(asker))
}

// While rsync runs, small changes arrive. Nothing is removed meanwhile, and what
// needs rsync is left. What either has done is nobody else's work.
func TestBeside(t *testing.T) {
	for name, open := range lanes {
		t.Run(name, func(t *testing.T) {
			l, r := open(t)
			put(t, l.root, "gone", "old", "d/f", "first")
			succeed(t, l.Transfer(t.Context(), orderOf(r, entryOf("gone"), entryOf("old"), &dirty.Entry{Path: "d", Change: madeDir, Seq: 1}), new(asker)))
			run := startSlowRun(t, l, r, 0, entryOf("first"))
			if !exists(filepath.Join(r.RemotePath, "first")) {
				t.Error("what goes directly waits for rsync")
			}
			put(t, l.root, "small", "new/deep/f", "away/f")
			check(t, os.WriteFile(filepath.Join(l.root, "large"), make([]byte, directLimits.FileSize+1), 0o644))
			check(t, os.Remove(filepath.Join(l.root, "gone")))
			check(t, os.Rename(filepath.Join(l.root, "old"), filepath.Join(l.root, "renamed")))
			order := orderOf(r, entryOf("small"), entryOf("gone"), entryOf("large"), entryOf("away/f"), &dirty.Entry{Path: "new", Change: madeDir, Seq: 1})
			order.Beside, order.Away = true, []string{"away"}
			order.Batch.Moves = []dirty.Move{{From: "old", To: "renamed", Seq: 1}}
			out := l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			for name, want := range map[string]bool{"small": true, "new/deep/f": true, "renamed": true, "gone": true, "old": true, "large": false, "away": false, "big": false} {
				if exists(filepath.Join(r.RemotePath, name)) != want {
					t.Errorf("%s is there: %v", name, !want)
				}
			}
			if got, want := pathsOf(out.Again.Entries), "away/f gone large old"; got != want {
				t.Errorf("to be done again are %q, expected %q", got, want)
			}
			if got, want := pathsOf(out.Unconfirmed), " new new/deep new/deep/f renamed small"; got != want {
				t.Errorf("unconfirmed are %q, expected %q", got, want)
			}
			if out.Acknowledged.IsZero() || !out.Verified.IsZero() || out.Causes != 0 {
				t.Errorf("%+v", out)
			}
			out = run.end()
			if succeed(t, out); out.Causes != 0 || !exists(filepath.Join(r.RemotePath, "big")) {
				t.Errorf("causes %d, big is there: %v", out.Causes, exists(filepath.Join(r.RemotePath, "big")))
			}
			seesDrift(t, l, r)
		})
	}
}

// answered waits until what the lane has asked for at last is answered.
func answered(t *testing.T, l *Lane) {
	t.Helper()
	if l.connection == nil {
		return
	}
	session, err := l.connection.SFTP(t.Context(), l.environment())
	check(t, err)
	session.Lstat(".").Wait()
}

// seesDrift checks that nothing but what somebody else does to the remote is taken
// for that.
func seesDrift(t *testing.T, l *Lane, r config.Remote) {
	t.Helper()
	put(t, l.root, "small")
	if out := l.Transfer(t.Context(), orderOf(r, entryOf("small")), new(asker)); out.Causes != 0 {
		t.Errorf("then causes %d", out.Causes)
	}
	answered(t, l)
	put(t, r.RemotePath, "foreign")
	later := time.Now().Add(time.Minute) // sftp has no fractions of a second
	check(t, os.Chtimes(r.RemotePath, later, later))
	if out := l.Transfer(t.Context(), orderOf(r, entryOf("small")), new(asker)); out.Causes != remote.Drifted {
		t.Errorf("after a change on the remote causes %d", out.Causes)
	}

	// A confirmation has no flight that looks, and what rsync does would hide it.
	confirm := orderOf(r, entryOf("small"))
	confirm.Confirm = true
	if out := l.Transfer(t.Context(), confirm, new(asker)); out.Causes != 0 {
		t.Errorf("then a confirmation causes %d", out.Causes)
	}
	answered(t, l)
	put(t, r.RemotePath, "foreign, too")
	later = later.Add(time.Minute)
	check(t, os.Chtimes(r.RemotePath, later, later))
	if out := l.Transfer(t.Context(), confirm, new(asker)); out.Causes != remote.Drifted {
		t.Errorf("after a change on the remote a confirmation causes %d", out.Causes)
	}
}

// However the run ends, transfers that go beside it meanwhile either do what they are
// for or leave it.
func TestBesideWhileTheOtherEnds(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, codes := range map[string][]int{"local": {0, 12}, "ssh": {12}} {
		for _, code := range codes {
			t.Run(fmt.Sprintf("%s, code %d", name, code), func(t *testing.T) {
				l, r := lanes[name](t)
				run := startSlowRun(t, l, r, code)
				stop := make(chan struct{})
				var others sync.WaitGroup
				others.Go(func() {
					for i := 0; ; i++ {
						name := fmt.Sprint("f", i%10)
						check(t, os.WriteFile(filepath.Join(l.root, name), fmt.Append(nil, i), 0o644))
						out := beside(t, l, r, entryOf(name))
						left := slices.ContainsFunc(out.Again.Entries, func(e *dirty.Entry) bool { return e.Path == name })
						content, _ := os.ReadFile(filepath.Join(r.RemotePath, name))
						if out.Failure == nil && !left && string(content) != fmt.Sprint(i) {
							t.Errorf("%s has %q, expected %d", name, content, i)
						}
						select {
						case <-stop:
							return
						default:
						}
					}
				})
				out := run.end()
				for range 2 {
					l.Transfer(t.Context(), orderOf(r, entryOf("f0")), new(asker))
				}
				close(stop)
				others.Wait()
				if failed := out.Failure != nil; failed != (code != 0) {
					t.Errorf("%+v", out.Failure)
				}
			})
		}
	}
}

// Where there is no way, or where a look around is needed, nothing goes beside.
func TestNothingBeside(t *testing.T) {
	l, r := localLane(t)
	known := l.known.Load()
	for name, change := range map[string]func(k *knowledge){
		"nothing known":   func(*knowledge) { l.known.Store(nil) },
		"an openrsync":    func(k *knowledge) { k.direct, k.strategy.Basic = nil, true },
		"limited":         func(k *knowledge) { k.strategy.Capabilities = remotefs.Capabilities{FoldsCase: true} },
		"to be forgotten": func(*knowledge) { l.Reset(false) },
	} {
		t.Run(name, func(t *testing.T) {
			k := *known
			l.stale.Store(false)
			l.known.Store(&k)
			change(&k)
			put(t, l.root, "f")
			order := orderOf(r, &dirty.Entry{Path: "f", Change: watch.Content, Seq: 1})
			order.Beside = true
			order.Batch.Moves = []dirty.Move{{From: "a", To: "b"}}
			out := l.Transfer(t.Context(), order, new(asker))
			if out.Failure != nil || out.Again.Len() != 2 || exists(filepath.Join(r.RemotePath, "f")) {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A direct lane that breaks beside another transfer is not used again.
func TestBesideABrokenLane(t *testing.T) {
	l, r := localLane(t)
	check(t, os.Rename(r.RemotePath, r.RemotePath+".away"))
	t.Cleanup(func() { os.RemoveAll(r.RemotePath + ".away") })
	check(t, os.Mkdir(r.RemotePath, 0o755))
	put(t, l.root, "f")
	out := beside(t, l, r, entryOf("f"))
	if out.Failure == nil || !out.Replaced || out.Causes != remote.Lost || exists(filepath.Join(r.RemotePath, "f")) {
		t.Errorf("%+v", out)
	}
	if out := beside(t, l, r, entryOf("f")); out.Failure != nil || out.Again.Len() != 1 {
		t.Errorf("then %+v", out)
	}
}
