package monitor

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

// running is a monitor at work behind its two pipes.
type running struct {
	t          *testing.T
	src        string
	definition report.Definition
	in         *io.PipeWriter
	ended      chan error

	mu   sync.Mutex
	last report.Report
}

// startMonitor runs a monitor of a new workspace, which holds the files names.
func startMonitor(t *testing.T, names []string, remotes ...config.Remote) *running {
	t.Helper()
	src := newDir(t)
	write(t, src, names...)
	return startMonitorOf(t, src, remotes...)
}

func startMonitorOf(t *testing.T, src string, remotes ...config.Remote) *running {
	t.Helper()
	return launch(t, definitionOf(t, src, remotes...))
}

// definitionOf is the definition of a workspace that is there.
func definitionOf(t *testing.T, src string, remotes ...config.Remote) report.Definition {
	t.Helper()
	id, err := config.IdentifyRoot(src)
	check(t, err)
	own := newDir(t)
	check(t, os.Chmod(own, 0o777)) // rsync may run as nobody
	return report.Definition{
		Workspace: config.Workspace{Name: "w", LocalPath: src, Root: &id, Remotes: remotes},
		Settings: report.Settings{
			LogFile: filepath.Join(own, "log"), LogLevel: "debug", LogMaxSize: 1, RunDirectory: own,
			FullPassInterval: time.Hour, HoldDeletionsShare: 0.5, HoldDeletionsCount: 100,
		},
		Orders: make(map[string]report.Orders),
	}
}

// launch runs a monitor by a first definition.
func launch(t *testing.T, d report.Definition) *running {
	t.Helper()
	r := &running{t: t, src: d.Workspace.LocalPath, ended: make(chan error, 1), definition: d}
	in, toMonitor := io.Pipe()
	fromMonitor, out := io.Pipe()
	r.in = toMonitor
	go func() {
		r.ended <- Run(context.Background(), "w", in, out)
		out.Close()
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := json.NewDecoder(bufio.NewReader(fromMonitor))
		for {
			var next report.Report
			if lines.Decode(&next) != nil {
				io.Copy(io.Discard, fromMonitor)
				return
			}
			r.mu.Lock()
			r.last = next
			r.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		r.end()
		<-read
		if t.Failed() {
			if log, err := os.ReadFile(r.definition.Settings.LogFile); err == nil {
				t.Logf("the log:\n%s", log[max(0, len(log)-6000):])
			}
		}
	})
	r.send()
	return r
}

// send tells the monitor its definition.
func (r *running) send() {
	r.t.Helper()
	line, err := json.Marshal(r.definition)
	check(r.t, err)
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		r.t.Fatal(err)
	}
}

// end closes the monitor's input and waits for its end. It may be called twice.
func (r *running) end() {
	r.t.Helper()
	r.in.Close()
	select {
	case err := <-r.ended:
		r.ended <- err
		if err != nil {
			r.t.Errorf("the monitor ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		r.t.Fatal("the monitor does not end")
	}
}

// remote is the newest status of a remote.
func (r *running) remote(name string) report.RemoteStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.last.Remotes {
		if s.Name == name {
			return s
		}
	}
	return report.RemoteStatus{}
}

// until waits for a status of a remote.
func (r *running) until(name, what string, done func(s report.RemoteStatus) bool) report.RemoteStatus {
	r.t.Helper()
	return remotetest.PollFor(r.t, what, func() report.RemoteStatus { return r.remote(name) }, done)
}

// wait is `wsync wait`: all that happened before is acknowledged.
func (r *running) wait(name string) report.RemoteStatus {
	r.t.Helper()
	r.definition.Barrier++
	r.send()
	n := r.definition.Barrier
	return r.until(name, "wait", func(s report.RemoteStatus) bool { return s.Barrier >= n })
}

func (r *running) equal(dst string) {
	r.t.Helper()
	for _, difference := range remotetest.CompareTrees(r.src, dst) {
		r.t.Error(difference)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	dst := filepath.Join(newDir(t), "made")
	r := startMonitor(t, []string{"a", "d/b"}, localRemote("r", dst))
	s := r.wait("r")
	r.equal(dst)
	if s.Error != "" || !s.Adopted || s.LastFullPass == nil || len(s.Strategy) == 0 {
		t.Errorf("%+v", s)
	}
	r.until("r", "in sync", func(s report.RemoteStatus) bool {
		return s.State == report.InSync && s.Pending == 0 && !s.PendingEverything
	})
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	if last.Version != report.Version || last.PID != os.Getpid() || !last.Watch.Armed || last.Halted != nil || last.Root == nil || *last.Root != *r.definition.Workspace.Root {
		t.Errorf("%+v", last)
	}

	write(t, r.src, "a", "new/deep/f", "#odd\nname")
	check(t, os.RemoveAll(filepath.Join(r.src, "d")))
	r.wait("r")
	r.equal(dst)

	// Another remote, and the first one is gone.
	other := newDir(t)
	r.definition.Workspace.Remotes = []config.Remote{localRemote("other", other)}
	r.send()
	r.wait("other")
	r.equal(other)
	write(t, r.src, "later")
	r.wait("other")
	if exists(filepath.Join(dst, "later")) {
		t.Error("a detached remote goes on")
	}

	// Paused, and on again.
	r.definition.Workspace.Paused = true
	r.send()
	r.until("other", "paused", func(s report.RemoteStatus) bool { return s.State == report.Paused })
	write(t, r.src, "while paused")
	r.until("other", "pending", func(s report.RemoteStatus) bool { return s.Pending > 0 && s.OldestPending != nil })
	if exists(filepath.Join(other, "while paused")) {
		t.Error("a paused remote goes on")
	}
	r.definition.Workspace.Paused = false
	r.send()
	r.wait("other")
	r.equal(other)
	r.end()
}

// The end of the input in the midst of a transfer ends everything.
func TestRunEndsAtOnce(t *testing.T) {
	d, dst := newDir(t), newDir(t)
	pid := filepath.Join(d, "pid")
	script := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' --stats '*) echo $$ >'%s.new'; mv '%s.new' '%s'; exec sleep 600;; esac\nPATH='%s' exec rsync \"$@\"\n", pid, pid, pid, os.Getenv("PATH"))
	check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(script), 0o755))
	t.Setenv("PATH", d+":"+os.Getenv("PATH"))
	r := startMonitor(t, []string{"a"}, localRemote("r", dst))
	poll(t, "a transfer", func() bool { return exists(pid) })
	r.until("r", "syncing", func(s report.RemoteStatus) bool { return s.State == report.Syncing && s.Transfer != nil })
	r.end()
	id, err := os.ReadFile(pid)
	check(t, err)
	if exists(filepath.Join("/proc", strings.TrimSpace(string(id)))) {
		t.Error("rsync is left")
	}
	if left, _ := filepath.Glob(filepath.Join(r.definition.Settings.RunDirectory, "ssh")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

// What a first pass leaves behind that is interrupted is not taken for somebody
// else's by the next monitor.
func TestRunAdoptsBeforeItSends(t *testing.T) {
	d := newDir(t)
	begun := filepath.Join(d, "begun")
	script := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' --ignore-missing-args '*) >'%s'; exec sleep 600;; esac\nPATH='%s' exec rsync \"$@\"\n", begun, os.Getenv("PATH"))
	check(t, os.WriteFile(filepath.Join(d, "rsync"), []byte(script), 0o755))
	t.Setenv("PATH", d+":"+os.Getenv("PATH"))
	for name, foreign := range map[string]bool{"an empty destination": false, "one that is in use": true} {
		t.Run(name, func(t *testing.T) {
			remote := localRemote("r", newDir(t))
			remote.AdoptionPending = true
			if foreign {
				write(t, remote.RemotePath, "foreign")
			}
			r := startMonitor(t, []string{"a"}, remote)
			s := r.until("r", "the pass, or a hold", func(s report.RemoteStatus) bool {
				return s.Held != nil || s.State == report.Syncing && exists(begun)
			})
			if (s.Held != nil) != foreign {
				t.Fatalf("%+v", s)
			}
			if !foreign {
				r.until("r", "the adoption", func(s report.RemoteStatus) bool { return s.Adopted })
			} else if s.Adopted {
				t.Errorf("%+v", s)
			}
			r.end()
			os.Remove(begun)
		})
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	for input, want := range map[string]string{"": "", "{": "cannot read the definition", `{"workspace":{"name":"other","local_path":"/","remote_workspaces":[]}}`: `is of "other"`} {
		err := Run(t.Context(), "w", strings.NewReader(input), io.Discard)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", input, err)
		}
	}
}

// A root that is gone empties nothing; when it is back, all goes on.
func TestRunHaltsWithoutRoot(t *testing.T) {
	t.Parallel()
	dst := newDir(t)
	r := startMonitor(t, numbered("f", 5), localRemote("r", dst))
	r.wait("r")
	check(t, os.Rename(r.src, r.src+"-away"))
	s := r.until("r", "halted", func(s report.RemoteStatus) bool { return s.State == report.Halted })
	if !strings.Contains(s.Error, "is gone") {
		t.Errorf("%+v", s)
	}
	check(t, os.Mkdir(r.src, 0o755)) // another one, and empty
	r.until("r", "replaced", func(s report.RemoteStatus) bool {
		return s.State == report.Halted && strings.Contains(s.Error, "replaced")
	})
	if !exists(filepath.Join(dst, "f4")) {
		t.Error("files are gone")
	}
	check(t, os.Remove(r.src))
	write(t, r.src+"-away", "changed meanwhile")
	check(t, os.Rename(r.src+"-away", r.src))
	r.until("r", "in sync", func(s report.RemoteStatus) bool { return s.State == report.InSync })
	r.wait("r")
	r.equal(dst)
}

func TestRunHoldsAndApproves(t *testing.T) {
	t.Parallel()
	dst := newDir(t)
	r := startMonitor(t, append(numbered("d/", 150), "keep"), localRemote("r", dst))
	r.wait("r")
	check(t, os.RemoveAll(filepath.Join(r.src, "d")))
	held := func(s report.RemoteStatus) bool { return s.State == report.Halted && s.Held != nil }
	s := r.until("r", "held", held)
	// At most ten may have gone before they were many.
	if s.Held.Count < 140 || s.Held.Count > 152 || len(s.Held.Sample) == 0 || s.Pending == 0 || !strings.Contains(s.Held.Reason, "1 is left") {
		t.Errorf("%+v", s.Held)
	}
	write(t, r.src, "new")
	poll(t, "a change beside the hold", func() bool { return exists(filepath.Join(dst, "new")) })
	if left, _ := os.ReadDir(filepath.Join(dst, "d")); len(left) < 140 {
		t.Errorf("held, and deleted: %d are left", len(left))
	}
	r.definition.Orders["r"] = report.Orders{Approve: "another"}
	r.send()
	r.until("r", "still held", held)
	// More may be held a moment later, which is another set with another name.
	approved := ""
	r.until("r", "approved", func(s report.RemoteStatus) bool {
		if s.Held != nil && s.Held.ID != approved {
			approved = s.Held.ID
			r.definition.Orders["r"] = report.Orders{Approve: approved}
			r.send()
		}
		return s.Held == nil
	})
	r.wait("r")
	r.equal(dst)
}

// What was held comes back.
func TestRunReleasesWhatIsThereAgain(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	dst := newDir(t)
	r := startMonitor(t, append(numbered("d/", 150), "keep"), localRemote("r", dst))
	r.wait("r")
	check(t, os.Rename(filepath.Join(r.src, "d"), r.src+"-d"))
	r.until("r", "held", func(s report.RemoteStatus) bool { return s.Held != nil })
	check(t, os.Rename(r.src+"-d", filepath.Join(r.src, "d")))
	r.definition.Orders["r"] = report.Orders{Retry: 1}
	r.send()
	r.until("r", "in sync", func(s report.RemoteStatus) bool { return s.State == report.InSync && s.Held == nil })
	r.wait("r")
	r.equal(dst)
}

// A path that fails keeps no other from being sent, says why, and recovers by
// itself.
func TestRunFailingPath(t *testing.T) {
	beNobody(t)
	dst := newDir(t)
	r := startMonitor(t, []string{"ok", "d/f", "secret"}, localRemote("r", dst))
	r.wait("r")
	secret := filepath.Join(r.src, "secret")
	check(t, os.Chmod(secret, 0))
	check(t, os.WriteFile(secret+".new", []byte("changed"), 0))
	give(t, secret+".new")
	check(t, os.Rename(secret+".new", secret))
	s := r.until("r", "failing", func(s report.RemoteStatus) bool { return s.State == report.Retrying && s.ErrorPath == "secret" })
	if !strings.Contains(s.Error, "Permission denied") || s.NextRetry == nil || s.Pending == 0 {
		t.Errorf("%+v", s)
	}
	write(t, r.src, "new", "d/f2")
	poll(t, "others", func() bool { return exists(filepath.Join(dst, "new")) && exists(filepath.Join(dst, "d/f2")) })
	if s := r.remote("r"); s.State == report.InSync {
		t.Errorf("%+v", s)
	}
	check(t, os.Chmod(secret, 0o644))
	r.wait("r")
	r.equal(dst)
}
