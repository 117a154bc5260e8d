// Package child starts the processes that a monitor needs (rsync and ssh) so
// that none of them outlives it.
package child

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// GraceTime is how long a process may take to end after its context is done
// and it was asked to, before it is killed.
const GraceTime = 2 * time.Second

// Prepare makes cmd, which must come from exec.CommandContext, end with TERM
// instead of KILL when its context is done, so that rsync removes its
// temporary file.
func Prepare(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = GraceTime
}

// PrepareGroup is Prepare for a command that may start others: it gets a process group of
// its own, all of which is asked to end.
func PrepareGroup(cmd *exec.Cmd) {
	Prepare(cmd)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// KillGroup kills what is left of the process group of a command that was started after
// PrepareGroup.
func KillGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// Tail is an io.Writer that keeps the first and the last bytes written to it,
// so that what a process says stays bounded. It is not safe for concurrent
// use; exec.Cmd writes from one goroutine.
type Tail struct {
	head, tail bytes.Buffer
	dropped    bool
}

// tailLimit is the size of each of a Tail's two parts in bytes.
const tailLimit = 128 << 10

// Write never fails.
func (t *Tail) Write(p []byte) (int, error) {
	n := len(p)
	if room := tailLimit - t.head.Len(); room > 0 {
		take := min(room, len(p))
		t.head.Write(p[:take])
		p = p[take:]
	}
	t.tail.Write(p)
	if over := t.tail.Len() - tailLimit; over > 0 {
		t.tail.Next(over)
		t.dropped = true
	}
	return n, nil
}

// Dropped reports whether something in the middle is missing.
func (t *Tail) Dropped() bool { return t.dropped }

// String is what was kept. Where something is missing in the middle, the lines around
// it that are not whole are, too: two parts together would be a line that nobody has
// said.
func (t *Tail) String() string {
	head, tail := t.head.String(), t.tail.String()
	if !t.dropped {
		return head + tail
	}
	if i := strings.IndexByte(tail, '\n'); i >= 0 {
		tail = tail[i+1:]
	}
	if i := strings.LastIndexByte(head, '\n'); i >= 0 {
		return head[:i+1] + tail
	}
	return head + "\n" + tail
}
