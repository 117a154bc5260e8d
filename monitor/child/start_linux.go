package child

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// starter runs on one thread that never ends: the kernel sends the parent-death
// signal when the thread that started the child is gone, and Go ends threads
// as it likes.
var starter = sync.OnceValue(func() chan<- func() { return newStarter(func() {}) })

// gentleStarter is one on a thread that has priority over nobody, which its children
// inherit, and theirs.
var gentleStarter = sync.OnceValue(func() chan<- func() {
	return newStarter(func() {
		const process, idle = 1, 3 << 13 // IOPRIO_WHO_PROCESS, and the class of ioprio_set(2)
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 19)
		_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, process, 0, idle)
	})
})

func newStarter(begin func()) chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		begin()
		for f := range work {
			f()
		}
	}()
	return work
}

// Start starts cmd. The kernel ends it with TERM if this process dies.
func Start(cmd *exec.Cmd) error { return start(cmd, starter()) }

// StartGently is Start for what has time: it gets the processor and the disk when nobody
// else wants them.
func StartGently(cmd *exec.Cmd) error { return start(cmd, gentleStarter()) }

func start(cmd *exec.Cmd, starter chan<- func()) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
	result := make(chan error)
	starter <- func() { result <- cmd.Start() }
	return <-result
}
