package monitor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// The paths of a flight that breaks are in the outcome, both names of what was
// moved included.
func TestPathsOfABrokenFlight(t *testing.T) {
	sshd := remotetest.StartSSHD(t, remotetest.SSHDOptions{})
	line := remotetest.StartProxy(t, fmt.Sprintf("127.0.0.1:%d", sshd.Port))
	sshd.Port = line.Port
	l, remote := laneTo(t, sshd)
	check(t, os.WriteFile(filepath.Join(l.root, "f"), []byte("content"), 0o644))
	req := changesOf(remote, &dirty.Entry{Path: "f", Change: made}, &dirty.Entry{Path: "gone", Change: made})
	req.batch.Moves = []dirty.Move{{From: "from", To: "to"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req.root = func() string { // the last question before the flight
		line.Cut()
		cancel()
		return ""
	}
	out := l.transfer(ctx, req, func(rsync.Progress) {})
	if out.err == nil {
		t.Error("it succeeds")
	}
	var paths []string
	for _, e := range out.late {
		paths = append(paths, e.Path)
	}
	for _, want := range []string{"f", "gone", "from", "to", ""} {
		if !slices.Contains(paths, want) {
			t.Errorf("%q is not among %q", want, paths)
		}
	}
}

// What a flight that broke was for is compared once more when nothing of it can
// arrive any more, and not before.
func TestLateRequestsAreRepaired(t *testing.T) {
	b := newBench(t)
	write(t, b.src, "f")
	b.pass()
	b.drain()
	broke := time.Now()
	b.confirmations.AddLate([]*dirty.Entry{{Path: "f", Change: watch.Content, Seq: 1, Since: broke}}, broke)
	if at, ok := b.due(broke); !ok || !at.Equal(broke.Add(remote.LateTime)) {
		t.Errorf("it is due after %v, %v", at.Sub(broke), ok)
	}
	check(t, os.Remove(filepath.Join(b.dst, "f"))) // as a request that is late does
	for _, step := range []struct {
		after time.Duration
		there bool
	}{{remote.LateTime - 1, false}, {remote.LateTime, true}} {
		b.mu.Lock()
		b.begin(t.Context(), broke.Add(step.after)) // unlocks
		if there := exists(filepath.Join(b.dst, "f")); there != step.there {
			t.Errorf("after %v the file is there: %v", step.after, there)
		}
	}
	b.proven()
	if at, ok := b.due(broke); ok && at.Before(broke.Add(10*remote.LateTime)) {
		t.Errorf("something is due again after %v", at.Sub(broke))
	}
}
