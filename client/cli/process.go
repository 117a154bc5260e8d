package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"wsync/client"
	"wsync/config"
	"wsync/daemon/api"
)

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 30 * time.Second
	pollInterval = 10 * time.Millisecond
)

// startDaemon runs this very binary as a daemon of its own session and returns
// once it answers.
func startDaemon(ctx context.Context, c *client.Client, settings config.Settings, env []string) (*api.Status, error) {
	output, err := daemonOutput(settings)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	begin, err := output.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("cannot find the end of %s: %w", output.Name(), err)
	}
	daemon, err := ownCommand("daemon", "run", dashed(backgroundFlag))
	if err != nil {
		return nil, err
	}
	// Nothing of the caller's may stay open in the daemon: a pipeline would wait
	// for its end, a file system could not be unmounted.
	daemon.Env, daemon.Dir = env, "/"
	daemon.Stdout, daemon.Stderr = output, output
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()

	timeout := time.After(startTimeout)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		status, err := c.Status(ctx, "", "", 0)
		if err == nil {
			if status.Daemon.PID != daemon.Process.Pid {
				// Another one was started at the same time, and won. Ours must not
				// take its place when that one is stopped.
				end(daemon.Process, ended)
			}
			return status, nil
		}
		select {
		case status := <-ended:
			if locked(settings.LockPath()) {
				ended = nil // the other one answers soon
				continue
			}
			text, _ := io.ReadAll(io.NewSectionReader(output, begin, 64<<10))
			return nil, startFailure(text, status)
		case <-timeout:
			end(daemon.Process, ended)
			return nil, withHint(fmt.Errorf("it (pid %d) has not answered for %v: %w", daemon.Process.Pid, startTimeout, err), "wsync logs")
		case <-ctx.Done():
			end(daemon.Process, ended)
			return nil, context.Canceled
		case <-poll.C:
		}
	}
}

// end ends a daemon that was not to be waited for any longer: what could not
// be started must not appear later.
func end(daemon *os.Process, ended <-chan error) {
	if ended == nil {
		return // it has ended
	}
	daemon.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		daemon.Kill()
	}
}

// locked says whether a daemon holds its lock.
func locked(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close() // which also unlocks
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// daemonOutput opens what a daemon in the background has for stdout and
// stderr: the daemon's log, where a panic belongs, or if that cannot be
// written a file that has no name any more. Either can be read back, which
// tells why a start failed.
func daemonOutput(settings config.Settings) (*os.File, error) {
	path := settings.DaemonLogPath()
	if os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		if file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600); err == nil {
			return file, nil
		}
	}
	if file, err := os.CreateTemp("", "wsync-start-"); err == nil {
		os.Remove(file.Name())
		return file, nil
	}
	return os.OpenFile(os.DevNull, os.O_RDWR, 0)
}

// startFailure says why a daemon ended at its start. text is what it printed:
// lines of the log, which are JSON and of which the last are shown, and as its
// last words an error with perhaps a hint, as every command prints them, or the
// traces of a panic; status is how it ended.
func startFailure(text []byte, status error) error {
	var reason, hint string
	var rest, logged []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "":
		case strings.HasPrefix(line, "{"):
			logged = append(logged, "log: "+logText([]byte(line), time.Local, ""))
		case strings.HasPrefix(line, "wsync: "):
			reason = strings.TrimPrefix(line, "wsync: ")
		case strings.HasPrefix(line, "hint: "):
			hint = strings.TrimPrefix(line, "hint: ")
		default:
			rest = append(rest, line)
		}
	}
	if reason == "" {
		reason = "it ended at once"
		if status != nil {
			reason += ": " + status.Error()
		}
		const enough = 20
		reason = strings.Join(append([]string{reason}, rest[:min(len(rest), enough)]...), "\n")
	}
	reason = strings.TrimPrefix(reason, "cannot run the daemon: ")
	const lastLines = 5
	err := errors.New(strings.Join(append([]string{reason}, logged[max(0, len(logged)-lastLines):]...), "\n"))
	if hint != "" {
		return withHint(err, "%s", hint)
	}
	return err
}

// stopDaemon stops the daemon and returns its pid once it is gone.
func stopDaemon(ctx context.Context, c *client.Client) (pid int, err error) {
	status, err := c.Status(ctx, "", "", 0)
	if err != nil {
		return 0, err
	}
	pid = status.Daemon.PID
	// That it ended too soon to answer is as good an answer.
	if err := c.Stop(ctx); err != nil && !errors.Is(err, client.ErrNoDaemon) {
		return pid, err
	}
	timeout := time.After(stopTimeout)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for !gone(pid) {
		select {
		case <-timeout:
			return pid, withHint(fmt.Errorf("it (pid %d) has not ended for %v", pid, stopTimeout), "kill -9 %d ends it without harm to any data", pid)
		case <-ctx.Done():
			return pid, context.Canceled
		case <-poll.C:
		}
	}
	return pid, nil
}

// gone says whether the process has ended. One that its parent has not waited
// for yet has.
func gone(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false // there is no /proc here
	}
	// "PID (COMMAND) STATE ...", and COMMAND may hold anything.
	state := stat[bytes.LastIndexByte(stat, ')')+1:]
	return bytes.HasPrefix(state, []byte(" Z")) || bytes.HasPrefix(state, []byte(" X"))
}

// ownCommand returns a command that runs this binary, the same build even
// after an upgrade where the system allows.
func ownCommand(args ...string) (*exec.Cmd, error) {
	path := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		var err error
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("cannot find wsync itself: %w", err)
		}
	}
	return &exec.Cmd{Path: path, Args: append([]string{"wsync"}, args...)}, nil
}

// nameProcess gives the process the name that ps and top show where they do not
// show the command line. Linux takes it from the executable, which is called "exe"
// for a process that was started by ownCommand.
func nameProcess(name string) {
	if comm, err := os.OpenFile("/proc/self/comm", os.O_WRONLY, 0); err == nil {
		defer comm.Close()
		_, _ = comm.WriteString(name) // it is only shown
	}
}

// warnMissing warns when a program that wsync needs is not installed. It is
// no error: the daemon may have another PATH than this shell.
func (c *command) warnMissing(program string) {
	if _, err := exec.LookPath(program); err != nil {
		c.note("%s is not in PATH, and nothing can be mirrored without it", program)
		c.hint("install %s with your system's package manager", program)
	}
}
