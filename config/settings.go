package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Settings are the settings of the daemon, its monitors and the client. Each
// field but Directory is a key of the settings file; SettingKeys says what each
// means. All paths are absolute.
type Settings struct {
	// Directory is ~/.wsync, where everything is by default.
	Directory string

	WorkspaceConfigFilePath string
	// MonitorExecutablePath is the executable file that is run as
	// `wsync __monitor NAME`; "" is wsync's own binary.
	MonitorExecutablePath   string
	DaemonCommandSocketPath string
	LogDirectory            string

	LogLevel   string // "debug", "info", "warn" or "error"
	LogMaxSize int    // megabytes

	Watcher    string // "auto", "inotify" or "notify"
	MaxWatches int    // 0: the operating system's limit only

	// A monitor that was restarted RestartLimit times within RestartWindow has
	// failed.
	RestartLimit  int
	RestartWindow time.Duration
	// StateLockLimit is how long the daemon's state may stay locked before the
	// daemon ends itself.
	StateLockLimit time.Duration

	// PollInterval is the least time between two looks at directories that may
	// change without an event.
	PollInterval     time.Duration
	FullPassInterval time.Duration
	// VerifyInterval is the time between two verifications in the background, 0 for none.
	VerifyInterval time.Duration
	// Deletions are held when they exceed this share (0 to 1) of the known entries
	// and this number.
	HoldDeletionsShare float64
	HoldDeletionsCount int

	// NotifyCommand is run when a remote gets into trouble and when it is well
	// again, see NotifyArgs; "" is none. NotifyDelay is how long a remote may be
	// offline, retrying or unknown before that counts.
	NotifyCommand string
	NotifyDelay   time.Duration
	// OnSyncTimeout is how long a command of the options on-sync and on-sync-remote may
	// take.
	OnSyncTimeout time.Duration

	// MetricsListen is the address, HOST:PORT, at which the metrics are served, "" for none.
	MetricsListen string
}

// LockPath is the file that the daemon holds locked.
func (s Settings) LockPath() string { return filepath.Join(s.Directory, "daemon.lock") }

// RunDirectory is where the running processes keep their sockets and cookies.
func (s Settings) RunDirectory() string { return filepath.Join(s.Directory, "run") }

// DaemonLogPath is the file that the daemon logs to.
func (s Settings) DaemonLogPath() string { return filepath.Join(s.LogDirectory, "daemon.log") }

// WorkspaceLogPath is the file that the monitor of a workspace logs to. name
// must be a valid name.
func (s Settings) WorkspaceLogPath(name string) string {
	return filepath.Join(s.LogDirectory, "workspaces", name+".log")
}

// MakeDirectories makes the directories of Directory, RunDirectory, the socket
// and the workspace file, with mode 0700, and takes the rights of others from
// the first two. It does not make LogDirectory: that logs cannot be written
// must not keep the daemon from its work.
func (s Settings) MakeDirectories() error {
	for _, dir := range []string{s.Directory, s.RunDirectory()} {
		if err := makeDirectory(dir); err != nil {
			return err
		}
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(dir, 0o700)
		}
		if err != nil {
			return fmt.Errorf("cannot make the directory %s private: %w", dir, cause(err))
		}
	}
	for _, file := range []string{s.DaemonCommandSocketPath, s.WorkspaceConfigFilePath} {
		if err := makeDirectory(filepath.Dir(file)); err != nil {
			return err
		}
	}
	return nil
}

func makeDirectory(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		return nil
	}
	// MkdirAll names the file that is in the way, which may be a parent.
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		if info, statErr := os.Stat(pathError.Path); statErr == nil && !info.IsDir() {
			return fmt.Errorf("cannot make the directory %s: %s is a file: move it away", dir, pathError.Path)
		}
	}
	return fmt.Errorf("cannot make the directory %s: %w", dir, err)
}

// Changed returns the names of the keys whose values differ in other, in the order
// of SettingKeys.
func (s Settings) Changed(other Settings) []string {
	var changed []string
	a, b := reflect.ValueOf(s), reflect.ValueOf(other)
	for _, k := range settingKeys {
		if !a.FieldByName(k.name).Equal(b.FieldByName(k.name)) {
			changed = append(changed, k.name)
		}
	}
	return changed
}

// settingsPathVariable is the environment variable that names another
// settings file.
const settingsPathVariable = "WSYNC_CONFIG_PATH"

// LoadSettings reads the settings file: the one that the variable
// WSYNC_CONFIG_PATH names, or else ~/.wsync/wsync.config, which may be missing.
// env returns an environment variable, as os.Getenv does.
//
// The file has a KEY=VALUE on each line. Spaces around both are allowed, and so
// are double quotes around the value, empty lines and lines that begin with
// "#". A path is absolute or begins with "~/"; NotifyCommand may have quotes of
// its own, see SplitCommand. An error names file, line, key and what was
// expected; it is ErrMalformed unless the file could not be read.
func LoadSettings(env func(string) string) (Settings, error) {
	s, err := loadSettings(env)
	if err != nil {
		return Settings{}, fmt.Errorf("cannot read the settings: %w", err)
	}
	return s, nil
}

func loadSettings(env func(string) string) (Settings, error) {
	home := env("HOME")
	if !filepath.IsAbs(home) {
		return Settings{}, malformed{fmt.Errorf("the variable HOME is %q: expected the absolute path of your home directory; set it, in a systemd unit with Environment=HOME=/home/YOU", home)}
	}
	s := Settings{Directory: filepath.Join(home, ".wsync")}
	for _, k := range settingKeys {
		if k.defaultValue == "" {
			continue
		}
		if err := k.kind.set(&s, k.defaultValue, home); err != nil {
			return Settings{}, fmt.Errorf("the default of %s: %w", k.name, err)
		}
	}

	path := filepath.Join(s.Directory, "wsync.config")
	named := env(settingsPathVariable)
	if named != "" {
		var ok bool
		if path, ok = expandPath(named, home); !ok {
			return Settings{}, malformed{fmt.Errorf("the variable %s is %q: expected %s", settingsPathVariable, named, expectedPath)}
		}
	}
	data, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := s.parse(data, path, home); err != nil {
			return Settings{}, malformed{err}
		}
	case errors.Is(err, syscall.ENOTDIR):
		return Settings{}, fmt.Errorf("%s: not a directory: a file is where a directory is expected: move it away", path)
	case !errors.Is(err, fs.ErrNotExist):
		return Settings{}, fmt.Errorf("%s: %w", path, cause(err))
	case named != "":
		return Settings{}, fmt.Errorf("%s, which the variable %s names, does not exist", path, settingsPathVariable)
	}
	if err := s.checkSocketPath(path); err != nil {
		return Settings{}, malformed{err}
	}
	return s, nil
}

// parse sets what the settings file says. path is its name for errors.
func (s *Settings) parse(data []byte, path, home string) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	lines := make(map[string]int) // of the keys that were set
	number := 0
	for line := range strings.SplitSeq(string(data), "\n") {
		number++
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("%s:%d: %w", path, number, fmt.Errorf(format, args...))
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return wrong("%q: expected KEY=VALUE", line)
		}
		key := slices.IndexFunc(settingKeys, func(k settingKey) bool { return k.name == name })
		if key < 0 {
			return wrong("unknown key %q: %s", name, suggestKey(name))
		}
		if lines[name] != 0 {
			return wrong("%s is already set in line %d: expected each key once", name, lines[name])
		}
		lines[name] = number
		value, ok = unquote(value, settingKeys[key].kind.quotes)
		if !ok {
			return wrong("%s: expected double quotes on both sides of the value or on none", name)
		}
		if err := settingKeys[key].kind.set(s, value, home); err != nil {
			return wrong("%s: %w", name, err)
		}
	}
	return nil
}

// unquote removes the double quotes around a value. It fails if there is but
// one, unless the value may have quotes of its own.
func unquote(value string, own bool) (string, bool) {
	opens, closes := strings.HasPrefix(value, `"`), strings.HasSuffix(value, `"`)
	switch {
	case own && !(opens && closes && strings.Count(value, `"`) == 2):
		return value, true
	case opens && closes && len(value) >= 2:
		return value[1 : len(value)-1], true
	case opens || closes:
		return "", false
	}
	return value, true
}

// maxSocketPath returns the longest path in bytes that a unix socket can have:
// the size of sun_path without the NUL at its end.
func maxSocketPath() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103 // darwin and the BSDs
}

func (s Settings) checkSocketPath(settingsPath string) error {
	if length, limit := len(s.DaemonCommandSocketPath), maxSocketPath(); length > limit {
		return fmt.Errorf("%s: DaemonCommandSocketPath: %s has %d bytes and a socket path can have at most %d: set the key to a shorter path",
			settingsPath, s.DaemonCommandSocketPath, length, limit)
	}
	return nil
}
