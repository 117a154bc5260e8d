package watchdog

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// waitAndKill waits for the end of the process and kills the rest of its
// group. It does that before the process is awaited, because until then the
// kernel gives its number to nobody else.
func (c *child) waitAndKill() (*os.ProcessState, error) {
	for {
		err := unix.Waitid(unix.P_PID, c.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	c.signal(syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaited = true
	return c.cmd.Process.Wait()
}
