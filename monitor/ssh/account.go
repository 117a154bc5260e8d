package ssh

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	"wsync/monitor/child"
)

// Account is what an account on a host lets be done.
type Account struct {
	// Commands: it runs commands.
	Commands bool
	// SFTP: it offers the sftp subsystem; not asked if it runs commands.
	SFTP bool
	// Said is what came for the command `true`, which says nothing: on standard
	// output, where it gets into the way of what commands say, or if there was
	// none and no command was run, on standard error. It is empty where all is
	// well, and not longer than saidLimit bytes.
	Said string
}

// saidLimit is how many bytes of what an account says are of use.
const saidLimit = 80

// Ask finds out what the account lets be done. The error is that the host could
// not be reached.
func (c *Connection) Ask(ctx context.Context, env []string) (Account, error) {
	stdout, stderr, err := c.Output(ctx, env, "true")
	var exit *exec.ExitError
	switch {
	case err == nil:
		return Account{Commands: true, Said: begin(stdout)}, nil
	case !errors.As(err, &exit) || exit.ExitCode() == failed || exit.ExitCode() < 0:
		return Account{}, err
	}
	said := begin(stdout)
	if said == "" {
		said = begin(stderr)
	}
	session, err := c.SFTP(ctx, env)
	return Account{SFTP: err == nil && session.Err() == nil, Said: said}, nil
}

// failed is ssh's exit code for a failure of its own.
const failed = 255

// outputTime is how long a command may take.
const outputTime = 30 * time.Second

// Output runs a short command on the host and returns what it says.
func (c *Connection) Output(ctx context.Context, env []string, command string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(ctx, outputTime)
	defer cancel()
	release, err := c.Acquire(ctx)
	if err != nil {
		return "", "", err
	}
	defer release()
	argv := append(c.Command(), "--", c.host.Name, command)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	child.Prepare(cmd)
	var out, complaints child.Tail
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := child.Start(cmd); err != nil {
		return "", "", err
	}
	err = cmd.Wait()
	return out.String(), complaints.String(), err
}

// begin is the begin of what was said.
func begin(said string) string {
	said = strings.TrimSpace(said)
	return said[:min(len(said), saidLimit)]
}
