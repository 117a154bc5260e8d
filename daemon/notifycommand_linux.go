package daemon

import "syscall"

// dieWithDaemon makes a command end when the daemon dies without a chance to
// end it. The kernel takes the end of the thread that started it for that.
func dieWithDaemon(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
