package ssh

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"wsync/monitor/child"
	"wsync/monitor/sftp"
)

// SFTP returns the session of the host's sftp subsystem that all remotes there
// share, and begins one unless it is there. The error is that the host does not
// offer it, or broke the connection.
func (c *Connection) SFTP(ctx context.Context, env []string) (*sftp.Client, error) {
	c.sessionMu.Lock()
	defer c.sessionMu.Unlock()
	if c.session != nil && c.session.Err() == nil {
		return c.session, nil
	}
	// The session outlives this call.
	life, end := context.WithCancel(context.Background())
	argv := append(c.Command(), "-s", "--", c.host.Name, "sftp")
	cmd := exec.CommandContext(life, argv[0], argv[1:]...)
	cmd.Env = env
	child.Prepare(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		end()
		return nil, fmt.Errorf("cannot begin an sftp session: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		end()
		return nil, fmt.Errorf("cannot begin an sftp session: %w", err)
	}
	if err := child.Start(cmd); err != nil {
		end()
		return nil, fmt.Errorf("cannot begin an sftp session: %w", err)
	}
	p := &process{cmd: cmd, end: end}
	stop := context.AfterFunc(ctx, end)
	defer stop()
	tooLong := time.AfterFunc(loginTime, end)
	defer tooLong.Stop()
	session, err := sftp.NewClient(stdout, stdin, p)
	if err != nil {
		p.Close()
		return nil, err
	}
	c.session = session
	return session, nil
}

// EndSFTP ends the shared session: requests that are under way fail.
func (c *Connection) EndSFTP() {
	c.sessionMu.Lock()
	defer c.sessionMu.Unlock()
	if c.session != nil {
		c.session.Close()
		c.session = nil
	}
}

// process is the ssh that a session goes through.
type process struct {
	cmd  *exec.Cmd
	end  context.CancelFunc
	once sync.Once
}

var _ io.Closer = (*process)(nil)

// Close ends the process; its pipes end with it.
func (p *process) Close() error {
	p.once.Do(func() {
		p.end()
		go p.cmd.Wait() // how it ended is of no interest
	})
	return nil
}
