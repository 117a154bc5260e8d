package guard

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"wsync/config"
)

// mounted is the variable that tells the test program that it runs in mounts of
// its own.
const mounted = "WSYNC_TEST_MOUNTED"

// A disk that is mounted over the root, or unmounted from it. A test that is
// not root's cannot mount anything.
func TestCheckRootBehindMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}
	if os.Getenv(mounted) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCheckRootBehindMounts$", "-test.v")
		cmd.Env = append(os.Environ(), mounted+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	check(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	root := newDir(t)
	write(t, root, "f")
	below, err := config.IdentifyRoot(root)
	check(t, err)
	check(t, syscall.Mount("tmpfs", root, "tmpfs", 0, "size=64k"))
	above, err := config.IdentifyRoot(root)
	check(t, err)
	if got := CheckRoot(root, &below); !strings.Contains(got, "on another file system") {
		t.Errorf("mounted: %q", got)
	}
	if got := CheckRoot(root, &above); got != "" {
		t.Errorf("as it was: %q", got)
	}
	check(t, syscall.Unmount(root, 0))
	if got := CheckRoot(root, &above); !strings.Contains(got, "on another file system") {
		t.Errorf("unmounted: %q", got)
	}
	if got := CheckRoot(root, &below); got != "" {
		t.Errorf("as it was below: %q", got)
	}
}

// A root that its user may not read is no empty root.
func TestCheckRootUnreadable(t *testing.T) {
	root := newDir(t)
	write(t, root, "f")
	for mode, want := range map[os.FileMode]string{0: "cannot be read", 0o333: "cannot be read", 0o755: ""} {
		check(t, os.Chmod(root, mode))
		got := asNobody(t, root)
		if !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%v: %q", mode, got)
		}
	}
}

// asNobody is CheckRoot's answer for a user to whom permissions matter: it runs
// on a thread of its own that has changed its user and ends with it.
func asNobody(t *testing.T, root string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return CheckRoot(root, nil)
	}
	answer := make(chan string)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			answer <- errno.Error()
			return
		}
		answer <- CheckRoot(root, nil)
	}()
	return <-answer
}
