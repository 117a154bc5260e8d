package remotetest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startSSHD starts an sshd whose wrapper, with the alias "backup", is first in
// PATH.
func startSSHD(t *testing.T, options SSHDOptions) *SSHD {
	t.Helper()
	s := StartSSHD(t, options)
	bin := t.TempDir()
	s.Wrapper(bin, "backup")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return s
}

func ssh(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command("ssh", append([]string{"-o", "BatchMode=yes"}, args...)...).CombinedOutput()
	return string(out), err
}

func TestSSHDByAliasAndByAddress(t *testing.T) {
	s := startSSHD(t, SSHDOptions{})
	for _, args := range [][]string{
		{"backup", "echo hello"},
		{"-p", fmt.Sprint(s.Port), s.User + "@127.0.0.1", "echo hello"},
	} {
		if out, err := ssh(t, args...); err != nil || out != "hello\n" {
			t.Errorf("ssh %q: %q, %v", args, out, err)
		}
	}
}

func TestSSHDOfSeveralWantsItsIdentity(t *testing.T) {
	Long(t, testing.Short())
	one, two := StartSSHD(t, SSHDOptions{}), StartSSHD(t, SSHDOptions{})
	bin := t.TempDir()
	WriteWrapper(t, bin, map[string]*SSHD{"one": one, "two": two})
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for _, alias := range []string{"one", "two"} {
		if out, err := ssh(t, alias, "true"); err != nil {
			t.Errorf("ssh %s: %v\n%s", alias, err, out)
		}
	}
	address := []string{"-p", fmt.Sprint(two.Port), two.User + "@127.0.0.1", "true"}
	if out, err := ssh(t, address...); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("without an identity: %q, %v", out, err)
	}
	if out, err := ssh(t, append([]string{"-i", two.Identity}, address...)...); err != nil {
		t.Errorf("with its identity: %q, %v", out, err)
	}
}

func TestSSHDOptions(t *testing.T) {
	startSSHD(t, SSHDOptions{Config: []string{"ForceCommand echo forced", "SetEnv GREETING=hi"}})
	if out, err := ssh(t, "backup", "echo hello"); err != nil || out != "forced\n" {
		t.Errorf("ssh: %q, %v", out, err)
	}
}

// Variables of a test do not bring the user's home directory back, with the
// start-up files in it.
func TestSSHDKeepsTheUsersHomeAway(t *testing.T) {
	Long(t, testing.Short())
	for name, config := range map[string][]string{
		"none": nil,
		"two":  {"SetEnv GREETING=hi", "SetEnv OTHER=x"},
	} {
		startSSHD(t, SSHDOptions{Config: config})
		out, err := ssh(t, "backup", `echo "$GREETING $OTHER $HOME"`)
		home := strings.TrimSpace(strings.TrimPrefix(out, "hi x "))
		if err != nil || len(config) > 0 != strings.HasPrefix(out, "hi x ") || home == "" || home == os.Getenv("HOME") {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	startSSHD(t, SSHDOptions{Config: []string{"SetEnv HOME=/none"}})
	if out, err := ssh(t, "backup", "echo $HOME"); err != nil || !strings.Contains(out, "/none\n") {
		t.Errorf("a home directory of the test's own: %q, %v", out, err)
	}
}

func TestSSHDStopAndRestart(t *testing.T) {
	s := startSSHD(t, SSHDOptions{})
	port := s.Port
	s.Stop()
	s.Stop()
	if out, err := ssh(t, "backup", "true"); err == nil {
		t.Errorf("a stopped sshd answers: %s", out)
	}
	s.Restart()
	if out, err := ssh(t, "backup", "true"); err != nil || s.Port != port {
		t.Errorf("after the restart on port %d instead of %d: %v\n%s", s.Port, port, err, out)
	}
}

// A connection that was killed ends, although the remote's command would have
// run for ever, and the server takes the next one.
func TestSSHDKillConnections(t *testing.T) {
	Long(t, testing.Short())
	s := startSSHD(t, SSHDOptions{})
	cmd := exec.Command("ssh", "-o", "BatchMode=yes", "backup", "echo here; exec cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err != nil {
		t.Fatalf("the connection said %q: %v", line, err)
	}
	s.KillConnections()
	if line, err := lines.ReadString('\n'); err == nil {
		t.Errorf("the connection lives on: %q", line)
	}
	if err := cmd.Wait(); err == nil {
		t.Errorf("ssh did not notice")
	}
	if out, err := ssh(t, "backup", "true"); err != nil {
		t.Errorf("the server is gone as well: %v\n%s", err, out)
	}
	if left := descendants(s.cmd.Process.Pid); len(left) > 1 {
		t.Errorf("processes %v are left", left)
	}
}

func rsync(t *testing.T, args ...string) error {
	t.Helper()
	out, err := exec.Command("rsync", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func TestRsyncDaemon(t *testing.T) {
	source, target := t.TempDir(), filepath.Join(t.TempDir(), "made")
	makeTree(t, source, map[string]string{"a/b": "hello"})
	d := StartRsyncDaemon(t, map[string]string{"backup": target}, RsyncDaemonOptions{})
	url := fmt.Sprintf("rsync://127.0.0.1:%d/backup/", d.Port)
	// By default rsync leaves the times of directories alone that differ by
	// less than a second.
	if err := rsync(t, "-a", "--modify-window=-1", source+"/", url); err != nil {
		t.Fatal(err)
	}
	if differences := CompareTrees(source, target); differences != nil {
		t.Errorf("%q", differences)
	}
	d.Stop()
	if rsync(t, url) == nil {
		t.Errorf("a stopped daemon answers")
	}
	d.Restart()
	if err := rsync(t, url); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestRsyncDaemonWithUsers(t *testing.T) {
	d := StartRsyncDaemon(t, map[string]string{"backup": t.TempDir()}, RsyncDaemonOptions{
		Users: map[string]string{"ann": "secret"},
	})
	url := fmt.Sprintf("rsync://ann@127.0.0.1:%d/backup/", d.Port)
	for password, want := range map[string]bool{"secret": true, "wrong": false} {
		file := filepath.Join(t.TempDir(), "password")
		writeFile(t, file, password+"\n", 0o600)
		if err := rsync(t, "--password-file="+file, url); (err == nil) != want {
			t.Errorf("password %q: %v", password, err)
		}
	}
}

func TestShellOf(t *testing.T) {
	if shell := shellOf("root"); !filepath.IsAbs(shell) {
		t.Errorf("root's shell is %q", shell)
	}
	if shell := shellOf("no such user"); shell != "" {
		t.Errorf("the shell of nobody at all is %q", shell)
	}
}
