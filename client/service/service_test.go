package service

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wsync/monitor/remotetest"
)

// units are the kinds of units that there are.
var units = map[string]Options{
	"own":      {Executable: "/usr/bin/wsync"},
	"system":   {Executable: "/usr/bin/wsync", System: true, User: "deploy"},
	"template": {Executable: "/usr/bin/wsync", System: true, User: "%i"},
	"root":     {Executable: "/usr/bin/wsync", System: true, User: "root"},
}

// directives returns the directives of a unit, KEY=VALUE each.
func directives(unit string) (all []string) {
	for line := range strings.Lines(unit) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != '[' {
			all = append(all, line)
		}
	}
	return all
}

func TestUnit(t *testing.T) {
	for name, o := range units {
		all := directives(Unit(o))
		want := []string{
			"Type=notify", "NotifyAccess=main", "WatchdogSec=60s", "Restart=on-failure", "RestartPreventExitStatus=6", "KillMode=mixed",
			`ExecStart="/usr/bin/wsync" daemon run`, `ExecReload="/usr/bin/wsync" daemon reload`,
		}
		if o.System {
			want = append(want, "User="+o.User, "WantedBy=multi-user.target")
		} else {
			want = append(want, "WantedBy=default.target")
		}
		for _, directive := range want {
			if !slices.Contains(all, directive) {
				t.Errorf("%s: there is no %s in\n%s", name, directive, Unit(o))
			}
		}
	}
}

// hides are directives by which the daemon would see another file system than there is:
// what is not seen counts as deleted. The others keep modes from being mirrored, or mail
// from being sent.
var hides = regexp.MustCompile(`^(Protect|Private|Inaccessible|ReadOnly|ReadWrite|Bind|TemporaryFileSystem|Root(Directory|Image)|DynamicUser|` +
	`Mount|RestrictSUIDSGID|NoNewPrivileges|MemoryDenyWriteExecute|UMask|Device)`)

func TestUnitHidesNothing(t *testing.T) {
	for name, o := range units {
		for _, directive := range directives(Unit(o)) {
			if hides.MatchString(directive) {
				t.Errorf("%s: %s", name, directive)
			}
			// For others than root they imply NoNewPrivileges.
			if implies := regexp.MustCompile(`^(SystemCall|Restrict[A-Z]|LockPersonality)`); name != "root" && implies.MatchString(directive) && !strings.HasPrefix(directive, "RestartPrevent") {
				t.Errorf("%s: %s", name, directive)
			}
		}
	}
}

// TestUnitIsValid has systemd read the units.
func TestUnitIsValid(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		remotetest.Skip(t, "there is no systemd-analyze")
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	verify := func(name, unit string, own bool) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{"verify", file}
		if own {
			args = append([]string{"--user"}, args...)
		}
		cmd := exec.Command(analyze, args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = append(out, err.Error()...)
		}
		return string(out)
	}
	for name, o := range units {
		o.Executable, o.Environment = executable, []string{"PATH=/opt/bin:/bin", `X=a "b" \ 100%`}
		if o.User == "deploy" {
			o.User = "daemon" // there must be one
		}
		file := "wsync@" + name + ".service"
		if !o.System {
			file = unitName
		}
		if said := verify(file, Unit(o), !o.System); said != "" {
			t.Errorf("%s: %s", name, said)
		}
	}
	if said := verify(unitName, Unit(Options{Executable: executable})+"Nonsense=1\n", true); !strings.Contains(said, "Nonsense") {
		t.Errorf("nothing is said of nonsense, but %q", said)
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"/usr/bin/wsync":  `"/usr/bin/wsync"`,
		`/a b/"c"\d 100%`: `"/a b/\"c\"\\d 100%%"`,
		"a\nUser=root":    `"a\nUser=root"`,
	} {
		if got := quoted(word); got != want {
			t.Errorf("%q: got %s, expected %s", word, got, want)
		}
	}
}

func TestAgent(t *testing.T) {
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- wsync's daemon. ` + "`wsync service install`" + ` writes this file anew. -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>wsync.daemon</string>
	<key>ProgramArguments</key>
	<array>
		<string>/Users/me/R&amp;D/wsync</string>
		<string>daemon</string>
		<string>run</string>
		<string>--background</string>
	</array>
	<key>EnvironmentVariables</key>
	<dict>
		<key>PATH</key>
		<string>/opt/homebrew/bin:/bin</string>
	</dict>
	<key>RunAtLoad</key>
	<true/>
	<!-- It is started again unless it was stopped. -->
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ExitTimeOut</key>
	<integer>30</integer>
	<!-- Not throttled: a change is to arrive within milliseconds. -->
	<key>ProcessType</key>
	<string>Interactive</string>
	<key>WorkingDirectory</key>
	<string>/</string>
	<key>StandardOutPath</key>
	<string>/Users/me/.wsync/log/daemon.log</string>
	<key>StandardErrorPath</key>
	<string>/Users/me/.wsync/log/daemon.log</string>
</dict>
</plist>
`
	got := Agent(Options{Executable: "/Users/me/R&D/wsync", Environment: []string{"PATH=/opt/homebrew/bin:/bin"}, Log: "/Users/me/.wsync/log/daemon.log"})
	if got != want {
		t.Errorf("got:\n%s", got)
	}
	for decoder := xml.NewDecoder(strings.NewReader(got)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnitState(t *testing.T) {
	for name, test := range map[string]struct {
		shown string
		want  State
	}{
		"running": {"MainPID=974\nResult=success\nExecMainCode=0\nExecMainStatus=0\nActiveState=active\nSubState=running\nFragmentPath=/f\nUnitFileState=enabled\n",
			State{Enabled: true, Active: "active", PID: 974, File: "/f"}},
		"unknown": {"MainPID=0\nResult=success\nExecMainCode=0\nExecMainStatus=0\nActiveState=inactive\nSubState=dead\nFragmentPath=\nUnitFileState=\n",
			State{Active: "inactive"}},
		"stopped": {"MainPID=0\nResult=success\nExecMainCode=1\nExecMainStatus=0\nActiveState=inactive\nSubState=dead\nFragmentPath=/f\nUnitFileState=disabled\n",
			State{Active: "inactive", File: "/f"}},
		"failed": {"MainPID=0\nResult=exit-code\nExecMainCode=1\nExecMainStatus=6\nActiveState=failed\nSubState=failed\n",
			State{Active: "failed", Why: "exit status 6"}},
		"killed": {"MainPID=0\nResult=signal\nExecMainCode=2\nExecMainStatus=9\nActiveState=activating\nSubState=auto-restart\n",
			State{Active: "activating, to be started again", Why: "killed by signal 9"}},
		"hung": {"MainPID=0\nResult=watchdog\nExecMainCode=2\nExecMainStatus=6\nActiveState=activating\nSubState=auto-restart\n",
			State{Active: "activating, to be started again", Why: "it did not say for a minute that it is well"}},
		"running again": {"MainPID=12\nResult=success\nExecMainCode=2\nExecMainStatus=9\nActiveState=active\nSubState=running\n",
			State{Active: "active", PID: 12}},
	} {
		if got := unitState(test.shown); got != test.want {
			t.Errorf("%s: got %+v, expected %+v", name, got, test.want)
		}
	}
}

func TestAgentState(t *testing.T) {
	for printed, want := range map[string]State{
		"gui/501/wsync.daemon = {\n\tactive count = 1\n\tstate = running\n\n\tpid = 812\n\tlast exit code = 1\n\tjetsam = {\n\t\tstate = idle\n\t}\n}\n": {Enabled: true, Active: "active", PID: 812, File: "/f"},
		"gui/501/wsync.daemon = {\n\tstate = not running\n\tlast exit code = 6\n}\n":                                                                     {Enabled: true, Active: "inactive", Why: "exit status 6", File: "/f"},
		"gui/501/wsync.daemon = {\n\tstate = not running\n\tlast exit code = (never exited)\n}\n":                                                        {Enabled: true, Active: "inactive", File: "/f"},
	} {
		if got := agentState(printed, "/f"); got != want {
			t.Errorf("%q: got %+v, expected %+v", printed, got, want)
		}
	}
}

// fake is a machine whose commands are only written down; those of failing fail.
type fake struct {
	Host
	commands []string
	failing  string
}

func newFake(t *testing.T, system string) *fake {
	f := &fake{Host: Host{OS: system, Root: t.TempDir(), User: "me", UID: 501, Home: "/home/me"}}
	f.Run = func(_ context.Context, name string, args ...string) (string, error) {
		command := strings.Join(append([]string{name}, args...), " ")
		f.commands = append(f.commands, command)
		if f.failing != "" && strings.Contains(command, f.failing) {
			return "", errors.New(command + ": refused")
		}
		return "", nil
	}
	return f
}

// ran expects these commands since the last time.
func (f *fake) ran(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(f.commands, want) {
		t.Errorf("ran\n%s\nexpected\n%s", strings.Join(f.commands, "\n"), strings.Join(want, "\n"))
	}
	f.commands = nil
}

func TestInstallUnit(t *testing.T) {
	f := newFake(t, "linux")
	s, err := f.Own()
	if err != nil {
		t.Fatal(err)
	}
	install := func(text string, wantChanged bool) {
		t.Helper()
		changed, err := s.Install(t.Context(), text)
		if err != nil || changed != wantChanged {
			t.Errorf("changed %v (%v), expected %v", changed, err, wantChanged)
		}
		if content, err := os.ReadFile(filepath.Join(f.Root, "home/me/.config/systemd/user/wsync.service")); err != nil || string(content) != text {
			t.Errorf("the unit is %q (%v)", content, err)
		}
		f.ran(t, "systemctl --user --no-ask-password daemon-reload", "systemctl --user --no-ask-password enable wsync.service")
	}
	if len(f.Installed()) != 0 {
		t.Error("it is installed before")
	}
	install("a\n", true)
	install("a\n", false)
	install("b\n", true)
	if all := f.Installed(); len(all) != 1 || all[0].Name != "wsync.service" {
		t.Errorf("installed: %v", all)
	}

	// What cannot be stopped stays.
	f.failing = "disable"
	if err := s.Uninstall(t.Context()); err == nil || !s.Installed() {
		t.Errorf("it was removed, or no error told: %v", err)
	}
	f.failing, f.commands = "", nil
	if err := s.Uninstall(t.Context()); err != nil || s.Installed() {
		t.Errorf("it was not removed (%v)", err)
	}
	f.ran(t, "systemctl --user --no-ask-password disable --now wsync.service", "systemctl --user --no-ask-password daemon-reload",
		"systemctl --user --no-ask-password reset-failed wsync.service")
	if files, _ := filepath.Glob(filepath.Join(f.Root, "home/me/.config/systemd/user/*")); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// TestPackagedUnit: a unit of a package counts where it is enabled.
func TestPackagedUnit(t *testing.T) {
	for mark, want := range map[string]string{
		"/etc/systemd/user/default.target.wants/wsync.service":             "wsync.service",
		"/home/me/.config/systemd/user/default.target.wants/wsync.service": "wsync.service",
		"/etc/systemd/system/multi-user.target.wants/wsync@me.service":     "wsync@me.service",
		"/etc/systemd/system/multi-user.target.wants/wsync@you.service":    "",
		"/usr/lib/systemd/user/wsync.service":                              "",
	} {
		f := newFake(t, "linux")
		path := filepath.Join(f.Root, mark)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink("/usr/lib/nothing", path)); err != nil {
			t.Fatal(err)
		}
		var got string
		for _, s := range f.Installed() {
			got += s.Name
		}
		if got != want {
			t.Errorf("%s: %q is installed, expected %q", mark, got, want)
		}
	}
}

func TestSystemUnit(t *testing.T) {
	f := newFake(t, "linux")
	s, err := f.OfSystem("deploy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), "x"); err != nil || s.File != "/etc/systemd/system/wsync@deploy.service" || !s.Lingers() {
		t.Errorf("%+v (%v)", s, err)
	}
	f.ran(t, "systemctl --no-ask-password daemon-reload", "systemctl --no-ask-password enable wsync@deploy.service")
	if got := s.StartCommand(); got != "sudo systemctl start wsync@deploy.service" {
		t.Error(got)
	}
	if len(f.Installed()) != 0 {
		t.Error("the service of somebody else counts")
	}
}

func TestLinger(t *testing.T) {
	f := newFake(t, "linux")
	s, _ := f.Own()
	if s.Lingers() {
		t.Error("it lingers before")
	}
	if err := s.Linger(t.Context()); err != nil {
		t.Error(err)
	}
	if f.commands[0] != "loginctl --no-ask-password enable-linger me" {
		t.Errorf("ran %v", f.commands)
	}
	if err := os.MkdirAll(filepath.Join(f.Root, lingering, "me"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.commands = nil
	if err := s.Linger(t.Context()); err != nil || !s.Lingers() || len(f.commands) > 0 {
		t.Errorf("%v: ran %v", err, f.commands)
	}
}

func TestInstallAgent(t *testing.T) {
	f := newFake(t, "darwin")
	f.failing = "print" // it is not loaded
	s, err := f.Own()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), "x"); err != nil || s.File != "/home/me/Library/LaunchAgents/wsync.daemon.plist" {
		t.Errorf("%+v (%v)", s, err)
	}
	f.ran(t)
	if err := s.Start(t.Context()); err != nil {
		t.Error(err)
	}
	f.ran(t, "launchctl print gui/501/wsync.daemon", "launchctl bootstrap gui/501 /home/me/Library/LaunchAgents/wsync.daemon.plist")
	f.failing = ""
	if err := s.Start(t.Context()); err != nil {
		t.Error(err)
	}
	f.ran(t, "launchctl print gui/501/wsync.daemon", "launchctl kickstart gui/501/wsync.daemon")
	if err := s.Uninstall(t.Context()); err != nil || s.Installed() {
		t.Errorf("it was not removed (%v)", err)
	}
	f.ran(t, "launchctl print gui/501/wsync.daemon", "launchctl bootout gui/501/wsync.daemon")
	if _, err := f.OfSystem("me"); !errors.Is(err, ErrNoManager) {
		t.Errorf("a service of the system: %v", err)
	}
	if _, err := newFake(t, "plan9").Own(); !errors.Is(err, ErrNoManager) {
		t.Errorf("a service of plan9: %v", err)
	}
}
