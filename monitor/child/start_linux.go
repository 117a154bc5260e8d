package child

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// starter runs on one thread that never ends: the kernel sends the parent-death
// signal when the thread that started the child is gone, and Go ends threads
// as it likes.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// Start starts cmd. The kernel ends it with TERM if this process dies.
func Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
	result := make(chan error)
	starter() <- func() { result <- cmd.Start() }
	return <-result
}
