//go:build !linux

package watchdog

import (
	"os"
	"syscall"
)

// waitAndKill waits for the end of the process and kills the rest of its
// group.
func (c *child) waitAndKill() (*os.ProcessState, error) {
	state, err := c.cmd.Process.Wait()
	c.signal(syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaited = true
	return state, err
}
