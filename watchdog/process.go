package watchdog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"wsync/monitor/report"
)

// Process is a running monitor.
type Process interface {
	PID() int
	// Define sends a definition; it never blocks, and only the newest counts.
	Define(report.Definition)
	// End asks the process to end, and insists. It returns at once; Exited
	// tells when it is done. It may be called more than once.
	End()
	// Reports delivers the newest report; older ones that nobody received are
	// dropped. It is closed when the process says no more, or nothing that can
	// be understood.
	Reports() <-chan report.Report
	// Exited delivers once how the process ended; nil is a good end. Nothing
	// that the process started is left then.
	Exited() <-chan error
}

// Launch starts a monitor with its first definition.
type Launch func(report.Definition) (Process, error)

// The steps by which a process is ended, each with the time that it has.
const (
	closeGrace = 3 * time.Second // after its standard input was closed
	termGrace  = 3 * time.Second // after TERM to its group; then KILL
)

// drainGrace is how long the standard output and error of a process that is gone
// may stay open: something that has left its group still holds them then.
const drainGrace = time.Second

// Exec returns a Launch that runs executable with args (args[0] is the name it
// sees for itself), its standard error going to the file at errorLog, if that
// can be opened; how it ended says the last of it, too.
func Exec(executable string, args []string, errorLog string) Launch {
	return command{executable, args, errorLog, closeGrace, termGrace}.launch
}

// command is what Exec runs.
type command struct {
	executable            string
	args                  []string
	errorLog              string
	closeGrace, termGrace time.Duration
}

// child is a Process in a process group of its own.
type child struct {
	cmd                   *exec.Cmd
	closeGrace, termGrace time.Duration

	definitions chan report.Definition // buffer of one: the newest
	reports     chan report.Report     // buffer of one: the newest
	exited      chan error
	ending      chan struct{} // closed by End
	gone        chan struct{} // closed when the process was awaited

	// mu guards awaited: from then on the number of the process and its group
	// may be another's.
	mu      sync.Mutex
	awaited bool
}

func (r command) launch(d report.Definition) (Process, error) {
	cmd := &exec.Cmd{Path: r.executable, Args: r.args, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	// Wait closes pipes, but does not wait for what the monitor's children still hold open.
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{
		cmd:         cmd,
		closeGrace:  r.closeGrace,
		termGrace:   r.termGrace,
		definitions: make(chan report.Definition, 1),
		reports:     make(chan report.Report, 1),
		exited:      make(chan error, 1),
		ending:      make(chan struct{}),
		gone:        make(chan struct{}),
	}
	c.Define(d)
	read, said := make(chan error, 1), make(chan string, 1)
	go c.write(stdin)
	go func() { read <- c.read(stdout) }()
	go func() { said <- listen(stderr, r.args[0], r.errorLog) }()
	go c.await(read, said)
	return c, nil
}

func (c *child) PID() int                      { return c.cmd.Process.Pid }
func (c *child) Reports() <-chan report.Report { return c.reports }
func (c *child) Exited() <-chan error          { return c.exited }

// Define is only called from one goroutine, the supervisor's.
func (c *child) Define(d report.Definition) {
	select {
	case <-c.definitions:
	default:
	}
	c.definitions <- d
}

// End is only called from one goroutine, the supervisor's.
func (c *child) End() {
	select {
	case <-c.ending:
	default:
		close(c.ending)
		go c.insist()
	}
}

// insist signals the process group until the process is gone.
func (c *child) insist() {
	for _, step := range []struct {
		signal syscall.Signal
		after  time.Duration
	}{{syscall.SIGTERM, c.closeGrace}, {syscall.SIGKILL, c.termGrace}} {
		select {
		case <-c.gone:
			return
		case <-time.After(step.after):
			c.signal(step.signal)
		}
	}
}

// signal signals the process group.
func (c *child) signal(signal syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.awaited {
		syscall.Kill(-c.PID(), signal)
	}
}

// write sends definitions until the process is to end; closing its standard
// input then tells it.
func (c *child) write(stdin io.WriteCloser) {
	defer stdin.Close()
	encoder := json.NewEncoder(stdin)
	for {
		select {
		case <-c.ending:
			return
		case <-c.gone:
			return
		case d := <-c.definitions:
			if encoder.Encode(d) != nil {
				return // it is dying; await will tell
			}
		}
	}
}

// read receives reports until the process says no more. The error is that it
// said something else.
func (c *child) read(stdout io.Reader) error {
	err := c.decode(json.NewDecoder(bufio.NewReader(stdout)))
	close(c.reports)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrClosed):
		return nil
	}
	// No monitor of ours. The supervisor ends it; a full pipe must not keep it
	// from that.
	io.Copy(io.Discard, stdout)
	return fmt.Errorf("its report cannot be understood: %w", err)
}

// decode receives reports until one cannot be read.
func (c *child) decode(decoder *json.Decoder) error {
	for {
		var r report.Report
		if err := decoder.Decode(&r); err != nil {
			return err
		}
		select {
		case <-c.reports:
		default:
		}
		c.reports <- r
	}
}

// listen keeps what a process called name says on its standard error in a file, if that can be
// opened and written to, and returns the last of it.
func listen(stderr io.Reader, name, path string) string {
	words := &lastWords{name: name}
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		defer log.Close()
		stderr = io.TeeReader(stderr, unfailing{log})
	}
	io.Copy(words, stderr)
	return words.text()
}

// unfailing is a writer with which nothing ends when it fails, as on a full disk.
type unfailing struct{ io.Writer }

func (u unfailing) Write(p []byte) (int, error) {
	u.Writer.Write(p)
	return len(p), nil
}

// await waits for the end of the process, and ends what it left behind.
func (c *child) await(read <-chan error, said <-chan string) {
	// cmd.Wait closes the pipes, so that everything must have been read before.
	state, err := c.waitAndKill()
	close(c.gone)
	if err == nil && !state.Success() {
		err = &exec.ExitError{ProcessState: state}
	}
	late := time.AfterFunc(drainGrace, func() { c.cmd.Wait() }) // its error is that somebody waited already
	if misread := <-read; misread != nil {
		err = misread
	}
	var words string
	select {
	case words = <-said:
	case <-time.After(2 * drainGrace): // the disk with the file hangs, perhaps
	}
	if late.Stop() {
		c.cmd.Wait()
	}
	if err != nil && words != "" && !killed(state) {
		err = fmt.Errorf("%w: %s", err, words)
	}
	c.exited <- err
}

// killed reports whether a process was killed: nothing that it has said tells why.
func killed(state *os.ProcessState) bool {
	if state == nil {
		return false
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
