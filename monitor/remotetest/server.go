package remotetest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a child process that listens on a port and forks a process for
// each connection. Its methods may be called from any goroutine.
type server struct {
	t    T
	name string // for messages
	port int
	// greeting is what it says first to whoever connects, or else listening what it
	// logs when it listens: where a connection costs a process.
	greeting, listening string
	argv                []string
	logFile             string

	mu      sync.Mutex
	cmd     *exec.Cmd     // nil while stopped
	exited  chan struct{} // closed when cmd was waited for
	release func()        // takes cmd off the leash
}

// launch starts a new server for the first time, and arranges for its end. The
// port may have been taken since it was chosen: configure is called again with
// another one then.
func (s *server) launch(configure func(port int)) {
	s.t.Helper()
	s.t.Cleanup(func() {
		s.stop(func(format string, args ...any) { s.t.Logf("warning: "+format, args...) })
		if t, ok := s.t.(interface{ Failed() bool }); ok && t.Failed() {
			s.t.Logf("the log of %s:\n%s", s.name, s.logTail())
		}
	})
	for range 5 {
		s.port = freePort(s.t)
		configure(s.port)
		if s.start() {
			return
		}
	}
	s.t.Fatalf("cannot start %s:\n%s", s.name, s.logTail())
}

// start starts the process and tells whether it answers.
func (s *server) start() bool {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	// A file and not a pipe: the processes of connections that outlive the
	// server would keep Wait waiting for the pipe's end.
	log, err := os.OpenFile(s.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatalf("cannot open the log of %s: %v", s.name, err)
	}
	defer log.Close()
	logged, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		s.t.Fatalf("cannot read the log of %s: %v", s.name, err)
	}
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	// In a process group of its own it does not see the terminal's Ctrl-C.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("cannot start %s: %v", s.name, err)
	}
	release, err := leash(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill() // what matters is why
		s.t.Fatalf("cannot start %s: %v", s.name, err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended stands in its log
	}()
	s.cmd, s.exited, s.release = cmd, exited, release

	gone := func() bool {
		select {
		case <-exited:
			return true
		default:
			return false
		}
	}
	answers := false
	poll(func() bool {
		answers = s.answers(logged)
		return answers || gone()
	})
	if !answers || gone() {
		s.end(s.t.Fatalf)
		return false
	}
	return true
}

// answers reports whether the server, which has written its log from an offset on, takes
// connections: it has logged so, or something on the port greets as the server does.
func (s *server) answers(logged int64) bool {
	if s.listening != "" {
		log, err := os.ReadFile(s.logFile)
		return err == nil && bytes.Contains(log[min(logged, int64(len(log))):], []byte(s.listening))
	}
	conn, err := net.DialTimeout("tcp", address(s.port), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.SetReadDeadline(time.Now().Add(patience)) != nil {
		return false
	}
	// The whole line: to close with bytes unread would look like an accident
	// in the server's log.
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, s.greeting)
}

// Stop kills the server and the processes of its connections, as a machine
// that goes down does; it returns when all are gone. Stopping twice is no error.
func (s *server) Stop() {
	s.t.Helper()
	s.stop(s.t.Fatalf)
}

// Restart stops the server if it runs, and starts it again on the same port;
// it returns when the server answers.
func (s *server) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.start() {
		s.t.Fatalf("cannot restart %s:\n%s", s.name, s.logTail())
	}
}

// KillConnections kills the processes of all connections, in the middle of
// whatever they are doing. The server goes on and takes new ones.
func (s *server) KillConnections() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		s.killChildren(s.t.Fatalf)
		s.signal(syscall.SIGCONT)
	}
}

func (s *server) stop(fail func(format string, args ...any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(fail)
}

// end kills everything; s.mu is held.
func (s *server) end(fail func(format string, args ...any)) {
	if s.cmd == nil {
		return
	}
	s.killChildren(fail)
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.release()
	s.cmd = nil
}

// killChildren freezes the server, so that it forks no more, and kills all
// that it has forked; s.mu is held.
func (s *server) killChildren(fail func(format string, args ...any)) {
	s.signal(syscall.SIGSTOP)
	var left []int
	gone := poll(func() bool {
		left = descendants(s.cmd.Process.Pid)
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone by now
		}
		return len(left) == 0
	})
	if !gone {
		fail("cannot kill the connections of %s: processes %v are left", s.name, left)
	}
}

// signal sends a signal to the server, unless it has ended.
func (s *server) signal(sig syscall.Signal) {
	// os.Process refuses to signal a process that was waited for, which
	// protects whoever has its id by now.
	_ = s.cmd.Process.Signal(sig)
}

// logTail returns the last lines that the server logged.
func (s *server) logTail() string {
	log, err := os.ReadFile(s.logFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(log), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}
