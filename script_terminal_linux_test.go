package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"wsync/monitor/remotetest"
)

func init() {
	// types SHELL LINE: type a line into a shell on a terminal, which completes wsync where
	// the line has <Tab>, and wait for the shell to end.
	scriptCommands["types"] = cmdTypes
}

// shells are how each is started without what the user has configured, and how it is told to
// complete wsync.
var shells = map[string]struct {
	args []string
	init string
}{
	"bash": {[]string{"--norc", "--noprofile", "-i"}, "source <(wsync completion bash)"},
	"zsh":  {[]string{"-f", "-i"}, "autoload -U compinit; compinit -u -D; source <(wsync completion zsh)"},
	"fish": {[]string{"-N", "-i"}, "wsync completion fish | source"},
}

func cmdTypes(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2 && shells[args[0]].init != "", "types bash|zsh|fish LINE")
	name, line := args[0], strings.ReplaceAll(args[1], "<Tab>", "\t")
	path, err := exec.LookPath(name)
	if err != nil {
		remotetest.Skip(serversOf(ts).tb, "there is no "+name)
	}
	terminal, shell, err := startOnTerminal(exec.Command(path, shells[name].args...), ts)
	ts.Check(err)
	defer terminal.Close()
	output := new(sharedBuffer)
	go io.Copy(output, terminal) // ends with the shell
	ended := make(chan error, 1)
	go func() { ended <- shell.Wait() }()
	// The words of the marker stand apart in what is typed, which the terminal shows, too.
	fmt.Fprintf(terminal, "%s; printf '%%s%%s\\n' rea dy\n", shells[name].init)
	if !pollUntil(patience, func() bool { return strings.Contains(output.String(), "ready\r\n") }) {
		shell.Process.Kill()
		<-ended
		ts.Fatalf("%s has not come up:\n%s", name, output)
	}
	fmt.Fprintf(terminal, "%s\nexit\n", line)
	select {
	case <-ended:
	case <-time.After(patience):
		shell.Process.Kill()
		<-ended
		ts.Fatalf("%s has not ended", name)
	}
	ts.Logf("%s", output)
}

// startOnTerminal starts a shell on a terminal of its own, the other end of which it returns.
func startOnTerminal(cmd *exec.Cmd, ts *testscript.TestScript) (*os.File, *exec.Cmd, error) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	size := &unix.Winsize{Row: 30, Col: 200}
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, size); err != nil {
		return nil, nil, err
	}
	inner, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	defer inner.Close()
	cmd.Dir = ts.Getenv("WORK")
	for _, variable := range []string{"PATH", "HOME", "WORK"} {
		cmd.Env = append(cmd.Env, variable+"="+ts.Getenv(variable))
	}
	cmd.Env = append(cmd.Env, "TERM=xterm", "PS1=> ")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inner, inner, inner
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return terminal, cmd, cmd.Start()
}

// sharedBuffer is a buffer that is written by one goroutine and read by another.
type sharedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sharedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sharedBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
