//go:build !linux

package daemon

import "syscall"

// dieWithDaemon does nothing: only Linux can do it.
func dieWithDaemon(*syscall.SysProcAttr) {}
