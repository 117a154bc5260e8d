package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"wsync/daemon/api"
	"wsync/monitor/remotetest"
)

// scriptCommands are the commands that scripts have beyond testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	// sshd NAME [LINE...]: start an sshd, with further lines of configuration.
	// `ssh NAME` reaches it. Sets $NAME_PORT and $NAME_KEY (in capitals), the
	// file of the private key, and $SSH_USER.
	"sshd": cmdSSHD,
	// rsyncd MODULE DIR [USER:PASSWORD]: start an rsync daemon. Sets $RSYNCD_PORT.
	"rsyncd": cmdRsyncd,
	// stop-server NAME, start-server NAME: an outage of an sshd or of a
	// module's rsync daemon; cut-server kills its connections alone.
	"stop-server":  onServer((server).Stop),
	"start-server": onServer((server).Restart),
	"cut-server":   onServer((server).KillConnections),
	// rekey-server NAME: the sshd has another host key from now on, which ssh does not
	// expect; the second time it has the first one again.
	"rekey-server": cmdRekeyServer,
	// sent [WORKSPACE [REMOTE]]: `wsync wait`, after which "alike" holds, which is
	// "same" but for the fractions of a second that sftp cannot carry.
	// insync [WORKSPACE [REMOTE]]: `wsync wait --confirmed`, which is the barrier between
	// a change and a look at the remote; a failure shows the status.
	"insync": cmdInSync,
	"sent":   cmdSent,
	"alike":  comparison("alike", remotetest.CompareSent),
	// same-seconds A B: the two trees are equal, but for fractions of a second.
	"same-seconds": comparison("same-seconds", remotetest.CompareSeconds),
	// exits CODE PROGRAM [ARGUMENT...]: the program ends with the exit code.
	"exits": cmdExits,
	// [!] same A B: the two trees are equal.
	"same": cmdSame,
	// eventually COMMAND...: the command succeeds sooner or later. It is a
	// program, or `same`.
	"eventually": cmdEventually,
	// gotree DIR: fill a directory with a few thousand files.
	"gotree": cmdGoTree,
	// oddnames DIR: fill a directory with files of odd names.
	"oddnames": cmdOddNames,
	// killmonitor WORKSPACE, killdaemon: kill -9.
	"killmonitor": cmdKillMonitor,
	"killdaemon":  cmdKillDaemon,
	// stopmonitor WORKSPACE, continuemonitor WORKSPACE: SIGSTOP and SIGCONT.
	"stopmonitor":     cmdStopMonitor,
	"continuemonitor": cmdContinueMonitor,
	// flood FILE: make more events about a new file than the kernel's queue
	// holds.
	"flood": cmdFlood,
	// noprocess: no process of this home directory is left, or soon will be.
	"noprocess": cmdNoProcess,
	// mapstore FILE TEXT COMMAND...: map a file into memory and close it, run the
	// command, then store the text through the mapping: no event tells of it.
	"mapstore": cmdMapStore,
	// scrape FILE: write the metrics to a file.
	"scrape": cmdScrape,
	// isjson FILE: the file, "stdout" for example, is one JSON document.
	"isjson": cmdIsJSON,
}

// servers are the servers of one script.
type servers struct {
	tb     testing.TB
	bin    string // the directory of the ssh wrapper
	sshds  map[string]*remotetest.SSHD
	byName map[string]server
}

// serversKey is where testscript.Env.Values has them.
type serversKey struct{}

type server interface {
	Stop()
	Restart()
	KillConnections()
}

func serversOf(ts *testscript.TestScript) *servers {
	return ts.Value(serversKey{}).(*servers)
}

func (s *servers) add(ts *testscript.TestScript, name string, added server) {
	if s.byName[name] != nil {
		ts.Fatalf("there is a server %s already", name)
	}
	if s.byName == nil {
		s.byName = make(map[string]server)
	}
	s.byName[name] = added
}

// scriptT is a script as remotetest sees it: it fails like a command, and its
// servers outlive the commands that started them.
type scriptT struct {
	testing.TB
	ts *testscript.TestScript
}

func (t scriptT) Fatalf(format string, args ...any) { t.ts.Fatalf(format, args...) }

func cmdSSHD(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 1, "sshd NAME [LINE...]")
	s, name := serversOf(ts), args[0]
	t := scriptT{s.tb, ts}
	started := remotetest.StartSSHD(t, remotetest.SSHDOptions{Config: args[1:]})
	s.add(ts, name, started)
	if s.sshds == nil {
		s.sshds = make(map[string]*remotetest.SSHD)
	}
	s.sshds[name] = started
	remotetest.WriteWrapper(t, s.bin, s.sshds)
	ts.Setenv(strings.ToUpper(name)+"_PORT", fmt.Sprint(started.Port))
	ts.Setenv(strings.ToUpper(name)+"_KEY", started.Identity)
	ts.Setenv("SSH_USER", started.User)
}

func cmdRekeyServer(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "rekey-server NAME")
	s := serversOf(ts).sshds[args[0]]
	if s == nil {
		ts.Fatalf("there is no sshd %s", args[0])
	}
	s.ChangeHostKey()
}

func cmdRsyncd(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2 || len(args) == 3, "rsyncd MODULE DIR [USER:PASSWORD]")
	s, options := serversOf(ts), remotetest.RsyncDaemonOptions{}
	if len(args) == 3 {
		user, password, _ := strings.Cut(args[2], ":")
		options.Users = map[string]string{user: password}
	}
	modules := map[string]string{args[0]: ts.MkAbs(args[1])}
	started := remotetest.StartRsyncDaemon(scriptT{s.tb, ts}, modules, options)
	s.add(ts, args[0], started)
	ts.Setenv("RSYNCD_PORT", fmt.Sprint(started.Port))
}

// onServer makes a command with one argument, the name of a server.
func onServer(do func(server)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		usage(ts, neg, len(args) == 1, "(stop|start|cut)-server NAME")
		s := serversOf(ts).byName[args[0]]
		if s == nil {
			ts.Fatalf("there is no server %s", args[0])
		}
		do(s)
	}
}

func cmdInSync(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) <= 2, "insync [WORKSPACE [REMOTE]]")
	wait(ts, append([]string{"--confirmed"}, args...))
}

func cmdScrape(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "scrape FILE")
	socket := ts.MkAbs("home/.wsync/daemon.sock")
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://wsync/metrics")
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

func cmdSent(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) <= 2, "sent [WORKSPACE [REMOTE]]")
	wait(ts, args)
}

func wait(ts *testscript.TestScript, args []string) {
	wait := append([]string{"wait", "--timeout", (3 * patience).String()}, args...)
	if err := ts.Exec("wsync", wait...); err != nil {
		_ = ts.Exec("wsync", "status") // for the log
		ts.Fatalf("wsync wait: %v", err)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "exits CODE PROGRAM [ARGUMENT...]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("cannot run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, false, len(args) == 2, "[!] same A B")
	differences := compare(ts, args)
	switch {
	case neg && differences == nil:
		ts.Fatalf("%s and %s are equal", args[0], args[1])
	case !neg && differences != nil:
		ts.Fatalf("%s and %s differ:\n%s", args[0], args[1], strings.Join(differences, "\n"))
	}
}

func comparison(name string, compare func(a, b string) []string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		usage(ts, neg, len(args) == 2, name+" A B")
		if differences := compare(ts.MkAbs(args[0]), ts.MkAbs(args[1])); differences != nil {
			ts.Fatalf("%s and %s differ:\n%s", args[0], args[1], strings.Join(differences, "\n"))
		}
	}
}

func compare(ts *testscript.TestScript, args []string) []string {
	return remotetest.CompareTrees(ts.MkAbs(args[0]), ts.MkAbs(args[1]))
}

func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 1, "eventually COMMAND [ARGUMENT...]")
	var problem string
	try := func() bool {
		problem = ""
		switch {
		case args[0] == "same" && len(args) == 3:
			problem = strings.Join(compare(ts, args[1:]), "\n")
		case args[0] == "exec" || args[0] == "same":
			ts.Fatalf("usage: eventually same A B, or eventually PROGRAM [ARGUMENT...]")
		default:
			if err := ts.Exec(args[0], args[1:]...); err != nil {
				problem = err.Error()
			}
		}
		return problem == ""
	}
	if !pollUntil(patience, try) {
		ts.Fatalf("not within %v: %s", patience, problem)
	}
}

func cmdGoTree(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "gotree DIR")
	files, err := remotetest.GoTree(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Logf("%d files", files)
}

// oddNames are names that programs on the way might take for something else.
var oddNames = []string{
	"-rf", "--delete", "#comment", ";comment", " leading", "trailing ", "two  blanks", "line\nbreak", "return\r",
	"tab\t", "*", "?", "[a-z]", "{a,b}", "$HOME", "`id`", "$(id)", "a'b", `a"b`, `a\b`, `\n`, `\#012`, "a:b", "host::module",
	"~", "...", ".hidden", "!", "%41", "\x01\x1b[31m", "grüße", "gru\u0308ße", "日本語", "🙂",
	"\xff\xfe", "\xc3", ".~tmp~", ".file.AbC123", "name~", strings.Repeat("n", 255),
}

func cmdOddNames(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "oddnames DIR")
	dir := ts.MkAbs(args[0])
	made := 0
	for i, name := range oddNames {
		parent := dir
		if i%2 == 1 { // every second name is the name of a directory, too
			parent = filepath.Join(dir, "below", name)
		}
		err := os.MkdirAll(parent, 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(parent, name), []byte(name), 0o644)
		}
		// Not every file system takes every name; macOS's insist on UTF-8.
		if errors.Is(err, syscall.EILSEQ) {
			continue
		}
		ts.Check(err)
		made++
	}
	ts.Logf("%d of %d names", made, len(oddNames))
}

func cmdKillMonitor(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "killmonitor WORKSPACE")
	kill9(ts, monitorPID(ts, args[0]))
}

func cmdKillDaemon(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "killdaemon")
	ts.Check(ts.Exec("wsync", "daemon", "status", "--json"))
	var status api.DaemonStatus
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &status))
	kill9(ts, status.PID)
}

// kill9 kills a process and returns when it is gone.
func kill9(ts *testscript.TestScript, pid int) {
	if pid <= 1 {
		ts.Fatalf("the status has the process id %d", pid)
	}
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	if !pollUntil(patience, func() bool { return ended(pid) }) {
		ts.Fatalf("process %d outlives kill -9", pid)
	}
}

// ended reports whether a process is gone, or a zombie that only its parent can
// take away.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func cmdNoProcess(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "noprocess")
	if left := leftBehind(ts.Getenv("HOME")); len(left) > 0 {
		ts.Fatalf("processes are left: %q", left)
	}
}

func cmdIsJSON(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "isjson FILE")
	var document any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &document); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
}

// usage ends a script that calls a command wrongly.
func usage(ts *testscript.TestScript, neg, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdMapStore(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 3, "mapstore FILE TEXT COMMAND...")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	memory, err := syscall.Mmap(int(f.Fd()), 0, len(args[1]), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	ts.Check(err)
	ts.Check(f.Close())
	ts.Check(ts.Exec(args[2], args[3:]...))
	copy(memory, args[1])
	// The end of the mapping is the end of an open file, which is an event.
	ts.Defer(func() { ts.Check(syscall.Munmap(memory)) })
}
