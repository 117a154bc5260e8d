package daemon

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"go.uber.org/zap"
)

const (
	// commandTime is how long a command may take before it is ended.
	commandTime = 30 * time.Second
	// commandGrace is how long it may take to end when it is asked to.
	commandGrace = 2 * time.Second
	// maxOutput is how many bytes of what it says are logged.
	maxOutput = 4096
)

// notifyCommand runs the command of the setting NotifyCommand.
type notifyCommand struct {
	log   *zap.Logger
	args  []string
	limit time.Duration
}

// check reports whether there is such a program.
func (c notifyCommand) check() error {
	_, err := exec.LookPath(c.args[0])
	return err
}

// run runs the command with the daemon's environment and variables, and returns
// when it has ended; after the limit, or when ctx is done, it is ended with all
// its process group. What it says, and how it ended, goes to the log; the error is
// why it could not be run at all.
func (c notifyCommand) run(ctx context.Context, variables []string) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Env = append(os.Environ(), variables...)
	var said firstBytes
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = commandGrace
	// The thread that starts it stays: see dieWithDaemon.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dieWithDaemon(cmd.SysProcAttr)
	err := cmd.Run()
	log := c.log.With(zap.Strings("about", variables), zap.String("output", said.kept.String()))
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it left something behind that has its output
		log.Info("NotifyCommand done")
		return nil
	case cmd.Process == nil && ctx.Err() == nil:
		log.Warn("NotifyCommand cannot be run", zap.Error(err))
		return err
	case ctx.Err() != nil && cmd.Process != nil:
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left of the group
		err = ctx.Err()
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("it was ended, because it took longer than " + c.limit.String())
		}
	}
	log.Warn("NotifyCommand failed", zap.Error(err))
	return nil
}

// firstBytes is an io.Writer that keeps the first maxOutput bytes.
type firstBytes struct{ kept bytes.Buffer }

func (b *firstBytes) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), maxOutput-b.kept.Len())])
	return len(p), nil
}
