package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Host is a machine and a user of it. A test makes one of its own.
type Host struct {
	OS   string // as runtime.GOOS has it
	Root string // what all paths are below, "" for /
	User string // the user's name
	UID  int
	Home string // the user's home directory, as the system knows it
	// Run runs a command and returns what it printed. The error has what it complained of.
	Run func(ctx context.Context, name string, args ...string) (string, error)
}

// ErrNoManager is in the error where there is no service manager that is known.
var ErrNoManager = errors.New("no service manager that wsync knows: systemd, or launchd on macOS")

// ThisHost is this machine with the user that runs this process.
func ThisHost() (Host, error) {
	who, err := user.Current()
	if err != nil {
		return Host{}, fmt.Errorf("cannot find out who you are: %w", err)
	}
	h := Host{OS: runtime.GOOS, User: who.Username, UID: os.Getuid(), Home: who.HomeDir}
	h.Run = h.run
	return h, nil
}

// As is the machine as another user has it. getent also knows users who are in no file,
// as a static binary does not.
func (h Host) As(ctx context.Context, name string) (Host, error) {
	if name == h.User {
		return h, nil
	}
	entry, err := h.Run(ctx, "getent", "passwd", name)
	fields := strings.Split(strings.TrimSpace(entry), ":")
	if err != nil || len(fields) != 7 {
		return Host{}, fmt.Errorf("there is no user %s", name)
	}
	if h.UID, err = strconv.Atoi(fields[2]); err != nil {
		return Host{}, fmt.Errorf("the user %s has the number %q", name, fields[2])
	}
	h.User, h.Home = fields[0], fields[5]
	return h, nil
}

// commandTime bounds a command of the service manager. To start the daemon is one of them.
const commandTime = 2 * time.Minute

func (h Host) run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	// Neither su nor sudo sets it.
	if directory := h.runtimeDirectory(); os.Getenv("XDG_RUNTIME_DIR") == "" {
		if _, err := os.Stat(directory); err == nil {
			cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+directory)
		}
	}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(complaint.String()); said != "" {
			err = errors.New(strings.ReplaceAll(said, "\n", "; "))
		}
		return out.String(), fmt.Errorf("%s: %w", strings.Join(append([]string{name}, args...), " "), err)
	}
	return out.String(), nil
}

// runtimeDirectory is where systemd keeps the sockets of the user's processes.
func (h Host) runtimeDirectory() string { return fmt.Sprintf("/run/user/%d", h.UID) }

func (h Host) path(name string) string {
	if h.Root == "" {
		return name
	}
	return filepath.Join(h.Root, name)
}

func (h Host) exists(name string) bool {
	_, err := os.Lstat(h.path(name))
	return err == nil
}

// Own is the service of the user's own.
func (h Host) Own() (*Service, error) {
	switch h.OS {
	case "linux":
		return &Service{Name: unitName, File: filepath.Join(h.Home, ".config/systemd/user", unitName), User: h.User,
			host: h, manager: systemd{h}}, nil
	case "darwin":
		return &Service{Name: agentLabel, File: filepath.Join(h.Home, "Library/LaunchAgents", agentLabel+".plist"), User: h.User,
			host: h, manager: launchd{h}}, nil
	}
	return nil, ErrNoManager
}

// OfSystem is the system's service for a user.
func (h Host) OfSystem(user string) (*Service, error) {
	if h.OS != "linux" {
		return nil, fmt.Errorf("on this system there is a service of your own only: %w", ErrNoManager)
	}
	name := "wsync@" + user + ".service"
	return &Service{Name: name, File: filepath.Join(systemUnits, name), System: true, User: user, host: h, manager: systemd{h}}, nil
}

// Installed are the services of this user's daemon that are installed: one, if all is well.
func (h Host) Installed() (all []*Service) {
	for _, find := range []func() (*Service, error){h.Own, func() (*Service, error) { return h.OfSystem(h.User) }} {
		if s, err := find(); err == nil && s.Installed() {
			all = append(all, s)
		}
	}
	return all
}
