package sftp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
)

// sftpServer returns the path of OpenSSH's sftp-server, of which every system
// has its own idea.
func sftpServer(t testing.TB) string {
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

// child is a server that runs as a child of the test.
type child struct {
	cmd    *exec.Cmd
	pipes  []io.Closer
	exited chan error // has the outcome when the server has ended
}

// Close ends the session as an ssh that is killed does.
func (c *child) Close() error {
	var errs []error
	for _, pipe := range c.pipes {
		errs = append(errs, pipe.Close())
	}
	return errors.Join(errs...)
}

// start begins a session with a server that argv runs. When the test ends, so
// does the session, and the server must end by itself.
func start(t testing.TB, argv ...string) (*Client, *child) {
	t.Helper()
	fromServer, serverOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	serverIn, toServer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = serverIn, serverOut, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start the server: %v", err)
	}
	serverIn.Close()
	serverOut.Close()
	server := &child{cmd: cmd, pipes: []io.Closer{fromServer, toServer}, exited: make(chan error, 1)}
	go func() { server.exited <- cmd.Wait() }()
	client, err := NewClient(fromServer, toServer, server)
	t.Cleanup(func() {
		if client != nil {
			client.Close()
		}
		<-server.exited
		if t.Failed() {
			t.Logf("the server's messages:\n%s", &stderr)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}
