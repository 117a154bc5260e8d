package transfer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// What is below a path that fails is not for the direct lane: the path may be a
// link on the remote.
func TestBelowFailing(t *testing.T) {
	t.Parallel()
	transfer := &transfer{lane: &Lane{exclude: noRules(t, t.TempDir())}, Order: remote.Order{Except: []string{"d"}}}
	others, below := transfer.belowFailing([]*dirty.Entry{{Path: "d"}, {Path: "d/e/f"}, {Path: "d-"}, {Path: "c"}})
	if len(others) != 2 || others[0].Path != "d-" || others[1].Path != "c" || len(below) != 2 {
		t.Errorf("%d others, %d below", len(others), len(below))
	}
}

// A probe that fails behind the moment at which it has opened the lane leaves
// nothing of it.
func TestLaneOfABrokenProbeIsClosed(t *testing.T) {
	remotetest.Long(t, testing.Short())
	l, r := sshLane(t)
	l.Close()
	own := filepath.Join(r.RemotePath, direct.TempDir)
	real, err := exec.LookPath("rsync")
	check(t, err)
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ -e '%s' ] && exit 255\nexec '%s' \"$@\"\n", own, real)
	check(t, os.WriteFile(filepath.Join(bin, "rsync"), []byte(script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	out := l.Transfer(t.Context(), orderOf(r, entryOf("f")), new(asker))
	if out.Failure == nil || out.Failure.Kind != remote.Offline || out.Causes&remote.Interrupted == 0 {
		t.Errorf("the probe succeeds: %+v", out)
	}
	if exists(own) {
		t.Errorf("%s is left", own)
	}
}

// However many commands run on the host, and however long: a small change does
// not wait for them.
func TestSmallChangesNeedNoSession(t *testing.T) {
	remotetest.Long(t, testing.Short())
	l, r := sshLane(t)
	// A moment is enough where there is room.
	moment := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	for {
		release, err := l.session(moment())
		if err != nil {
			break
		}
		t.Cleanup(release)
	}
	check(t, os.WriteFile(filepath.Join(l.root, "small"), []byte("content"), 0o644))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	order := orderOf(r, entryOf("small"))
	succeed(t, l.Transfer(ctx, order, new(asker)))
	if !exists(filepath.Join(r.RemotePath, "small")) {
		t.Error("it is not there")
	}
	order.Batch = dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree}}
	out := l.Transfer(moment(), order, new(asker))
	if out.Failure == nil || out.Failure.Message != context.DeadlineExceeded.Error() {
		t.Errorf("a full pass that has to wait: %+v", out.Failure)
	}
}

// To go on with one remote breaks no connection that serves others.
func TestResetLeavesTheConnection(t *testing.T) {
	remotetest.Long(t, testing.Short())
	l, _ := sshLane(t)
	l.Reset(false)
	session, err := l.connection.SFTP(t.Context(), l.environment())
	check(t, err)
	for range 100 { // time enough for who would end it
		session.Lstat("/").Wait()
	}
	if err := session.Err(); err != nil {
		t.Errorf("without a failure: %v", err)
	}
	l.Reset(true)
	poll(t, "the end of a connection that may be broken", func() bool { return session.Err() != nil })
}

// The paths of a flight that breaks are in the outcome, both names of what was
// moved included.
func TestPathsOfABrokenFlight(t *testing.T) {
	remotetest.Long(t, testing.Short())
	sshd := remotetest.StartSSHD(t, remotetest.SSHDOptions{})
	line := remotetest.StartProxy(t, fmt.Sprintf("127.0.0.1:%d", sshd.Port))
	sshd.Port = line.Port
	l, r := laneTo(t, sshd)
	check(t, os.WriteFile(filepath.Join(l.root, "f"), []byte("content"), 0o644))
	order := orderOf(r, entryOf("f"), entryOf("gone"))
	order.Batch.Moves = []dirty.Move{{From: "from", To: "to"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lastQuestion := func() string { // before the flight
		line.Cut()
		cancel()
		return ""
	}
	out := l.Transfer(ctx, order, &asker{root: lastQuestion})
	if out.Failure == nil || out.Failure.Kind != remote.Canceled {
		t.Errorf("%+v", out.Failure)
	}
	var paths []string
	for _, e := range out.Late {
		paths = append(paths, e.Path)
	}
	for _, want := range []string{"f", "gone", "from", "to", ""} {
		if !slices.Contains(paths, want) {
			t.Errorf("%q is not among %q", want, paths)
		}
	}
}

// The time of a directory in which something could not be removed was set with the
// seconds alone that sftp has, and is to be confirmed.
func TestTimeBesideWhatStaysIsConfirmed(t *testing.T) {
	remotetest.Long(t, testing.Short())
	l, r := sshLane(t)
	l.exclude = exclude.NewLive(l.root, config.Workspace{Ignore: []string{"*.o"}})
	put(t, l.root, "p/d/f")
	if out := l.Transfer(t.Context(), orderOf(r, &dirty.Entry{Path: "p", Change: madeDir, Seq: 1}), new(asker)); out.Failure != nil {
		t.Fatalf("it fails: %+v", out)
	}
	put(t, r.RemotePath, "p/d/theirs.o")
	check(t, os.RemoveAll(filepath.Join(l.root, "p/d")))
	out := l.Transfer(t.Context(), orderOf(r, &dirty.Entry{Path: "p/d", Change: madeDir, Seq: 2}), new(asker))
	if out.Failure != nil || out.Kept == nil || !exists(filepath.Join(r.RemotePath, "p/d/theirs.o")) {
		t.Fatalf("what is ignored does not stay: %+v", out)
	}
	if !slices.ContainsFunc(out.Unconfirmed, func(e *dirty.Entry) bool { return e.Path == "p" }) {
		t.Errorf("only these are to be confirmed: %v", out.Unconfirmed)
	}
}
