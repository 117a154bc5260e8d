//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// Start starts cmd. Where the kernel has no parent-death signal, the daemon's
// signal to the monitor's process group ends what a killed monitor leaves.
func Start(cmd *exec.Cmd) error { return cmd.Start() }

// StartGently is Start for what has time: it gets the processor when nobody else wants it.
func StartGently(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, 19)
	return nil
}
