package ssh

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"

	"wsync/monitor/child"
)

// Sessions begins as many sessions at once as are ever used of one connection, the one of
// SFTP among them, which must not be there. wanted is how many these are, and shared how
// many went through one connection: where a host allows fewer (MaxSessions of
// sshd_config(5)), ssh makes connections of their own for the others. The error is that
// the host does not tell.
func (c *Connection) Sessions(ctx context.Context, env []string) (shared, wanted int, err error) {
	wanted = maxSessions + 1
	ctx, cancel := context.WithTimeout(ctx, outputTime)
	defer cancel()
	lines := make([]string, wanted)
	failures := make([]error, wanted)
	var begun, ended sync.WaitGroup
	begun.Add(wanted)
	over := make(chan struct{})
	for i := range wanted {
		ended.Go(func() {
			lines[i], failures[i] = c.hold(ctx, env, begun.Done, over)
		})
	}
	begun.Wait()
	close(over)
	ended.Wait()
	through := make(map[string]int)
	for _, line := range lines {
		if len(strings.Fields(line)) == 4 { // addresses and ports of both ends
			through[line]++
			shared = max(shared, through[line])
		}
	}
	if shared == 0 {
		return 0, wanted, errors.Join(append(failures, errors.New("it does not say through which connection it is asked"))...)
	}
	return shared, wanted, nil
}

// hold begins a session, calls begun when it is there or has failed, and ends it when over
// is closed. It returns what the host calls the connection that it goes through.
func (c *Connection) hold(ctx context.Context, env []string, begun func(), over <-chan struct{}) (line string, err error) {
	begun = sync.OnceFunc(begun)
	defer begun()
	argv := append(c.Command(), "--", c.host.Name, `echo "$SSH_CONNECTION"; cat`)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	child.Prepare(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := child.Start(cmd); err != nil {
		return "", err
	}
	line, _ = bufio.NewReader(io.LimitReader(out, 1000)).ReadString('\n')
	begun()
	<-over
	in.Close()
	return strings.TrimSpace(line), cmd.Wait()
}
