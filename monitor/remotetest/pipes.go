package remotetest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
)

// SFTPServer returns the path of OpenSSH's sftp-server, of which every system
// has its own idea.
func SFTPServer(t T) string {
	t.Helper()
	candidates := []string{
		"/usr/lib/openssh/sftp-server",     // Debian
		"/usr/libexec/openssh/sftp-server", // Fedora
		"/usr/lib/ssh/sftp-server",         // Alpine, Arch, SUSE
		"/usr/libexec/sftp-server",         // macOS, the BSDs
		"/usr/local/libexec/sftp-server",
		"/opt/homebrew/libexec/sftp-server",
	}
	for _, path := range candidates {
		if _, err := exec.LookPath(path); err == nil {
			return path
		}
	}
	t.Fatalf("cannot find OpenSSH's sftp-server, which comes with its sshd: looked for %q", candidates)
	return ""
}

// Child is a program that speaks through pipes with the test that runs it.
type Child struct {
	// Out is where the child's output is read, In where its input is written.
	Out, In *os.File
	Process *os.Process

	exited chan struct{} // closed when the child has ended
}

// StartChild runs argv. When the test ends, so do the pipes, at the latest, and
// the child must end by itself.
func StartChild(t T, argv ...string) *Child {
	t.Helper()
	out, childOut, err := os.Pipe()
	if err != nil {
		t.Fatalf("cannot make a pipe: %v", err)
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		t.Fatalf("cannot make a pipe: %v", err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = childIn, childOut, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start %s: %v", argv[0], err)
	}
	childIn.Close()
	childOut.Close()
	c := &Child{Out: out, In: in, Process: cmd.Process, exited: make(chan struct{})}
	go func() {
		defer close(c.exited)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-c.exited
		if stderr.Len() > 0 {
			t.Logf("%s said:\n%s", argv[0], &stderr)
		}
	})
	return c
}

// Close closes the pipes, as an ssh that is killed does.
func (c *Child) Close() error { return errors.Join(c.Out.Close(), c.In.Close()) }

// Wait returns when the child has ended.
func (c *Child) Wait() { <-c.exited }

// Descriptors is the number of files that the child has open, -1 where the
// system does not tell.
func (c *Child) Descriptors() int {
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(c.Process.Pid) + "/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}
