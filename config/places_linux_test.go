package config

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"wsync/monitor/remotetest"
)

// mounted is the variable that tells the test program that it runs in mounts of
// its own.
const mounted = "WSYNC_TEST_MOUNTED"

// A directory that has another name by a bind mount, also for what is not there
// yet. A test that is not root's cannot mount anything.
func TestCheckPlaceBehindMounts(t *testing.T) {
	remotetest.NeedRoot(t, "to mount")
	if os.Getenv(mounted) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCheckPlaceBehindMounts$", "-test.v")
		cmd.Env = append(os.Environ(), mounted+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	abs := placesIn(t, []string{"a", "b", "L", "M"}, nil)
	for _, err := range []error{
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount(abs("L"), abs("M"), "", syscall.MS_BIND, ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	defer syscall.Unmount(abs("M"), syscall.MNT_DETACH)
	for name, test := range map[string]struct{ dest, other, want string }{
		"the same":        {"M", "L", "is or overlaps"},
		"inside":          {"M/q", "L", "is or overlaps"},
		"missing":         {"M/new", "L/new", "is or overlaps"},
		"inside, missing": {"M/new/x", "L/new", "is or overlaps"},
		"beside":          {"M/new2", "L/new", ""},
	} {
		w, other := workspace("w", abs("a"), local(abs(test.dest))), workspace("other", abs("b"), local(abs(test.other)))
		expectError(t, name, CheckPlace(w, []Workspace{other}), test.want)
		expectError(t, name+", the other way", CheckPlace(other, []Workspace{w}), test.want)
	}
}
