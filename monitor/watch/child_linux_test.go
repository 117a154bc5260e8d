package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// childEnv is set in a test process that another one has started.
const childEnv = "WSYNC_WATCH_TEST_CHILD"

func inChild() bool { return os.Getenv(childEnv) != "" }

// childOptions tell how a test is run in a process of its own.
type childOptions struct {
	// nobody runs it as a user that can be denied access.
	nobody bool
	// namespace runs it in a new user namespace.
	namespace bool
	// mounts runs it with mounts of its own, in a new user namespace.
	mounts bool
}

const nobody = 65534

// runChild runs the same test in another process.
func runChild(t *testing.T, opts childOptions) {
	t.Helper()
	dir, err := os.MkdirTemp("", "watch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	tmp := filepath.Join(dir, "tmp")
	mkdirs(t, tmp)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+tmp)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if opts.nobody {
		for _, d := range []string{dir, tmp} {
			if err := os.Chown(d, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if opts.namespace || opts.mounts {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		if opts.mounts {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNS
		}
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.SysProcAttr.Cloneflags != 0 && len(out) == 0 {
		t.Skipf("this system makes no user namespace: %v", err)
	}
	if err != nil {
		t.Errorf("the child: %v\n%s", err, out)
	}
}
