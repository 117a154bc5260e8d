package watchtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wsync/monitor/remotetest"
)

// childEnv is set in a test process that another one has started.
const childEnv = "WSYNC_WATCH_TEST_CHILD"

// InChild reports whether RunChild has started this process.
func InChild() bool { return os.Getenv(childEnv) != "" }

// Child says how a test is run in a process of its own.
type Child struct {
	// Nobody runs it as a user that can be denied access.
	Nobody bool
	// Namespace runs it in a new user namespace.
	Namespace bool
	// Mounts runs it with mounts of its own, in a new user namespace.
	Mounts bool
}

const nobody = 65534

// RunChild runs the same test in another process.
func RunChild(t *testing.T, opts Child) {
	t.Helper()
	dir, err := os.MkdirTemp("", "watch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	tmp := filepath.Join(dir, "tmp")
	Mkdirs(t, tmp)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+tmp)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if opts.Nobody {
		for _, d := range []string{dir, tmp} {
			if err := os.Chown(d, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if opts.Namespace || opts.Mounts {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		if opts.Mounts {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNS
		}
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.SysProcAttr.Cloneflags != 0 && len(out) == 0 {
		remotetest.Skip(t, "this system makes no user namespace: "+err.Error())
	}
	if err != nil {
		t.Errorf("the child: %v\n%s", err, out)
	} else if strings.Contains(string(out), "--- SKIP: "+t.Name()) {
		t.Skipf("the child:\n%s", out)
	}
}
