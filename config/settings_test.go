package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// environment is an environment for LoadSettings.
func environment(home, settingsPath string) func(string) string {
	return func(name string) string {
		return map[string]string{"HOME": home, settingsPathVariable: settingsPath}[name]
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMetricsListen(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, "settings")
	env := func(name string) string { return map[string]string{"HOME": home, settingsPathVariable: path}[name] }
	for value, want := range map[string]string{
		"off": "", "9469": "127.0.0.1:9469", ":9469": "127.0.0.1:9469", "0.0.0.0:9469": "0.0.0.0:9469", "[::]:80": "[::]:80",
		"host.example.org:1": "host.example.org:1", "127.0.0.1:0": "127.0.0.1:0",
		"0": "wrong", "65536": "wrong", "-1": "wrong", "on": "wrong", "host": "wrong", "::1": "wrong", "host:": "wrong", "a b:1": "wrong", "http://h:1": "wrong",
	} {
		if err := os.WriteFile(path, []byte("MetricsListen = "+value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := LoadSettings(env)
		got := s.MetricsListen
		if err != nil {
			got = "wrong"
		}
		if got != want {
			t.Errorf("%s is %q (%v), want %q", value, got, err, want)
		}
	}
}

func TestLoadSettingsDefaults(t *testing.T) {
	home := t.TempDir()
	got, err := LoadSettings(environment(home, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		Directory:               home + "/.wsync",
		WorkspaceConfigFilePath: home + "/.wsync/wsync-ws-config.json",
		DaemonCommandSocketPath: home + "/.wsync/daemon.sock",
		LogDirectory:            home + "/.wsync/log",
		LogLevel:                "info", LogMaxSize: 10, Watcher: "auto", MaxWatches: 0, PollInterval: 10 * time.Second,
		RestartLimit: 5, RestartWindow: 10 * time.Minute, StateLockLimit: 30 * time.Second,
		FullPassInterval: time.Hour, HoldDeletionsShare: 0.5, HoldDeletionsCount: 100,
		NotifyDelay:   time.Minute,
		OnSyncTimeout: 5 * time.Minute,
	}
	if got != want {
		t.Errorf("defaults are %+v, expected %+v", got, want)
	}
	for got, want := range map[string]string{
		got.LockPath():            home + "/.wsync/daemon.lock",
		got.RunDirectory():        home + "/.wsync/run",
		got.DaemonLogPath():       home + "/.wsync/log/daemon.log",
		got.WorkspaceLogPath("a"): home + "/.wsync/log/workspaces/a.log",
	} {
		if got != want {
			t.Errorf("path is %s, expected %s", got, want)
		}
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) > 0 {
		t.Errorf("loading made %v (%v)", entries, err)
	}
}

func TestLoadSettingsFile(t *testing.T) {
	home := t.TempDir()
	program := filepath.Join(home, "monitor")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	content := "\xef\xbb\xbf# settings\r\n" +
		"\r\n" +
		"  WorkspaceConfigFilePath = ~/a b/=x/  \r\n" +
		"DaemonCommandSocketPath=\"/run/wsync.sock\"\n" +
		"LogDirectory=\"~/log # no comment\"\n" +
		"MonitorExecutablePath=" + program + "\n" +
		"\t# indented\n" +
		"LogLevel=debug\nLogMaxSize=1\nWatcher=notify\nMaxWatches=8000\nPollInterval=2m\n" +
		"RestartLimit=1\nRestartWindow=1s\nStateLockLimit=1m30s\nFullPassInterval=1m\n" +
		"HoldDeletionsShare=0\nHoldDeletionsCount=0\n" +
		"NotifyCommand = sh -c 'echo \"$WSYNC_STATE\"'\nNotifyDelay=5s"
	want := Settings{
		Directory:               home + "/.wsync",
		WorkspaceConfigFilePath: home + "/a b/=x",
		MonitorExecutablePath:   program,
		DaemonCommandSocketPath: "/run/wsync.sock",
		LogDirectory:            home + "/log # no comment",
		LogLevel:                "debug", LogMaxSize: 1, Watcher: "notify", MaxWatches: 8000, PollInterval: 2 * time.Minute,
		RestartLimit: 1, RestartWindow: time.Second, StateLockLimit: 90 * time.Second,
		FullPassInterval: time.Minute, HoldDeletionsShare: 0, HoldDeletionsCount: 0,
		NotifyCommand: `sh -c 'echo "$WSYNC_STATE"'`, NotifyDelay: 5 * time.Second,
		OnSyncTimeout: 5 * time.Minute,
	}
	writeFile(t, filepath.Join(home, ".wsync/wsync.config"), content)
	writeFile(t, filepath.Join(home, "other"), content)
	for _, named := range []string{"", "~/other", filepath.Join(home, "other")} {
		got, err := LoadSettings(environment(home, named))
		if err != nil {
			t.Errorf("%q: %v", named, err)
		} else if got != want {
			t.Errorf("%q: settings are %+v, expected %+v", named, got, want)
		}
	}
}

func TestLoadSettingsErrors(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, ".wsync/wsync.config")
	plain := filepath.Join(home, "plain")
	writeFile(t, plain, "")
	for _, test := range []struct{ content, want string }{
		{"LogLevel", `:1: "LogLevel": expected KEY=VALUE`},
		{"\n\nLogLevl=info", `:3: unknown key "LogLevl": did you mean LogLevel?`},
		{"loglevel=info", `did you mean LogLevel?`},
		{"Colour=red", `:1: unknown key "Colour": expected one of WorkspaceConfigFilePath, `},
		{"=x", `unknown key "": expected one of`},
		{"LogLevel=info\n#\nLogLevel=info", `:3: LogLevel is already set in line 1`},
		{"LogLevel=", `LogLevel: expected debug, info, warn or error, found ""`},
		{"LogLevel=INFO", `expected debug, info, warn or error`},
		{`LogLevel="info`, `LogLevel: expected double quotes on both sides`},
		{`LogLevel="`, `LogLevel: expected double quotes on both sides`},
		{"LogMaxSize=0", `LogMaxSize: expected a whole number from 1 to 100000, found "0"`},
		{"LogMaxSize=10MB", `expected a whole number`},
		{"Watcher=fanotify", `expected auto, inotify or notify`},
		{"MaxWatches=-1", `expected a whole number from 0`},
		{"RestartLimit=0", `expected a whole number from 1`},
		{"RestartWindow=10x", `RestartWindow: expected a duration from 1s to 1d, such as`},
		{"FullPassInterval=0", `FullPassInterval: expected a duration from 1m to 30d`},
		{"FullPassInterval=59s", `expected a duration from 1m`},
		{"StateLockLimit=-1s", `expected a duration`},
		{"HoldDeletionsShare=1.1", `expected a number from 0 to 1`},
		{"HoldDeletionsShare=NaN", `expected a number from 0 to 1`},
		{"HoldDeletionsCount=1e3", `expected a whole number`},
		{"LogDirectory=log", `LogDirectory: expected an absolute path, or one that begins with "~/", found "log"`},
		{"LogDirectory=~", `expected an absolute path`},
		{"LogDirectory=/a\x00b", `expected an absolute path`},
		{"MonitorExecutablePath=/does/not/exist", `MonitorExecutablePath: expected an executable file, found "/does/not/exist": remove the key: wsync runs its monitors from its own binary without it`},
		{"MonitorExecutablePath=" + plain, `remove the key`},
		{"MonitorExecutablePath=" + home, `remove the key`},
		{"MonitorExecutablePath=monitor", `remove the key`},
		{"DaemonCommandSocketPath=/" + strings.Repeat("x", maxSocketPath()), fmt.Sprintf(`DaemonCommandSocketPath: /%s has %d bytes and a socket path can have at most %d`, strings.Repeat("x", maxSocketPath()), maxSocketPath()+1, maxSocketPath())},
	} {
		writeFile(t, path, test.content)
		_, err := LoadSettings(environment(home, ""))
		expectError(t, test.content, err, test.want)
		if err != nil && !strings.HasPrefix(err.Error(), "cannot read the settings: "+path) {
			t.Errorf("%q: the error does not begin with the file: %v", test.content, err)
		}
	}

	writeFile(t, path, "DaemonCommandSocketPath=/"+strings.Repeat("x", maxSocketPath()-1))
	_, err := LoadSettings(environment(home, ""))
	expectError(t, "the longest socket path", err, "")

	for _, test := range []struct{ home, named, want string }{
		{"", "", `the variable HOME is ""`},
		{"home", "", `the variable HOME is "home"`},
		{home, "settings", `the variable WSYNC_CONFIG_PATH is "settings": expected an absolute path`},
		{home, "/does/not/exist", `/does/not/exist, which the variable WSYNC_CONFIG_PATH names, does not exist`},
		{home, home, "is a directory"},
	} {
		_, err := LoadSettings(environment(test.home, test.named))
		expectError(t, test.home+" "+test.named, err, test.want)
	}
}

// TestSettingKeys: each key sets a field of its own, and its default is what
// it is said to be.
func TestSettingKeys(t *testing.T) {
	fields := make(map[string]bool)
	for f := range reflect.TypeFor[Settings]().Fields() {
		fields[f.Name] = f.Name != "Directory"
	}
	for _, key := range SettingKeys() {
		if !fields[key.Name] {
			t.Errorf("%s is no field of Settings, or appears twice", key.Name)
		}
		fields[key.Name] = false
		if key.Expected == "" || key.Meaning == "" {
			t.Errorf("%s is not explained: %+v", key.Name, key)
		}
	}
	for name, missing := range fields {
		if missing {
			t.Errorf("the field %s has no key", name)
		}
	}

	// The defaults, written out in a file, change nothing.
	home := t.TempDir()
	want, err := LoadSettings(environment(home, ""))
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	for _, key := range SettingKeys() {
		if key.Default != "" {
			fmt.Fprintf(&file, "%s = %s\n", key.Name, key.Default)
		}
	}
	writeFile(t, filepath.Join(home, ".wsync/wsync.config"), file.String())
	if got, err := LoadSettings(environment(home, "")); err != nil || got != want {
		t.Errorf("settings are %+v (%v), expected %+v", got, err, want)
	}
}

func TestMakeDirectories(t *testing.T) {
	mode := func(path string) os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	home := t.TempDir()
	writeFile(t, filepath.Join(home, ".wsync/wsync.config"), "DaemonCommandSocketPath=~/x/y/s\nWorkspaceConfigFilePath=~/z/w\n")
	if err := os.Chmod(filepath.Join(home, ".wsync"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := LoadSettings(environment(home, ""))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.MakeDirectories(); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{".wsync", ".wsync/run", "x/y", "z"} {
		if m := mode(filepath.Join(home, dir)); m != 0o700 {
			t.Errorf("%s has mode %o", dir, m)
		}
	}
	if _, err := os.Stat(s.LogDirectory); err == nil {
		t.Error("the log directory was made")
	}

	home = t.TempDir()
	s = Settings{Directory: filepath.Join(home, ".wsync")}
	writeFile(t, s.Directory, "")
	expectError(t, "a file", s.MakeDirectories(), "cannot make the directory "+s.Directory+": "+s.Directory+" is a file: move it away")
	s.Directory = filepath.Join(s.Directory, "below")
	expectError(t, "below a file", s.MakeDirectories(), ".wsync is a file: move it away")
}

func FuzzSettings(f *testing.F) {
	for _, seed := range []string{"LogLevel=debug\r\n#\n", "LogDirectory=\"~/x\"", "FullPassInterval=1h\nFullPassInterval=1h", "LogLevl=x", "HoldDeletionsShare=nan", "\xef\xbb\xbf=\"\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		base, err := LoadSettings(environment("/does/not/exist", ""))
		if err != nil {
			t.Fatal(err)
		}
		s := base
		if err := s.parse(data, "/settings", "/home/me"); err != nil {
			if !strings.HasPrefix(err.Error(), "/settings:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error does not begin with the file or has two lines: %q", err)
			}
			return
		}
		for _, path := range []string{s.Directory, s.WorkspaceConfigFilePath, s.DaemonCommandSocketPath, s.LogDirectory} {
			if !filepath.IsAbs(path) || path != filepath.Clean(path) {
				t.Errorf("the path %q is not absolute and clean", path)
			}
		}
		if s.FullPassInterval < time.Minute || s.LogMaxSize < 1 || s.RestartLimit < 1 || s.StateLockLimit <= 0 || !(s.HoldDeletionsShare >= 0 && s.HoldDeletionsShare <= 1) {
			t.Errorf("out of range: %+v", s)
		}
		again := base
		if err := again.parse([]byte(strings.ReplaceAll(string(data), "\n", "\r\n")), "/settings", "/home/me"); err != nil || again != s {
			t.Errorf("with CRLF: %+v (%v), expected %+v", again, err, s)
		}
	})
}

// Every key is noticed, and nothing else: a field that is no key has no name to be
// told by.
func TestChanged(t *testing.T) {
	env := func(key string) string { return map[string]string{"HOME": t.TempDir()}[key] }
	before, err := LoadSettings(env)
	if err != nil {
		t.Fatal(err)
	}
	if changed := before.Changed(before); changed != nil {
		t.Errorf("%q changed by itself", changed)
	}
	for _, k := range SettingKeys() {
		after := before
		switch f := reflect.ValueOf(&after).Elem().FieldByName(k.Name); f.Kind() {
		case reflect.String:
			f.SetString("other")
		case reflect.Float64:
			f.SetFloat(0.125)
		default:
			f.SetInt(f.Int() + 1)
		}
		if changed := before.Changed(after); len(changed) != 1 || changed[0] != k.Name {
			t.Errorf("%s: %q", k.Name, changed)
		}
	}
}
