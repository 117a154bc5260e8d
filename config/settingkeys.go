package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SettingKey describes a key of the settings file.
type SettingKey struct {
	Name     string
	Default  string // as it would stand in the file; "" for none
	Expected string // what a value must be
	Meaning  string
}

// SettingKeys describes the keys of the settings file, in the order in which
// they are best explained.
func SettingKeys() []SettingKey {
	keys := make([]SettingKey, 0, len(settingKeys))
	for _, k := range settingKeys {
		keys = append(keys, SettingKey{k.name, k.defaultValue, k.kind.expected, k.meaning})
	}
	return keys
}

// settingKey is a key with what the parser needs.
type settingKey struct {
	name         string
	defaultValue string
	kind         settingKind
	meaning      string
}

// settingKeys drives the parser; a new key is one line here.
var settingKeys = []settingKey{
	{"WorkspaceConfigFilePath", "~/.wsync/wsync-ws-config.json", pathSetting(func(s *Settings) *string { return &s.WorkspaceConfigFilePath }), "the file that holds the workspaces"},
	{"DaemonCommandSocketPath", "~/.wsync/daemon.sock", pathSetting(func(s *Settings) *string { return &s.DaemonCommandSocketPath }), "the socket on which the daemon answers"},
	{"LogDirectory", "~/.wsync/log", pathSetting(func(s *Settings) *string { return &s.LogDirectory }), "the directory of the logs"},
	{"LogLevel", "info", choiceSetting(func(s *Settings) *string { return &s.LogLevel }, "debug", "info", "warn", "error"), "the least severe messages that are logged"},
	{"LogMaxSize", "10", numberSetting(func(s *Settings) *int { return &s.LogMaxSize }, 1, 100_000), "the size in megabytes at which a log is rotated; the three files before it are kept"},
	{"Watcher", "auto", choiceSetting(func(s *Settings) *string { return &s.Watcher }, "auto", "inotify", "notify"), "how changes are noticed"},
	{"MaxWatches", "0", numberSetting(func(s *Settings) *int { return &s.MaxWatches }, 0, math.MaxInt32), "the most directories of a workspace that are watched, the rest being polled; 0 for the system's limit"},
	{"PollInterval", "10s", durationSetting(func(s *Settings) *time.Duration { return &s.PollInterval }, time.Second, 24*time.Hour), "the least time between two looks for changes on file systems that do not tell of all of them: FUSE, NFS, SMB, 9p and the like"},
	{"FullPassInterval", "1h", durationSetting(func(s *Settings) *time.Duration { return &s.FullPassInterval }, time.Minute, 30*24*time.Hour), "the time between two comparisons of a whole workspace with a remote"},
	{"VerifyInterval", "off", verifySetting(), "the time between two comparisons of all contents with a remote, in the background"},
	{"HoldDeletionsShare", "0.5", shareSetting(func(s *Settings) *float64 { return &s.HoldDeletionsShare }), "the share of the known entries above which deletions wait for approval, if they exceed HoldDeletionsCount too; up to that, 0.9 if it is more"},
	{"HoldDeletionsCount", "100", numberSetting(func(s *Settings) *int { return &s.HoldDeletionsCount }, 0, math.MaxInt32), "the number of entries above which deletions wait for approval, if they exceed HoldDeletionsShare too; ten go in any case, or this many if it is less"},
	{"RestartLimit", "5", numberSetting(func(s *Settings) *int { return &s.RestartLimit }, 1, 1000), "how often a monitor is restarted within RestartWindow before it is given up"},
	{"RestartWindow", "10m", durationSetting(func(s *Settings) *time.Duration { return &s.RestartWindow }, time.Second, 24*time.Hour), "the time in which RestartLimit counts"},
	{"StateLockLimit", "30s", durationSetting(func(s *Settings) *time.Duration { return &s.StateLockLimit }, time.Second, time.Hour), "how long the daemon's state may stay locked before the daemon ends itself, to be started again"},
	{"NotifyCommand", "", commandSetting(func(s *Settings) *string { return &s.NotifyCommand }), "a command to run when a workspace or a remote gets into trouble, and when it is well again; without it nobody is told"},
	{"NotifyDelay", "1m", durationSetting(func(s *Settings) *time.Duration { return &s.NotifyDelay }, time.Second, 24*time.Hour), "how long a remote may be offline, retrying or unknown before NotifyCommand tells, and the least time between two such messages"},
	{"OnSyncTimeout", "5m", durationSetting(func(s *Settings) *time.Duration { return &s.OnSyncTimeout }, time.Second, 24*time.Hour), "how long a command of on-sync or on-sync-remote may take before it is ended"},
	{"MetricsListen", "off", listenSetting(func(s *Settings) *string { return &s.MetricsListen }), "where the metrics are served by HTTP, too: a PORT of this machine alone, or HOST:PORT; see wsync help metrics"},
	{"MonitorExecutablePath", "", executableSetting(func(s *Settings) *string { return &s.MonitorExecutablePath }), "the executable that is run as a monitor, which must be a wsync of the same version; without it wsync runs its own binary"},
}

// settingKind is a kind of value.
type settingKind struct {
	expected string
	// set sets the field; home stands for "~". The error says what was
	// expected.
	set func(s *Settings, value, home string) error
	// quotes: the value may have quotes of its own.
	quotes bool
}

// newSetting puts a field and a parser of its values together. advice ends the
// error, where there is more to say than what was expected.
func newSetting[T any](field func(*Settings) *T, expected, advice string, parse func(value, home string) (T, bool)) settingKind {
	return settingKind{expected: expected, set: func(s *Settings, value, home string) error {
		parsed, ok := parse(value, home)
		if !ok {
			return fmt.Errorf("expected %s, found %q%s", expected, value, advice)
		}
		*field(s) = parsed
		return nil
	}}
}

const expectedPath = `an absolute path, or one that begins with "~/"`

func pathSetting(field func(*Settings) *string) settingKind {
	return newSetting(field, expectedPath, "", expandPath)
}

// expandPath replaces "~/" by home, and refuses a relative path: the daemon
// and the client may run in different directories.
func expandPath(value, home string) (string, bool) {
	if rest, ok := strings.CutPrefix(value, "~/"); ok {
		value = home + "/" + rest
	}
	if !filepath.IsAbs(value) || !isPlain(value) {
		return "", false
	}
	return filepath.Clean(value), true
}

func executableSetting(field func(*Settings) *string) settingKind {
	const advice = ": remove the key: wsync runs its monitors from its own binary without it"
	return newSetting(field, "an executable file", advice, func(value, home string) (string, bool) {
		path, ok := expandPath(value, home)
		if !ok {
			return "", false
		}
		info, err := os.Stat(path)
		return path, err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
	})
}

func choiceSetting(field func(*Settings) *string, choices ...string) settingKind {
	last := len(choices) - 1
	expected := strings.Join(choices[:last], ", ") + " or " + choices[last]
	return newSetting(field, expected, "", func(value, _ string) (string, bool) {
		return value, slices.Contains(choices, value)
	})
}

func numberSetting(field func(*Settings) *int, least, most int) settingKind {
	expected := fmt.Sprintf("a whole number from %d to %d", least, most)
	return newSetting(field, expected, "", func(value, _ string) (int, bool) {
		n, err := strconv.Atoi(value)
		return n, err == nil && least <= n && n <= most
	})
}

func durationSetting(field func(*Settings) *time.Duration, least, most time.Duration) settingKind {
	expected := fmt.Sprintf("a duration from %s to %s, such as 90s, 10m or 1h30m", FormatDuration(least), FormatDuration(most))
	return newSetting(field, expected, "", func(value, _ string) (time.Duration, bool) {
		d, err := ParseDuration(value)
		return d, err == nil && least <= d && d <= most
	})
}

func verifySetting() settingKind {
	return newSetting(func(s *Settings) *time.Duration { return &s.VerifyInterval }, expectedVerify(), "", func(value, _ string) (time.Duration, bool) {
		v, err := ParseVerify(value)
		return v.Or(0), err == nil
	})
}

// listenSetting is an address to listen at. Unless a host is named, it is one that only this
// machine reaches.
func listenSetting(field func(*Settings) *string) settingKind {
	const loopback = "127.0.0.1"
	return newSetting(field, "off, a port from 1 to 65535, or HOST:PORT", "", func(value, _ string) (string, bool) {
		if value == "off" {
			return "", true
		}
		host, port, err := net.SplitHostPort(value)
		if err != nil {
			host, port = "", value
		}
		n, err := strconv.Atoi(port)
		if err != nil || n < 0 || n > 65535 || host == "" && n == 0 || !isPlain(host) || strings.ContainsAny(host, "/ ") {
			return "", false
		}
		if host == "" {
			host = loopback
		}
		return net.JoinHostPort(host, port), true
	})
}

func shareSetting(field func(*Settings) *float64) settingKind {
	return newSetting(field, "a number from 0 to 1, such as 0.5", "", func(value, _ string) (float64, bool) {
		share, err := strconv.ParseFloat(value, 64)
		return share, err == nil && 0 <= share && share <= 1
	})
}

// suggestKey ends the sentence about a key that does not exist.
func suggestKey(name string) string {
	best, bestDistance := "", len(name)/2+1
	var all []string
	for _, k := range settingKeys {
		all = append(all, k.name)
		if d := distance(strings.ToLower(name), strings.ToLower(k.name)); d < bestDistance {
			best, bestDistance = k.name, d
		}
	}
	if best == "" {
		return "expected one of " + strings.Join(all, ", ")
	}
	return fmt.Sprintf("did you mean %s?", best)
}

// distance is the number of bytes to insert, remove or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // distances of a[:i] to each b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
