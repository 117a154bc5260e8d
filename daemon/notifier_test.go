package daemon

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"wsync/monitor/report"
)

// fakeState is the daemon's state for a notifier.
type fakeState struct {
	mu       sync.Mutex
	subjects []subject
	changed  chan struct{}
}

func (f *fakeState) get() ([]subject, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]subject(nil), f.subjects...), f.changed
}

// set gives each named remote a state; "disk:h" is halted.
func (f *fakeState) set(remotes ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subjects = nil
	for _, r := range remotes {
		name, letter, _ := strings.Cut(r, ":")
		s := letterStatus(letter[0], time.Now())
		s.Name = name
		f.subjects = append(f.subjects, subject{"docs", "/docs", "/mirror", s})
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// valueOf returns a variable of an environment.
func valueOf(variables []string, name string) string {
	for _, v := range variables {
		if value, ok := strings.CutPrefix(v, "WSYNC_"+name+"="); ok {
			return value
		}
	}
	return ""
}

func TestNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := &fakeState{changed: make(chan struct{})}
		hangs := make(chan struct{})
		var mu sync.Mutex
		var told []string
		running, most := 0, 0
		n := &notifier{log: zap.NewNop(), delay: time.Minute, command: func(ctx context.Context, variables []string) error {
			mu.Lock()
			told = append(told, valueOf(variables, "REMOTE")+" "+valueOf(variables, "EVENT"))
			running++
			most = max(most, running)
			mu.Unlock()
			if strings.HasPrefix(valueOf(variables, "REMOTE"), "hangs") {
				select {
				case <-hangs:
				case <-ctx.Done():
				}
			}
			mu.Lock()
			running--
			mu.Unlock()
			if strings.HasPrefix(valueOf(variables, "REMOTE"), "fails") {
				return errForTest
			}
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); n.run(ctx, state.get) }()
		expect := func(after time.Duration, want ...string) {
			t.Helper()
			time.Sleep(after) // of the bubble's clock
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if strings.Join(told, ", ") != strings.Join(want, ", ") {
				t.Errorf("told %q, expected %q", told, want)
			}
			told = nil
		}
		state.set("disk:o", "nas:i")
		expect(50 * time.Second)
		expect(20*time.Second, "disk trouble") // without any change
		state.set("disk:i", "nas:h")
		expect(time.Second, "nas trouble")
		expect(2*time.Minute, "disk well")
		// Detached and attached again is another one.
		state.set("disk:i")
		expect(time.Second)
		state.set("disk:i", "nas:h")
		expect(time.Second, "nas trouble")
		// While a command hangs there is no second one for that remote, and
		// others are told of.
		state.set("hangs:h")
		expect(time.Second, "hangs trouble")
		state.set("hangs:i")
		expect(time.Hour)
		state.set("hangs:i", "disk:h")
		expect(time.Second, "disk trouble")
		hangs <- struct{}{}
		expect(time.Second, "hangs well")
		hangs <- struct{}{}
		// One that cannot be run is shown until it can.
		state.set("fails:h")
		expect(time.Second, "fails trouble")
		if got := n.why(); got != errForTest.Error() {
			t.Errorf("the problem is %q", got)
		}
		state.set("disk:h")
		expect(time.Second, "disk trouble")
		if got := n.why(); got != "" {
			t.Errorf("the problem is %q", got)
		}
		// Many at once take turns.
		most = 0
		state.set("hangs1:h", "hangs2:h", "hangs3:h", "hangs4:h", "hangs5:h", "hangs6:h")
		time.Sleep(time.Second) // of the bubble's clock
		synctest.Wait()
		if running != maxCommands || most != maxCommands {
			t.Errorf("%d commands run at a time, %d now", most, running)
		}
		cancel()
		<-ended
		if running != 0 {
			t.Errorf("%d commands outlive the notifier", running)
		}
	})
}

// TestVerificationIsTold once for each that was made in the background and has found
// something since the daemon began.
func TestVerificationIsTold(t *testing.T) {
	began := time.Now()
	var told []string
	tell := func(_ remoteKey, variables []string) {
		told = append(told, valueOf(variables, "EVENT")+" "+valueOf(variables, "MESSAGE")+" "+valueOf(variables, "DIFFERENCES")+" "+valueOf(variables, "HINT"))
	}
	found := []report.Difference{{Path: "a"}}
	const hint = "wsync verify docs disk --repair"
	for _, test := range []struct {
		name string
		v    *report.Verification
		want string
	}{
		{"nothing is known", nil, ""},
		{"before the daemon", &report.Verification{Ended: began.Add(-time.Second), Background: true, Differences: 1}, ""},
		{"by hand", &report.Verification{Ended: began.Add(time.Second), Differences: 1}, ""},
		{"nothing", &report.Verification{Ended: began.Add(time.Second), Background: true}, ""},
		{"one", &report.Verification{Ended: began.Add(time.Second), Background: true, Differences: 1, Open: 1, Found: found}, "differs docs/disk: a verification has found 1 difference: a 1 " + hint},
		{"repaired", &report.Verification{Ended: began.Add(time.Second), Background: true, Differences: 3, Repaired: 3, Found: found}, "differs docs/disk: a verification has found 3 differences, being repaired: a 0 "},
		{"in part", &report.Verification{Ended: began.Add(time.Second), Background: true, Differences: 3, Repaired: 1, Open: 2}, "differs docs/disk: a verification has found 3 differences, 1 being repaired 2 " + hint},
	} {
		n := &notifier{delay: time.Minute, since: began, notices: make(map[remoteKey]notice), running: make(map[remoteKey]bool)}
		told = nil
		status := letterStatus('i', began)
		status.Name, status.Verified = "disk", test.v
		for range 2 {
			n.look([]subject{{"docs", "/docs", "/mirror", status}}, began.Add(time.Minute), tell)
		}
		if got := strings.Join(told, "; "); got != test.want {
			t.Errorf("%s: told %q, want %q", test.name, got, test.want)
		}
	}
}

func TestSubjectVariables(t *testing.T) {
	held := letterStatus('h', time.Now())
	held.Held, held.Hint = &report.Held{Count: 7}, "decide"
	path := letterStatus('e', time.Now())
	path.ErrorPath, path.Hint = "a\x00b", "look"
	long := letterStatus('o', time.Now())
	long.Error = strings.Repeat("x", 1<<20)
	for _, test := range []struct {
		status report.RemoteStatus
		want   map[string]string
	}{
		{letterStatus('i', time.Now()), map[string]string{"EVENT": "well", "STATE": "in sync", "MESSAGE": "docs/disk is in sync", "HINT": "", "ERROR": "",
			"WORKSPACE": "docs", "LOCAL_PATH": "/docs", "REMOTE": "disk", "DESTINATION": "/mirror", "HELD": "0"}},
		{letterStatus('h', time.Now()), map[string]string{"EVENT": "trouble", "STATE": "halted", "ERROR": "gone", "MESSAGE": "docs/disk is halted: gone",
			"HINT": "wsync status docs"}},
		{held, map[string]string{"HELD": "7", "HINT": "decide"}},
		{path, map[string]string{"EVENT": "trouble", "STATE": "syncing", "ERROR_PATH": "a b", "HINT": "look", "MESSAGE": "docs/disk cannot send everything: a b: no"}},
		{letterStatus('o', time.Now()), map[string]string{"STATE": "offline", "HINT": "wsync status docs"}},
		{long, map[string]string{"ERROR": strings.Repeat("x", maxVariable)}},
	} {
		got := subject{"docs", "/docs", "/mirror", test.status}.variables()
		for name, want := range test.want {
			if value := valueOf(got, name); value != want {
				t.Errorf("%s: %s is %q, expected %q", test.status.State, name, value, want)
			}
		}
	}
}

func TestNotifyCommand(t *testing.T) {
	dir := t.TempDir() // before any other test can start a daemon
	t.Parallel()
	run := func(ctx context.Context, limit time.Duration, args ...string) (message, problem, output string) {
		t.Helper()
		core, logs := observer.New(zap.InfoLevel)
		err := notifyCommand{log: zap.New(core), args: args, limit: limit}.run(ctx, []string{"WSYNC_STATE=halted"})
		if (err != nil) != (args[0] == filepath.Join(dir, "none")) {
			t.Errorf("%q could not be run: %v", args, err)
		}
		if logs.Len() != 1 {
			t.Fatalf("%q: the log is %v", args, logs.All())
		}
		entry := logs.All()[0]
		problem, _ = entry.ContextMap()["error"].(string)
		output, _ = entry.ContextMap()["output"].(string)
		return entry.Message, problem, output
	}
	message, problem, output := run(t.Context(), patience, "sh", "-c", `echo "$WSYNC_STATE $HOME $1"; read x || echo nothing >&2`, "sh", "a b")
	if message != "NotifyCommand done" || problem != "" || output != "halted "+os.Getenv("HOME")+" a b\nnothing\n" {
		t.Errorf("%s, %s, %q", message, problem, output)
	}
	if _, problem, _ := run(t.Context(), patience, "sh", "-c", "exit 3"); problem != "exit status 3" {
		t.Error(problem)
	}
	if _, problem, _ := run(t.Context(), patience, filepath.Join(dir, "none")); !strings.Contains(problem, "no such file") {
		t.Error(problem)
	}
	if _, _, output := run(t.Context(), patience, "sh", "-c", "yes | head -c 1000000"); len(output) != maxOutput {
		t.Errorf("%d bytes of output", len(output))
	}
	// It hangs, with all that it has started, and does not listen.
	_, problem, _ = run(t.Context(), time.Second, "sh", "-c", "trap '' TERM; (trap '' TERM; echo $$ >"+dir+"/pid; sleep 1000; sleep 1000) & wait; wait")
	if !strings.Contains(problem, "longer than 1s") {
		t.Error(problem)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, problem, _ := run(ctx, patience, "sleep", "1000"); problem != "context canceled" {
		t.Error(problem)
	}
	if _, err := os.Stat(dir + "/pid"); err != nil {
		t.Error(err)
	}
}

func TestNewNotifier(t *testing.T) {
	settings := loadSettings(t, newHome(t))
	if newNotifier(settings, zap.NewNop()) != nil {
		t.Error("a notifier without a command")
	}
	core, logs := observer.New(zap.WarnLevel)
	settings.NotifyCommand = "~/bin/rsync 'a b'"
	if n := newNotifier(settings, zap.New(core)); n == nil || logs.Len() != 0 || n.why() != "" {
		t.Errorf("%v, %v", n, logs.All())
	}
	settings.NotifyCommand = "~/bin/none"
	if n := newNotifier(settings, zap.New(core)); n == nil || logs.Len() != 1 || !strings.Contains(n.why(), "bin/none") {
		t.Errorf("%v, %v", n, logs.All())
	}
}

// TestWorkspaceIsTold: what is wrong with a workspace is told once, and not of each of its
// remotes.
func TestWorkspaceIsTold(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	d.attach("docs", "two")
	moods := func() (string, <-chan struct{}) {
		var told []string
		subjects, changed := d.subjects()
		for _, s := range subjects {
			if t, known := mood(s.status); known {
				variables := s.variables()
				told = append(told, s.name()+" "+valueOf(variables, "EVENT")+" "+string(s.status.State))
				if t != well && s.status.Name == "" && valueOf(variables, "HINT") == "" {
					told = append(told, "no hint")
				}
			}
		}
		return strings.Join(told, ", "), changed
	}
	until := func(what string, met func(moods string) bool) {
		t.Helper()
		for {
			got, changed := moods()
			if met(got) {
				return
			}
			next(t, what+" instead of "+got, changed)
		}
	}
	well := report.Report{Version: report.Version, Pong: math.MaxUint64, Watch: report.Watch{Armed: true}}
	for _, name := range []string{"one", "two"} {
		well.Remotes = append(well.Remotes, report.RemoteStatus{Name: name, State: report.InSync, Asked: 100})
	}
	halted := well
	halted.Halted = &report.Halt{Reason: "it is gone", Since: time.Now()}
	halted.Remotes = []report.RemoteStatus{{Name: "one", State: report.Halted, Error: "it is gone", Asked: 100}, {Name: "two", State: report.Halted, Error: "it is gone", Asked: 100}}
	for _, test := range []struct {
		report report.Report
		want   string
	}{
		{well, "docs well in sync, docs/one well in sync, docs/two well in sync"},
		{halted, "docs trouble halted"},
		{well, "docs well in sync, docs/one well in sync, docs/two well in sync"},
	} {
		m.sendReport(t, test.report)
		until(test.want, func(got string) bool { return got == test.want })
	}
	m.exit(errForTest)
	for range d.settings.RestartLimit {
		d.monitor().exit(errForTest)
	}
	until("that it has failed", func(got string) bool { return got == "docs trouble failed" })
}
