//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a process that runs until it is ended, with the stage at the latest.
type child struct {
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd was waited for
	logFile string
}

// spawn starts a process whose output goes to a file.
func (s *stage) spawn(cmd *exec.Cmd) *child {
	c := &child{cmd: cmd, exited: make(chan struct{}), logFile: filepath.Join(s.TempDir(), "log")}
	log, err := os.Create(c.logFile)
	s.check(err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	// In a group of its own it does not see the terminal's Ctrl-C; and it goes
	// when this process goes, however it does.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	s.check(cmd.Start())
	go func() {
		defer close(c.exited)
		_ = cmd.Wait() // how it ended stands in its log
	}()
	s.Cleanup(c.end)
	return c
}

// end ends the process and those that it has left in its group.
func (c *child) end() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-c.exited:
	case <-time.After(10 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
	// No other process can have this group while it is not empty; when it is,
	// nothing happens.
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
}

func (c *child) gone() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// log returns the end of what the process has printed.
func (c *child) log() string {
	content, err := os.ReadFile(c.logFile)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-2000):])
}

// busy reports whether the process has children, zombies included: who has not
// waited for one yet has still to think about how it ended.
func (c *child) busy() bool {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return false
	}
	parent := strconv.Itoa(c.cmd.Process.Pid)
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		// The name, in parentheses, may hold anything (proc_pid_stat(5)).
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[1] == parent {
			return true
		}
	}
	return false
}
