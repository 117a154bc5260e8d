package watchdog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// TestMain also is the processes that the tests start.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[0] == "wsync" && os.Args[1] == "helper" {
		os.Exit(helpers[os.Args[2]](os.Args[3:]))
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // a process with the race detector takes a second to exit
	os.Exit(m.Run())
}

// helpers are the processes that the tests start; each returns its exit code.
var helpers = map[string]func(args []string) int{
	// obey answers each definition with its barrier until its input ends.
	"obey": func([]string) int {
		in := json.NewDecoder(os.Stdin)
		for {
			var d report.Definition
			if in.Decode(&d) != nil {
				return 0
			}
			tell(int(d.Barrier))
		}
	},
	// deaf does not care about the end of its input.
	"deaf": func([]string) int { return linger() },
	// mulish does not care about TERM either.
	"mulish": func([]string) int {
		signal.Ignore(syscall.SIGTERM)
		return linger()
	},
	// parent leaves a process of its group behind, which holds a lock.
	"parent": func(args []string) int {
		start(false, "locker", args[0])
		waitForLock(args[0])
		io.Copy(io.Discard, os.Stdin)
		return 0
	},
	// locker is what parent leaves behind.
	"locker": func(args []string) int {
		signal.Ignore(syscall.SIGTERM)
		f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return 1
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			return 1
		}
		fmt.Fprint(f, os.Getpid())
		return linger()
	},
	// escaped leaves a process behind that is in no group of its and has the
	// same standard output and error.
	"escaped": func([]string) int {
		start(true, "deaf")
		return 0
	},
	// chatty says much and ends.
	"chatty": func([]string) int {
		for i := range 2000 {
			tell(i + 1)
		}
		return 0
	},
	// babbler says what is no report, more than a pipe holds, until its input ends.
	"babbler": func([]string) int {
		tell(1)
		fmt.Println("this is no report")
		fmt.Println(strings.Repeat("nor is this\n", 100_000))
		io.Copy(io.Discard, os.Stdin)
		return 0
	},
	// stutterer dies in the middle of a report.
	"stutterer": func([]string) int {
		fmt.Print(`{"version":`)
		return 3
	},
	// complainer writes to its standard error.
	"complainer": func([]string) int {
		fmt.Fprintln(os.Stderr, "panic: for the test")
		return 2
	},
	// gossip says what is not about its end, much of it, and is killed.
	"gossip": func([]string) int {
		fmt.Fprintln(os.Stderr, strings.Repeat("this is not why\n", 100_000))
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		return linger()
	},
}

// linger says that it lives and stays, though not for ever if a test forgets it.
func linger() int {
	tell(os.Getpid())
	<-time.After(10 * time.Minute)
	return 1
}

// tell writes a report with a number.
func tell(number int) {
	json.NewEncoder(os.Stdout).Encode(report.Report{Version: report.Version, PID: os.Getpid(), Watch: report.Watch{Directories: number}})
}

// start starts a helper from a helper, its standard output and error being the same.
func start(session bool, args ...string) {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := &exec.Cmd{Path: executable, Args: append([]string{"wsync", "helper"}, args...), Stdout: os.Stdout, Stderr: os.Stderr, SysProcAttr: &syscall.SysProcAttr{Setsid: session}}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
}

// waitForLock returns when a locker has written its PID to its file.
func waitForLock(path string) {
	for {
		if data, err := os.ReadFile(path); err == nil {
			if pid, err := strconv.Atoi(string(data)); err == nil && pid > 0 {
				return
			}
		}
		<-time.After(time.Millisecond)
	}
}

// helper is the command of a helper, with long graces.
func helper(t *testing.T, args ...string) command {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return command{
		executable: executable,
		args:       append([]string{"wsync", "helper"}, args...),
		errorLog:   filepath.Join(t.TempDir(), "errors.log"),
		closeGrace: patience,
		termGrace:  patience,
	}
}

func launch(t *testing.T, c command) Process {
	t.Helper()
	p, err := c.launch(report.Definition{Barrier: 1})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// next receives from c within the patience.
func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatalf("%s: closed", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing arrived", what)
	}
	panic("not reached")
}

// isGone reports whether nothing is left of a process group.
func isGone(pid int) bool { return errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }

func TestProcessObeys(t *testing.T) {
	p := launch(t, helper(t, "obey"))
	if r := next(t, "report", p.Reports()); r.Watch.Directories != 1 || r.PID != p.PID() {
		t.Errorf("the first report is %+v, the process %d", r, p.PID())
	}
	for i := range 1000 {
		p.Define(report.Definition{Barrier: uint64(i + 2)})
	}
	for {
		if r := next(t, "report of the newest definition", p.Reports()); r.Watch.Directories == 1001 {
			break
		}
	}
	p.End()
	p.End()
	if err := next(t, "exit", p.Exited()); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, ok := <-p.Reports(); ok {
		t.Error("there are reports after the end")
	}
	p.End()
	p.Define(report.Definition{})
	p.Define(report.Definition{})
	if !isGone(p.PID()) {
		t.Error("something of it is left")
	}
}

func TestProcessEnd(t *testing.T) {
	for _, test := range []struct {
		helper    string
		termGrace time.Duration
		want      string
	}{
		{"deaf", patience, "signal: terminated"},
		{"mulish", 10 * time.Millisecond, "signal: killed"},
	} {
		t.Run(test.helper, func(t *testing.T) {
			c := helper(t, test.helper)
			c.closeGrace, c.termGrace = 10*time.Millisecond, test.termGrace
			p := launch(t, c)
			next(t, "report", p.Reports())
			// It reads nothing: this fills the pipe, and must block nobody.
			long := report.Definition{Workspace: config.Workspace{Name: strings.Repeat("x", 1<<20)}}
			for range 3 {
				p.Define(long)
			}
			p.End()
			if err := next(t, "exit", p.Exited()); err == nil || err.Error() != test.want {
				t.Errorf("it ended with %v, expected %s", err, test.want)
			}
		})
	}
}

// TestProcessGroup: what a process leaves behind is killed with it.
func TestProcessGroup(t *testing.T) {
	for _, name := range []string{"end", "kill"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			p := launch(t, helper(t, "parent", path))
			if left := next(t, "report", p.Reports()).Watch.Directories; left == p.PID() || syscall.Kill(left, 0) != nil {
				t.Fatalf("there is no process %d to leave behind", left)
			}
			if name == "end" {
				p.End()
			} else {
				syscall.Kill(p.PID(), syscall.SIGKILL)
			}
			err := next(t, "exit", p.Exited())
			if (name == "end") != (err == nil) {
				t.Errorf("it ended with %v", err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			remotetest.Poll(t, "the end of what it left behind", func() bool {
				return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
			})
		})
	}
}

// TestProcessHeldOutput: a process that left the group holds the standard
// output and error open, and delays nothing for long.
func TestProcessHeldOutput(t *testing.T) {
	p := launch(t, helper(t, "escaped"))
	escaped := next(t, "report", p.Reports()).PID
	defer syscall.Kill(escaped, syscall.SIGKILL)
	if escaped == p.PID() {
		t.Fatal("nothing escaped")
	}
	if err := next(t, "exit", p.Exited()); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, ok := <-p.Reports(); ok {
		t.Error("there are reports after the end")
	}
}

func TestProcessNewestReport(t *testing.T) {
	p := launch(t, helper(t, "chatty"))
	if err := next(t, "exit", p.Exited()); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if r := next(t, "report", p.Reports()); r.Watch.Directories != 2000 {
		t.Errorf("report %d is delivered, expected the newest", r.Watch.Directories)
	}
	if _, ok := <-p.Reports(); ok {
		t.Error("there is another report")
	}
}

func TestProcessGarbage(t *testing.T) {
	p := launch(t, helper(t, "babbler"))
	// Closed although the process lives and goes on.
	deadline := time.After(patience)
	for open := true; open; {
		select {
		case _, open = <-p.Reports():
		case <-deadline:
			t.Fatal("the garbage was not noticed")
		}
	}
	p.End()
	if err := next(t, "exit", p.Exited()); err == nil || !strings.Contains(err.Error(), "cannot be understood") {
		t.Errorf("it ended with %v", err)
	}

	p = launch(t, helper(t, "stutterer"))
	if err := next(t, "exit", p.Exited()); err == nil || err.Error() != "exit status 3" {
		t.Errorf("half a report: it ended with %v", err)
	}
}

func TestProcessStandardError(t *testing.T) {
	c := helper(t, "complainer")
	for i := range 2 {
		p := launch(t, c)
		if err := next(t, "exit", p.Exited()); err == nil || err.Error() != "exit status 2: panic: for the test" {
			t.Errorf("it ended with %v", err)
		}
		want := strings.Repeat("panic: for the test\n", i+1)
		if got, err := os.ReadFile(c.errorLog); err != nil || string(got) != want {
			t.Errorf("the file has %q (%v), expected %q", got, err, want)
		}
	}
	if info, err := os.Stat(c.errorLog); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v)", info, err)
	}

	p := launch(t, helper(t, "gossip"))
	if err := next(t, "exit", p.Exited()); err == nil || err.Error() != "signal: killed" {
		t.Errorf("it ended with %v", err)
	}

	// Without the file it works all the same.
	c = helper(t, "complainer")
	if err := os.WriteFile(c.errorLog, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.errorLog += "/below"
	p = launch(t, c)
	if err := next(t, "exit", p.Exited()); err == nil || err.Error() != "exit status 2: panic: for the test" {
		t.Errorf("it ended with %v", err)
	}
}

func TestProcessCannotStart(t *testing.T) {
	files := func() int {
		entries, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := files()
	for range 20 {
		p, err := Exec(filepath.Join(t.TempDir(), "nothing"), []string{"wsync"}, "/dev/null")(report.Definition{})
		if err == nil {
			t.Fatalf("process %d was started", p.PID())
		}
	}
	if after := files(); after > before+5 {
		t.Errorf("%d files were open before and %d are now", before, after)
	}
}

// TestSupervisorOfProcesses is the whole of it: a real process is killed and
// comes back, and a babbler is given up.
func TestSupervisorOfProcesses(t *testing.T) {
	observed := make(chan observation, 1000)
	watch := func(s Status, r *report.Report) { observed <- observation{s, r} }
	h := NewSupervisor(zap.NewNop(), Policy{Limit: 1, Window: time.Hour}, helper(t, "obey").launch, watch)
	defer h.Close(t.Context())
	until := func(what string, met func(observation) bool) observation {
		for {
			if o := next(t, what, observed); met(o) {
				return o
			}
		}
	}
	h.Define(report.Definition{Barrier: 7})
	h.Start()
	first := until("the first report", func(o observation) bool { return o.report != nil })
	if first.State != Running || first.report.Watch.Directories != 7 || first.report.PID != first.PID {
		t.Errorf("observed %+v", first)
	}
	syscall.Kill(first.PID, syscall.SIGKILL)
	second := until("the report of the next process", func(o observation) bool { return o.report != nil && o.PID != first.PID })
	if second.Restarts != 1 || second.LastExit != "signal: killed" || second.report.Watch.Directories != 7 {
		t.Errorf("observed %+v", second)
	}
	syscall.Kill(second.PID, syscall.SIGKILL)
	until("failure", func(o observation) bool { return o.State == Failed })
	h.Restart()
	until("the report after the restart", func(o observation) bool { return o.report != nil && o.PID != second.PID })
	h.Stop()
	if o := until("the end", func(o observation) bool { return o.State == Stopped }); o.LastExit != "was stopped" {
		t.Errorf("observed %+v", o.Status)
	}

	s := NewSupervisor(zap.NewNop(), Policy{Limit: 0, Window: time.Hour}, helper(t, "babbler").launch, watch)
	defer s.Close(t.Context())
	s.Start()
	if o := until("failure", func(o observation) bool { return o.State == Failed }); !strings.Contains(o.LastExit, "cannot be understood") {
		t.Errorf("observed %+v", o.Status)
	}
}
