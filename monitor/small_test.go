package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// What is below a path that fails is not for the direct lane: the path may be a
// link on the remote.
func TestBelowFailing(t *testing.T) {
	transfer := &transfer{lane: &lane{}, request: request{except: []string{"d"}}}
	others, below := transfer.belowFailing([]*dirty.Entry{{Path: "d"}, {Path: "d/e/f"}, {Path: "d-"}, {Path: "c"}})
	if len(others) != 2 || others[0].Path != "d-" || others[1].Path != "c" || len(below) != 2 {
		t.Errorf("%d others, %d below", len(others), len(below))
	}
}

// The deletions of one batch that go directly and those that rsync makes are
// judged together.
func TestDeletionsOfBothLanesAddUp(t *testing.T) {
	b := newBench(t)
	write(t, b.src, numbered("one-by-one/", 60)...)
	write(t, b.src, numbered("as-a-whole/", 60)...)
	write(t, b.src, "keep")
	b.pass()
	b.proven()
	for _, name := range numbered("one-by-one/", 60) {
		check(t, os.Remove(filepath.Join(b.src, name)))
		b.change(made, name)
	}
	check(t, os.RemoveAll(filepath.Join(b.src, "as-a-whole")))
	b.change(madeDir, "as-a-whole")
	b.transfer()
	b.transfer()
	if b.hold == nil || !exists(filepath.Join(b.dst, "as-a-whole/0")) {
		t.Errorf("121 of 124 entries went: %+v", b.deletions)
	}
}

// The root goes away when the guard has just looked at it. Whatever was to be sent,
// nothing is gone because of that.
func TestRootGoesAfterTheGuardsLook(t *testing.T) {
	for name, confirm := range map[string]bool{"directly": false, "by rsync": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			files := append(numbered("f", 50), "keep")
			write(t, b.src, files...)
			b.pass()
			b.proven()
			away := b.src + ".away"
			t.Cleanup(func() { os.RemoveAll(away) })
			looks := 0
			b.guard = func(uint64) string {
				if looks++; looks > 1 {
					return "it is another directory"
				}
				check(t, os.Rename(b.src, away))
				check(t, os.Mkdir(b.src, 0o755))
				write(t, b.src, "other") // as below a disk that was mounted there
				return ""
			}
			b.change(made, files[:50]...)
			if confirm { // which is rsync's
				b.confirmations.Restore(b.set.Take(b.now), b.now)
			}
			b.transfer()
			for _, f := range files {
				if !exists(filepath.Join(b.dst, f)) {
					t.Fatalf("%s is gone", f)
				}
			}
			check(t, os.RemoveAll(b.src))
			check(t, os.Rename(away, b.src))
			b.guard = func(uint64) string { return "" }
			b.drain()
			b.proven()
		})
	}
}

// A probe that fails behind the moment at which it has opened the lane leaves
// nothing of it.
func TestLaneOfABrokenProbeIsClosed(t *testing.T) {
	l, remote := sshLane(t)
	l.close()
	own := filepath.Join(remote.RemotePath, direct.TempDir)
	real, err := exec.LookPath("rsync")
	check(t, err)
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ -e '%s' ] && exit 255\nexec '%s' \"$@\"\n", own, real)
	check(t, os.WriteFile(filepath.Join(bin, "rsync"), []byte(script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	out := l.transfer(t.Context(), changesOf(remote, &dirty.Entry{Path: "f", Change: made}), func(rsync.Progress) {})
	if !out.offline || !out.broken {
		t.Errorf("the probe succeeds: %+v", out)
	}
	if exists(own) {
		t.Errorf("%s is left", own)
	}
}

// However many commands run on the host, and however long: a small change does
// not wait for them.
func TestSmallChangesNeedNoSession(t *testing.T) {
	l, remote := sshLane(t)
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
	req := changesOf(remote, &dirty.Entry{Path: "small", Change: made})
	check(t, l.transfer(ctx, req, func(rsync.Progress) {}).err)
	if !exists(filepath.Join(remote.RemotePath, "small")) {
		t.Error("it is not there")
	}
	req.batch = dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree}}
	if err := l.transfer(moment(), req, func(rsync.Progress) {}).err; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a full pass that has to wait: %v", err)
	}
}

// To go on with one remote breaks no connection that serves others.
func TestResumeLeavesTheConnection(t *testing.T) {
	l, r := sshLane(t)
	w := &worker{log: zap.NewNop(), lane: l, changed: func(bool) {}, wake: make(chan struct{}, 1), set: dirty.NewSet(), confirmations: remote.NewConfirmations()}
	w.define(r, false, report.Settings{}, report.Orders{Retry: 1}, 0, 1, time.Now())
	session, err := l.connection.SFTP(t.Context(), l.environment())
	check(t, err)
	for range 100 { // time enough for who would end it
		session.Lstat("/").Wait()
	}
	if err := session.Err(); err != nil {
		t.Errorf("without a failure: %v", err)
	}
	w.failures = 1
	w.define(r, false, report.Settings{}, report.Orders{Retry: 2}, 0, 2, time.Now())
	poll(t, "the end of a connection that may be broken", func() bool { return session.Err() != nil })
}
