package hook

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

const patience = 30 * time.Second

// testRunner is a Runner that is at work in a directory.
type testRunner struct {
	*Runner
	t       *testing.T
	dir     string
	changed chan struct{}
	end     func()
}

func startRunner(t *testing.T, dir, command string, timeout time.Duration) *testRunner {
	t.Helper()
	changed := make(chan struct{}, 1)
	r := &testRunner{t: t, dir: dir, changed: changed, Runner: New(Options{
		Log: zap.NewNop(), Environment: func() []string { return nil }, File: filepath.Join(dir, "kept"),
		Changed: func(bool) {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
		Happened: func(report.Event) {},
	})}
	r.define(command, timeout)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); r.Run(ctx) }()
	r.end = func() { cancel(); <-ended }
	t.Cleanup(r.end)
	return r
}

func (r *testRunner) define(command string, timeout time.Duration) {
	r.Define(Definition{
		Workspace: "docs", Directory: r.dir, Local: command, Timeout: timeout,
		Remote: config.Remote{Name: "disk", RemotePath: "/mirror", Connection: config.Connection{Local: &config.Local{}}},
	})
}

func (r *testRunner) take(names string) {
	r.Take(ReadLines(strings.ReplaceAll(names, " ", "\n")), true)
}

// until waits until the status is as wanted.
func (r *testRunner) until(what string, met func(report.HookStatus) bool) report.HookStatus {
	r.t.Helper()
	late := time.After(patience)
	for {
		s := r.Status()
		if s != nil && met(*s) {
			return *s
		}
		select {
		case <-r.changed:
		case <-late:
			r.t.Fatalf("%s did not happen: %+v", what, s)
		}
	}
}

func (r *testRunner) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func runs(n int) func(report.HookStatus) bool {
	return func(s report.HookStatus) bool { return s.Runs == n && s.Running == nil }
}

// TestRunner: what comes while a run is under way is told the next one; what one was told
// that failed is told again.
func TestRunner(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("mkfifo", filepath.Join(dir, "go")).Run(); err != nil {
		t.Fatal(err)
	}
	r := startRunner(t, dir, `sh -c 'read x <go; { echo "$WSYNC_EVENT $WSYNC_WORKSPACE $WSYNC_REMOTE $WSYNC_PATHS $PWD"; cat; } >>told; exit $x'`, patience)
	goOn := func(status string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte(status+"\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
	r.take("a")
	r.until("a run", func(s report.HookStatus) bool { return s.Running != nil })
	r.take("b")
	r.take("c b")
	goOn("0")
	r.until("another run", func(s report.HookStatus) bool { return s.Runs == 1 && s.Running != nil })
	goOn("3")
	s := r.until("the end", runs(2))
	if s.Error != "on-sync: exit status 3" || s.Failures != 1 || s.Waiting != 2 || s.Ended == nil {
		t.Errorf("after a failure: %+v", s)
	}
	r.take("d")
	goOn("0")
	if s = r.until("the third run", runs(3)); s.Error != "" || s.Waiting != 0 {
		t.Errorf("at last: %+v", s)
	}
	head := " " + dir + "\n"
	want := "sync docs disk 1" + head + "a\nsync docs disk 2" + head + "b\nc\nsync docs disk 3" + head + "b\nc\nd\n"
	if got := r.read("told"); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestRunnerEnds what hangs, with all that it has started, and what is under way at its own
// end, of which the next one is told.
func TestRunnerEnds(t *testing.T) {
	dir := t.TempDir()
	const hangs = `sh -c 'trap "" TERM; (trap "" TERM; sleep 1000; sleep 1000) & echo $! >pid; wait; wait'`
	r := startRunner(t, dir, hangs, time.Second)
	r.take("a")
	s := r.until("the end", runs(1))
	if s.Error != "on-sync: it was ended, because it took longer than 1s (OnSyncTimeout)" {
		t.Errorf("%+v", s)
	}
	pid := strings.TrimSpace(r.read("pid"))
	remotetest.Poll(t, "the end of what the command has started", func() bool {
		out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
		return err != nil || strings.HasPrefix(string(out), "Z") // somebody has not noticed yet
	})
	r.define(`sh -c 'sleep 1000'`, patience)
	r.take("b")
	r.until("a run", func(s report.HookStatus) bool { return s.Running != nil })
	r.take("c")
	r.end()
	if got := r.read("kept"); got != "a\nb\nc\n" {
		t.Errorf("kept is %q", got)
	}
	next := startRunner(t, dir, `sh -c 'cat >told'`, patience)
	next.until("a run", runs(1))
	if got := next.read("told"); got != "a\nb\nc\n" {
		t.Errorf("the next one told %q", got)
	}
	next.end()
	if _, err := os.Lstat(filepath.Join(dir, "kept")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it is still kept what was told:", err)
	}
}

// TestWhatWasNotBegunHasFailed: a run that ends before its command begins was told to nobody.
func TestWhatWasNotBegunHasFailed(t *testing.T) {
	r := startRunner(t, t.TempDir(), "true", patience)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.runAll(ctx, r.definition, ReadLines("a")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestRunnerGivesUp a command for another one, which is told the same.
func TestRunnerGivesUp(t *testing.T) {
	dir := t.TempDir()
	r := startRunner(t, dir, "sh -c 'sleep 1000'", patience)
	r.take("a")
	r.until("a run", func(s report.HookStatus) bool { return s.Running != nil })
	r.define("sh -c 'cat >told'", patience)
	if s := r.until("the other one", runs(1)); s.Failures != 0 || s.Error != "" || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	if got := r.read("told"); got != "a\n" {
		t.Errorf("told %q", got)
	}
	r.define("sh -c 'sleep 1000'", patience)
	r.take("b")
	r.until("a run", func(s report.HookStatus) bool { return s.Running != nil })
	r.Define(Definition{})
	r.define("sh -c 'cat >told'", patience)
	r.take("c")
	r.until("the last one", runs(2))
	if got := r.read("told"); !strings.HasSuffix(got, "c\n") {
		t.Errorf("told %q", got)
	}
}

// TestRunnerTellsTheNextCommand what one was told that failed, at once.
func TestRunnerTellsTheNextCommand(t *testing.T) {
	r := startRunner(t, t.TempDir(), "false", patience)
	r.take("a")
	r.until("a failure", func(s report.HookStatus) bool { return s.Error != "" })
	r.define("sh -c 'cat >told'", patience)
	if s := r.until("the other one", runs(2)); s.Error != "" || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	if got := r.read("told"); got != "a\n" {
		t.Errorf("told %q", got)
	}
	r.define("true", patience)
	if s := r.Status(); s.Ended != nil || s.Took != 0 || s.Runs != 2 {
		t.Errorf("of a command that has not run yet it is said how it ended: %+v", s)
	}
}

func TestRunnerSays(t *testing.T) {
	dir := t.TempDir()
	for command, want := range map[string]string{
		`sh -c 'echo out; echo "no such site" >&2; exit 2'`: "on-sync: exit status 2: no such site",
		`sh -c 'yes | head -c 100000; kill -9 $$'`:          "on-sync: signal: killed: y",
		"/nowhere/program":                  "on-sync: fork/exec /nowhere/program: no such file or directory",
		"true":                              "",
		"sh -c 'sleep 1000 & echo $! >pid'": "",
	} {
		r := startRunner(t, dir, command, patience)
		r.take("a")
		if s := r.until("the end", runs(1)); s.Error != want {
			t.Errorf("%s: %q, want %q", command, s.Error, want)
		}
		r.Define(Definition{})
		if r.Status() != nil {
			t.Errorf("%s: there is a status without a command", command)
		}
		r.end()
	}
	left := strings.TrimSpace(func() string { b, _ := os.ReadFile(filepath.Join(dir, "pid")); return string(b) }())
	if err := exec.Command("kill", left).Run(); err != nil {
		t.Error("what a command leaves behind that was well is ended:", err)
	}
}

// TestThereLine has the line for the other side run by a shell.
func TestThereLine(t *testing.T) {
	home := t.TempDir()
	dest := filepath.Join(home, "it's $HOME")
	program := filepath.Join(home, "bin dir/program")
	if err := errors.Join(os.Mkdir(dest, 0o755), os.Mkdir(filepath.Dir(program), 0o755),
		os.WriteFile(program, []byte("#!/bin/sh\necho home \"$@\"\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(home, "bare") // without timeout(1)
	if err := os.Mkdir(bare, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"sh", "env", "sleep", "cat"} {
		path, err := exec.LookPath(program)
		if err == nil {
			err = os.Symlink(path, filepath.Join(bare, program))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		path, command, want string
		timeout             time.Duration
	}{
		{dest, `sh -c 'pwd; echo "$WSYNC_REMOTE $WSYNC_PATHS $1"; cat' sh "a  b"`, dest + "\nbox 1 a  b\nname\n", patience},
		{"it's $HOME", "pwd", dest + "\n", patience},
		{dest, `"~/bin dir/program" x`, "home x\n", patience},
		{dest, "sleep 1000", "exit status 124", time.Second},
		{dest, "sh -c 'exit 7'", "exit status 7", patience},
		{"nowhere", "pwd", "exit status ", patience},
	} {
		d := Definition{Workspace: "docs", There: test.command, Timeout: test.timeout, Remote: config.Remote{
			Name: "box", RemotePath: test.path, Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "box"}},
		}}
		for _, path := range []string{os.Getenv("PATH"), bare} {
			cmd := exec.Command("/bin/sh", "-c", d.thereLine(ReadLines("name")))
			cmd.Dir, cmd.Env, cmd.Stdin = home, append(os.Environ(), "HOME="+home, "PATH="+path), strings.NewReader("name\n")
			out, err := cmd.Output()
			got := string(out)
			if err != nil {
				got = err.Error()
			}
			if got != test.want && !(test.path == "nowhere" && strings.HasPrefix(got, test.want)) {
				t.Errorf("%s, PATH=%s: %q, want %q", test.command, path, got, test.want)
			}
		}
	}
}
