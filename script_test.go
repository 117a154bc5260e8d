package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wsync/monitor/remotetest"
)

// patience is how long a script waits for something that must come: long
// enough for a slow machine with all cores taken.
const patience = 20 * time.Second

// TestMain makes the test binary the command `wsync` when it is called by that
// name: by a script, and by the daemon when it starts a monitor.
func TestMain(m *testing.M) {
	remotetest.WaitTogether()
	testscript.Main(m, map[string]func(){"wsync": main})
}

// TestScript runs the user stories of testdata/script, each with a home
// directory, a daemon and remotes of its own.
func TestScript(t *testing.T) {
	if missing := remotetest.Missing(); missing != "" {
		t.Fatal(missing)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		WorkdirRoot:         shortTempDir(t),
		Setup:               setupScript,
		Cmds:                scriptCommands,
		Condition:           scriptCondition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// shortScripts are those that run with -short, too: how the daemon, a workspace and a
// remote of a kind begin and end. What the others are about has tests of its own in the
// packages, and TestChurn has the accidents.
var shortScripts = []string{"daemon", "demo", "local", "ssh"}

// canXattrs reports whether files can have extended attributes and access control lists,
// by commands that are there.
var canXattrs = func() bool { return false }

// scriptCondition says what scripts ask for beyond testscript's own conditions.
// root: root runs the tests. loopfuse: file systems of user space can be mounted from
// images. xattrs: files can have extended attributes and access control lists.
func scriptCondition(condition string) (bool, error) {
	switch condition {
	case "root":
		return os.Geteuid() == 0, nil
	case "xattrs":
		return canXattrs(), nil
	case "loopfuse":
	default:
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	for _, device := range []string{"/dev/fuse", "/dev/loop-control"} {
		f, err := os.OpenFile(device, os.O_RDWR, 0)
		if err != nil {
			return false, nil
		}
		f.Close()
	}
	return os.Geteuid() == 0, nil
}

// Where all programs are there, as they must be for any other test here, the
// installation leaves the machine alone.
func TestSetupHasNothingToDo(t *testing.T) {
	if _, noApt := exec.LookPath("apt-get"); noApt == nil && os.Geteuid() == 0 {
		var optional []string
		if mountable, _ := scriptCondition("loopfuse"); mountable {
			optional = append(optional, "mkfs.exfat", "mount.exfat-fuse")
		}
		if os.Getenv("CI") == "true" {
			optional = append(optional, "chromium")
		}
		for _, program := range optional {
			if _, err := exec.LookPath(program); err != nil {
				t.Skipf("setup.sh would install what is optional: %v", err)
			}
		}
	}
	out, err := exec.Command("sh", "testdata/setup.sh").CombinedOutput()
	if err != nil || !bytes.HasPrefix(out, []byte("setup: nothing to do")) {
		t.Errorf("testdata/setup.sh: %v\n%s", err, out)
	}
}

// shortTempDir is t.TempDir with a short path: the path of a unix socket below
// it must fit into 104 bytes, and macOS spends half of them on $TMPDIR.
func shortTempDir(t *testing.T) string {
	t.Helper()
	parent := os.TempDir()
	if len(parent) > len("/var/tmp") {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("cannot remove the scripts' directory: %v", err)
		}
	})
	return dir
}

// setupScript gives a script its home directory, and $WORK/bin first in PATH.
// Nothing that ran with that home directory survives the script.
func setupScript(env *testscript.Env) error {
	if tb := env.T().(testing.TB); !slices.Contains(shortScripts, filepath.Base(tb.Name())) {
		remotetest.Long(tb, testing.Short())
	}
	home, bin := filepath.Join(env.WorkDir, "home"), filepath.Join(env.WorkDir, "bin")
	for _, dir := range []string{home, bin} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// In bin too, so that a script can do without the rest of PATH.
	wsync, err := exec.LookPath("wsync")
	if err != nil {
		return err
	}
	if err := os.Symlink(wsync, filepath.Join(bin, "wsync")); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("GOTRACEBACK", "single") // testscript's "system" drowns a panic
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Values[serversKey{}] = &servers{tb: env.T().(testing.TB), bin: bin}

	stopDaemon, err := stopAtTheEnd(wsync, env.Vars)
	if err != nil {
		return err
	}
	env.Defer(func() {
		tb := env.T().(testing.TB)
		// A script may have stopped it, or never started it.
		if out, err := stopDaemon(); err != nil {
			tb.Logf("wsync daemon stop: %v\n%s", err, out)
		}
		// Nor with another one that the script has taken meanwhile.
		if left := leftBehind(env.WorkDir); len(left) > 0 {
			tb.Errorf("processes are left: %q", left)
		}
		checkLogs(tb, filepath.Join(home, ".wsync", "log"))
	})
	return nil
}

// stopAtTheEnd returns a function that stops the daemon of an environment. If
// this process ends before it is called, because it is killed or runs out of
// time, the daemon is stopped all the same: what does it waits for its input
// to end.
func stopAtTheEnd(wsync string, environ []string) (stop func() (output []byte, err error), err error) {
	// The environment stands in the arguments, so that the process that waits
	// does not itself look like one of the script's.
	args := append([]string{"-c", `read -r _; exec env -i "$@"`, "sh"}, environ...)
	cmd := exec.Command("/bin/sh", append(args, wsync, "daemon", "stop")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() ([]byte, error) {
		input.Close()
		err := cmd.Wait()
		return output.Bytes(), err
	}, nil
}

// leftBehind waits until no process has the home directory, or one below it, any more. It
// kills those that outstay its patience and returns their command lines. It needs
// Linux's /proc; elsewhere it finds nothing.
func leftBehind(home string) []string {
	var pids []int
	if pollUntil(patience, func() bool { pids = processesAtHome(home); return len(pids) == 0 }) {
		return nil
	}
	var left []string
	for _, pid := range pids {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it ended just now
		}
		left = append(left, fmt.Sprintf("%d: %s", pid, bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by now
	}
	return left
}

// processesAtHome returns the processes that were started with $HOME home, or below it.
func processesAtHome(home string) []int {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	want := []byte("\x00HOME=" + home)
	var pids []int
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil {
			continue // it ended, or belongs to somebody else
		}
		_, rest, found := bytes.Cut(append([]byte{0}, environ...), want)
		if !found || len(rest) > 0 && rest[0] != 0 && rest[0] != filepath.Separator {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// checkLogs fails the test for what a script does not see because the product
// recovers from it, and shows the product's logs if the test has failed.
func checkLogs(tb testing.TB, dir string) {
	logs := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		logs[entry.Name()], err = os.ReadFile(path)
		return err
	})
	// A script may have put something else in the directory's place.
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		tb.Errorf("cannot read the logs: %v", err)
	}
	for name, content := range logs {
		for _, accident := range []string{"panic: ", "fatal error: ", "WARNING: DATA RACE"} {
			if i := bytes.Index(content, []byte(accident)); i >= 0 {
				tb.Errorf("%s has an accident:\n%s", name, content[i:min(i+4<<10, len(content))])
			}
		}
	}
	if !tb.Failed() {
		return
	}
	for name, content := range logs {
		const enough = 4 << 10
		tb.Logf("the end of %s:\n%s", name, content[max(0, len(content)-enough):])
	}
}

// pollUntil calls done, ever less often, until it returns true or patience is
// over; it tells whether it was done.
func pollUntil(patience time.Duration, done func() bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if done() {
			return true
		}
		select {
		case <-deadline.C:
			return done()
		case <-time.After(pause):
		}
	}
}
