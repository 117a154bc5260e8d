package child

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// parentOf is the variable that makes the test program a parent: it starts a
// child, says the child's id, and waits to be killed.
const parentOf = "WSYNC_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(parentOf) == "" {
		remotetest.WaitTogether()
		os.Exit(m.Run())
	}
	cmd := exec.CommandContext(context.Background(), "sleep", "600")
	Prepare(cmd)
	if err := Start(cmd); err != nil {
		println(err.Error())
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.Itoa(cmd.Process.Pid) + "\n")
	select {}
}

var check, poll = remotetest.Check, remotetest.Poll

func TestTail(t *testing.T) {
	t.Parallel()
	part := func(c byte, n int) string { return strings.Repeat(string(c), n) }
	for _, test := range []struct {
		name    string
		writes  []string
		want    string
		dropped bool
	}{
		{"nothing", nil, "", false},
		{"little", []string{"a", "", "b"}, "ab", false},
		{"full", []string{part('a', tailLimit), part('b', tailLimit)}, part('a', tailLimit) + part('b', tailLimit), false},
		{"one too many", []string{part('a', tailLimit), part('b', tailLimit), "c"}, part('a', tailLimit) + "\n" + part('b', tailLimit-1) + "c", true},
		{"at once", []string{part('a', tailLimit) + part('b', 3*tailLimit) + part('c', tailLimit)}, part('a', tailLimit) + "\n" + part('c', tailLimit), true},
		{"lines that are not whole", []string{"a\n" + part('b', tailLimit), part('c', tailLimit), "c\nd\n"}, "a\nd\n", true},
		{"over the edge", []string{part('a', tailLimit-1), "bcd"}, part('a', tailLimit-1) + "bcd", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var tail Tail
			for _, w := range test.writes {
				if n, err := tail.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write: %d, %v", n, err)
				}
			}
			if tail.String() != test.want || tail.Dropped() != test.dropped {
				t.Errorf("%d bytes, dropped %v; expected %d, %v", len(tail.String()), tail.Dropped(), len(test.want), test.dropped)
			}
		})
	}
}

// However much is written, little is kept.
func TestTailIsBounded(t *testing.T) {
	t.Parallel()
	var tail Tail
	line := bytes.Repeat([]byte("x"), 1000)
	for range 10000 {
		tail.Write(line)
	}
	if n := len(tail.String()); n != 2*tailLimit+1 {
		t.Errorf("%d bytes are kept", n)
	}
	if room := tail.head.Cap() + tail.tail.Cap(); room > 8*tailLimit {
		t.Errorf("%d bytes are held", room)
	}
}

// shell starts a script, whose first line of output says that it is ready.
func shell(t *testing.T, ctx context.Context, script string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", script)
	Prepare(cmd)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, Start(cmd))
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd, r
}

// A process is asked to end, and has the time to tidy up.
func TestTermComesFirst(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tidied := filepath.Join(t.TempDir(), "tidied")
	cmd, _ := shell(t, ctx, "trap 'echo > "+tidied+"; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
	cancel()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("it ended with %d", code)
	}
	if _, err := os.Stat(tidied); err != nil {
		t.Error(err)
	}
}

// One that does not listen is killed.
func TestKillComesLast(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd, _ := shell(t, ctx, "trap '' TERM; echo ready; while :; do sleep 0.01; done")
	began := time.Now()
	cancel()
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended as %v", cmd.ProcessState)
	}
	if took := time.Since(began); took < GraceTime {
		t.Errorf("it took %v", took)
	}
}

// A grandchild that holds the pipes does not keep anybody waiting.
func TestLeftPipesDoNotBlock(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "sleep 600 & echo $!")
	Prepare(cmd)
	var out Tail
	cmd.Stdout = &out
	check(t, Start(cmd))
	if err := cmd.Wait(); !errors.Is(err, exec.ErrWaitDelay) {
		t.Error(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(out.String()))
	check(t, err)
	syscall.Kill(pid, syscall.SIGKILL)
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "/no/such/program")
	Prepare(cmd)
	if err := Start(cmd); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestStartsAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "true")
			Prepare(cmd)
			check(t, Start(cmd))
			check(t, cmd.Wait())
		})
	}
}
