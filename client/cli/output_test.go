package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestStateText(t *testing.T) {
	after := func(d time.Duration) *time.Time { return before(-d) }
	tests := []struct {
		remote report.RemoteStatus
		want   string
	}{
		{report.RemoteStatus{State: report.Starting}, "starting"},
		{report.RemoteStatus{State: report.InSync}, "in sync"},
		{report.RemoteStatus{State: report.Pending, Pending: 12}, "pending 12"},
		{report.RemoteStatus{State: report.Pending, PendingEverything: true}, "pending everything"},
		{report.RemoteStatus{State: report.Syncing}, "syncing"},
		{report.RemoteStatus{State: report.Retrying, NextRetry: after(4 * time.Second)}, "retrying in 4s"},
		{report.RemoteStatus{State: report.Retrying, NextRetry: after(3100 * time.Millisecond)}, "retrying in 4s"},
		{report.RemoteStatus{State: report.Retrying, NextRetry: before(time.Second)}, "retrying now"},
		{report.RemoteStatus{State: report.Retrying}, "retrying now"},
		{report.RemoteStatus{State: report.Offline, NextRetry: after(90 * time.Second)}, "offline, retrying in 90s"},
		{report.RemoteStatus{State: report.Paused}, "paused"},
		{report.RemoteStatus{State: report.Halted}, "halted"},
		{report.RemoteStatus{State: report.Failed}, "failed"},
	}
	for _, test := range tests {
		if got := stateText(test.remote, now); got != test.want {
			t.Errorf("%v: %q, want %q", test.remote.State, got, test.want)
		}
	}
}

// somePlaces are workspaces in all sorts of states.
func somePlaces() []api.WorkspaceStatus {
	remote := func(name, dest string) config.Remote {
		r, err := config.ParseDestination(dest)
		if err != nil {
			panic(err)
		}
		r.Name = name
		return r
	}
	return []api.WorkspaceStatus{
		{
			Workspace: config.Workspace{Name: "docs", LocalPath: "/home/me/docs", Remotes: []config.Remote{
				remote("nas", "me@nas:/backup"), remote("disk", "/mnt/disk"), remote("far", "rsync://far/module"),
			}},
			Monitor: api.MonitorStatus{State: "running", PID: 7, Restarts: 1, LastExit: "exit status 2"},
			Watch:   report.Watch{Armed: true, Backend: "inotify", Lossless: true, Directories: 90, Polled: 10, Problem: "the limit of watches is reached", LinkedOutside: 2},
			Remotes: []report.RemoteStatus{
				{Name: "nas", State: report.InSync, Since: *before(5 * time.Minute), LastSuccess: before(5 * time.Minute), LastFullPass: before(time.Hour), Adopted: true, Strategy: []string{"sftp for small changes", "rsync 3.5.0"}},
				{
					Name: "disk", State: report.Halted, Since: *before(time.Second), Pending: 3, OldestPending: before(3 * time.Second),
					Held: &report.Held{ID: "1", Count: 200, Sample: []string{"a", "b\x1b[2J"}, Reason: "more than half of all entries are gone"},
					Hint: "if this is meant: wsync approve docs disk",
				},
				{
					Name: "far", State: report.Retrying, Since: *before(time.Minute), Pending: 1, NextRetry: before(-2 * time.Second),
					Transfer: &report.Transfer{Kind: "changes", Since: *before(2 * time.Second), Files: 3, TotalFiles: 5, Bytes: 1_234_567, TotalBytes: 9_000_000, Rate: 600_000, Remaining: 13 * time.Second, Path: "media/film"},
					Error:    "Permission denied", ErrorPath: "x/y", Hint: "look there",
				},
			},
		},
		{Workspace: config.Workspace{Name: "new", LocalPath: "/new"}, Monitor: api.MonitorStatus{State: "stopped"}},
		{
			Workspace: config.Workspace{Name: "sad", LocalPath: "/sad", Remotes: []config.Remote{remote("r", "h:/p")}},
			Monitor:   api.MonitorStatus{State: "failed", Restarts: 5, LastExit: "signal: killed"},
			Halted:    &report.Halt{Reason: "/sad is gone", Since: *before(3 * time.Hour)},
			Remotes:   []report.RemoteStatus{{Name: "r", State: report.Failed, Since: *before(49 * time.Hour), PendingEverything: true}},
		},
	}
}

func testPrinter() (p *printer, out *bytes.Buffer) {
	out = new(bytes.Buffer)
	return &printer{out: out, err: out, now: func() time.Time { return now }}, out
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestVerified: when a remote was verified, and what was found, is shown as soon as one was.
func TestVerified(t *testing.T) {
	places := somePlaces()[:1]
	places[0].Remotes[0].Verified = &report.Verification{
		Ended: *before(72 * time.Hour), Files: 1234, Bytes: 5_000_000, Differences: 5, Repaired: 1, Open: 3,
		Found: []report.Difference{{Path: "a", Kind: report.DiffContent, State: report.StateDrift}, {Path: "b", Kind: report.DiffMode, State: report.StateRepaired}},
	}
	places[0].Remotes[1].Verified = &report.Verification{Ended: *before(time.Hour), Files: 1, Differences: 2}
	places[0].Remotes[1].Verifying = &report.Verifying{Since: *before(time.Minute), Files: 1, Bytes: 1000, TotalFiles: 3, TotalBytes: 2_000_000, Error: "no route"}
	p, out := testPrinter()
	p.list(places, false)
	check(t, out.String(), `WORKSPACE  REMOTE  DESTINATION         VERIFIED                STATE           SINCE  ERROR
docs       disk    /mnt/disk           60m ago, 0 differences  halted          1s
docs       far     rsync://far/module  -                       retrying in 2s  60s    x/y: Permission denied
docs       nas     me@nas:/backup      3d ago, 3 differences   in sync         5m
`)
	var b block
	p.verification(&b, places[0].Remotes[0])
	p.verification(&b, places[0].Remotes[1])
	check(t, b.String(), `    verified   3d ago, 3 differences, 1 repaired; 1234 files, 5.0 MB
               content  a
               and 2 more
    verified   60m ago, 0 differences of 2 left; 1 file, 0 B
    verifying  for 60s: 1 of 3 files, 1.0 kB of 2.0 MB; it waits: no route
`)
}

func TestList(t *testing.T) {
	p, out := testPrinter()
	p.list(somePlaces(), false)
	check(t, out.String(), `WORKSPACE  REMOTE  DESTINATION         STATE           SINCE  ERROR
sad        r       h:/p                failed          2d
docs       disk    /mnt/disk           halted          1s
docs       far     rsync://far/module  retrying in 2s  60s    x/y: Permission denied
docs       nas     me@nas:/backup      in sync         5m
new        -       -                   no remotes      -
`)
	out.Reset()
	p.list(somePlaces(), true)
	check(t, out.String(), `WORKSPACE  REMOTE  DESTINATION         STATE           SINCE  PENDING     RESTARTS  PATH           ERROR
sad        r       h:/p                failed          2d     everything  5         /sad
docs       disk    /mnt/disk           halted          1s     3           1         /home/me/docs
docs       far     rsync://far/module  retrying in 2s  60s    1           1         /home/me/docs  x/y: Permission denied
docs       nas     me@nas:/backup      in sync         5m     0           1         /home/me/docs
new        -       -                   no remotes      -      -           0         /new
`)
	out.Reset()
	p.list(nil, false)
	check(t, out.String(), "hint: there is no workspace yet: wsync add NAME PATH\n")
}

func TestStatusText(t *testing.T) {
	p, _ := testPrinter()
	check(t, p.statusText(somePlaces()), `sad  /sad
  monitor      failed after 5 restarts: signal: killed; try again: wsync restart sad
  halted       for 3h: /sad is gone
  r  h:/p
    state      failed, for 2d
    pending    everything
    last sent  never
    full pass  never

docs  /home/me/docs
  watch        10 directories of 100 polled; the limit of watches is reached
  disk  /mnt/disk
    state      halted, for 1s
    pending    3 paths, the oldest for 3s
    held       200 deletions: more than half of all entries are gone
               a
               b\x1b[2J
               and 198 more
    hint       if this is meant: wsync approve docs disk
    last sent  never
    full pass  never
  far  rsync://far/module
    state      retrying in 2s, for 60s
    pending    1 path
    transfer   changes for 2s: 3 of 5 files, 1.2 MB of 9.0 MB, 600.0 kB/s, 13s left, now media/film
    error      x/y: Permission denied
    hint       look there
    last sent  never
    full pass  never
  nas  me@nas:/backup
    state      in sync, for 5m
    last sent  5m ago
    full pass  60m ago, repaired 0

new  /new
  remotes      none yet: wsync attach new REMOTE DEST

3 workspaces, 4 remotes: 1 failed, 1 held, 1 failing, 1 in sync
`)
}

func TestInfo(t *testing.T) {
	p, out := testPrinter()
	place := somePlaces()[0]
	place.Remotes = place.Remotes[:1]
	p.info(place)
	check(t, out.String(), `docs  /home/me/docs
  on empty     halt
  left out     built-in rules, .wsyncignore files
  monitor      running, pid 7, 1 restart, the last end: exit status 2
  watch        inotify, 90 directories watched, 10 polled, events lost never
  hard links   2 files have names outside as well; what is written by such a name is found by full passes only
  nas  me@nas:/backup
    state      in sync, for 5m
    last sent  5m ago
    full pass  60m ago, repaired 0
    strategy   sftp for small changes
               rsync 3.5.0
`)
}

// What the rules are, and what is wrong with them.
func TestIgnoreTexts(t *testing.T) {
	for want, w := range map[string]config.Workspace{
		"built-in rules, .wsyncignore files":                {},
		".wsyncignore files":                                {NoDefaultIgnores: true},
		"built-in rules, .git, .wsyncignore files":          {SkipGit: true},
		"built-in rules, .gitignore and .wsyncignore files": {GitIgnore: true},
		"built-in rules, .git, directories with CACHEDIR.TAG, directories with b, *.o, !a, .gitignore and .wsyncignore files": {
			SkipGit: true, GitIgnore: true, Ignore: []string{"*.o", "!a"}, IgnoreTagged: []string{"CACHEDIR.TAG", "b"},
		},
	} {
		if got := leftOut(w); got != want {
			t.Errorf("%+v: %q, want %q", w, got, want)
		}
	}

	p, out := testPrinter()
	place := somePlaces()[0]
	place.Workspace.SkipGit = true
	place.Watch.IgnoreProblems = []string{`.gitignore:3: a [ has no ] after it: "[\x1b"`, "sub/.wsyncignore: permission denied"}
	place.Watch.IgnoreProblemCount = 12
	place.Remotes = place.Remotes[:1]
	place.Remotes[0].Kept = &report.Kept{Count: 1, Sample: []string{"a\tb"}}
	p.info(place)
	if want := `  left out     built-in rules, .git, .wsyncignore files
`; !strings.Contains(out.String(), want) {
		t.Errorf("%s\nlacks\n%s", out, want)
	}
	const problems = `  ignore rules 12 problems; what cannot be read ignores nothing
               .gitignore:3: a [ has no ] after it: "[\x1b"
               sub/.wsyncignore: permission denied
               and 10 more
`
	const kept = `    kept       1 directory gone here, for what is ignored there
               a\tb
    last sent  5m ago
`
	for _, text := range []string{out.String(), p.statusText([]api.WorkspaceStatus{place})} {
		if !strings.Contains(text, problems) || !strings.Contains(text, kept) {
			t.Errorf("%s\nlacks\n%s\nor\n%s", text, problems, kept)
		}
	}
	place.Remotes[0].Kept = &report.Kept{Count: 12, Sample: []string{"a", "b"}}
	if text, want := p.statusText([]api.WorkspaceStatus{place}), `    kept       12 directories gone here, for what is ignored there
               a
               b
               and 10 more
`; !strings.Contains(text, want) {
		t.Errorf("%s\nlacks\n%s", text, want)
	}
}

func TestWatchText(t *testing.T) {
	tests := []struct {
		state string
		watch report.Watch
		want  string
	}{
		{"running", report.Watch{Armed: true, Backend: "inotify", Lossless: true, Directories: 5}, ""},
		{"running", report.Watch{Backend: "inotify", Lossless: true, Directories: 5}, "starting, 5 directories so far"},
		{"running", report.Watch{Armed: true, Backend: "notify", Directories: 5}, "notify may miss events, full passes follow each burst"},
		{"stopped", report.Watch{}, ""},
	}
	for _, test := range tests {
		status := api.WorkspaceStatus{Monitor: api.MonitorStatus{State: test.state}, Watch: test.watch}
		if got := watchText(status); got != test.want {
			t.Errorf("%+v: %q, want %q", test.watch, got, test.want)
		}
	}
}

func TestMonitorText(t *testing.T) {
	status := api.MonitorStatus{State: "backing off", LastExit: "exit status 1", NextStart: before(-time.Second)}
	if got, want := monitorText("w", status, now), "died: exit status 1; starting again in 1s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A crash is told of when all works again, and not beside a failure that has its own words.
func TestCrashText(t *testing.T) {
	monitor := api.MonitorStatus{State: "running", Crashes: &api.Crashes{Count: 3, Last: *before(5 * time.Minute), LastExit: "signal: killed\x1b"}}
	var b block
	b.crashes(monitor, now)
	monitor.Crashes.Count = 1
	b.crashes(monitor, now)
	monitor.State, monitor.LastExit = "backing off", monitor.Crashes.LastExit
	b.crashes(monitor, now)
	monitor.State = "failed"
	b.crashes(monitor, now)
	b.crashes(api.MonitorStatus{}, now)
	check(t, b.String(), `  crashes      the monitor crashed 3 times, last 5m ago: signal: killed\x1b
  crashes      the monitor crashed once, last 5m ago: signal: killed\x1b
  crashes      the monitor crashed once, last 5m ago
`)
}

// fullDisk is an io.Writer that nothing can be written to.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestUnwritten(t *testing.T) {
	home := home(t)
	serve(t, home, &fakeDaemon{status: api.Status{Daemon: api.DaemonStatus{Version: "test"}, Workspaces: somePlaces()}})
	log := filepath.Join(home, ".wsync", "log", "daemon.log")
	if err := os.MkdirAll(filepath.Dir(log), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, []byte("a line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"status", "status --json", "status --watch", "list", "list --json", "info docs --json", "daemon status", "logs", "pause docs",
		"help", "--help", "version", "--version",
	} {
		var errors bytes.Buffer
		code := run(t.Context(), Deps{
			Args: append([]string{"wsync"}, strings.Fields(args)...), Stdout: fullDisk{}, Stderr: &errors, Version: "test",
			Env: func(name string) string { return map[string]string{"HOME": home}[name] },
		})
		if want := "wsync: cannot print the result: no space left on device\n"; code != 1 || errors.String() != want {
			t.Errorf("%s: exit code %d, stderr %q, want %q", args, code, errors.String(), want)
		}
	}
}

func TestColour(t *testing.T) {
	p, _ := testPrinter()
	p.colour = true
	if got, want := p.paint(stateColour(report.InSync), "in sync"), "\x1b[32min sync\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if p := newPrinter(new(bytes.Buffer), nil, func(string) string { return "" }); p.colour {
		t.Error("colours although it is no terminal")
	}
}

func TestPlain(t *testing.T) {
	if got, want := plain("ä\x1b[31m\r\u202e b\xff"), `ä\x1b[31m\r\u202e b�`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShort(t *testing.T) {
	deep := strings.Repeat("directory/", 400)
	for s, want := range map[string]string{
		"":                       "",
		"d/x: Permission denied": "d/x: Permission denied",
		strings.Repeat("x", 100): strings.Repeat("x", 100),
		strings.Repeat("ä", 101): strings.Repeat("ä", 49) + "…" + strings.Repeat("ä", 49),
		deep + "x: too long":     deep[:49] + "…" + deep[len(deep)-47:] + "x: too long",
	} {
		if got := short(s); got != want {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := short(strings.Repeat("word ", 1000)); len([]rune(got)) > shortText {
		t.Errorf("%d characters are left", len([]rune(got)))
	}
	remote := report.RemoteStatus{ErrorPath: deep + "x", Error: "mkstemp \"" + deep + "x\" failed: File name too long (36)"}
	if got := problemText(remote); len([]rune(got)) > 2*shortWord+60 || !strings.HasSuffix(got, "failed: File name too long (36)") {
		t.Errorf("%d characters: %q", len([]rune(got)), got)
	}
}

func TestUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1900 * time.Millisecond: "1s", 119 * time.Second: "119s", 2 * time.Minute: "2m",
		119 * time.Minute: "119m", 2 * time.Hour: "2h", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_550_000: "1.6 MB", 5e15: "5000.0 TB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) is %q, want %q", n, got, want)
		}
	}
}

func TestLogText(t *testing.T) {
	tests := []struct{ line, source, want string }{
		{
			`{"level":"info","ts":"2026-05-06T04:05:06.123Z","logger":"watchdog","msg":"monitor started","pid":12,"path":"/a b","empty":"","list":[1,"x"]}`, "",
			`2026-05-06 04:05:06.123 info  monitor started logger=watchdog pid=12 path="/a b" empty="" list=[1,"x"]`,
		},
		{
			`{"level":"error","ts":"2026-05-06T04:05:06.123+02:00","msg":"a\u001bb","stacktrace":"one\n\ttwo"}`, "",
			"2026-05-06 02:05:06.123 error a\\x1bb\none\n    two",
		},
		{`{"level":"info","ts":"2026-05-06T04:05:06Z","logger":"monitor","msg":"m","workspace":"w","remote":"r"}`, "w", "2026-05-06 04:05:06.000 info  w  m remote=r"},
		{`{"level":"info","ts":"2026-05-06T04:05:06Z","logger":"daemon","msg":"m","workspace":"w"}`, "daemon", "2026-05-06 04:05:06.000 info  daemon  m workspace=w"},
		{`{"level":"warn","ts":17,"msg":"odd time"}`, "", `17 warn  odd time`},
		{"panic: \x1b[31mno", "w", `panic: \x1b[31mno`},
		{"\tmain.go:3 +0x1", "w", "    main.go:3 +0x1"},
		{"{not json", "", "{not json"},
	}
	for _, test := range tests {
		check(t, logText([]byte(test.line), time.UTC, test.source), test.want)
	}
}
