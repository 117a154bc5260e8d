//go:build !linux

package child

import "os/exec"

// Start starts cmd. Where the kernel has no parent-death signal, the daemon's
// signal to the monitor's process group ends what a killed monitor leaves.
func Start(cmd *exec.Cmd) error { return cmd.Start() }
