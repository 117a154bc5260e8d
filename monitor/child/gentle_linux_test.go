package child

import (
	"os/exec"
	"strings"
	"testing"
)

// What has time is last in line, with what it starts in turn, and nothing else is.
func TestStartGently(t *testing.T) {
	t.Parallel()
	nice := func(start func(*exec.Cmd) error) string {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "cut -d ' ' -f 19 /proc/self/stat")
		Prepare(cmd)
		var out Tail
		cmd.Stdout = &out
		check(t, start(cmd))
		check(t, cmd.Wait())
		return strings.TrimSpace(out.String())
	}
	if got := nice(StartGently); got != "19" {
		t.Errorf("its niceness is %s", got)
	}
	if got, want := nice(Start), nice((*exec.Cmd).Start); got != want {
		t.Errorf("that of another one is %s, not %s", got, want)
	}
}
