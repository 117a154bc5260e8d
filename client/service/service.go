// Package service makes the daemon a service of the system's service manager: a unit of
// systemd, the user's own or the system's, or an agent of launchd. What the manager is
// given is made of values alone, by Unit and Agent; a Service does what there is to do,
// by the manager's own commands.
package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Options say how the daemon is run.
type Options struct {
	// Executable is the absolute path of wsync.
	Executable string
	// System: it is the system's service, not the user's own, and runs as User.
	System bool
	User   string
	// Environment has further variables, NAME=VALUE.
	Environment []string
	// Log is the file for what the daemon prints besides its log, where the manager keeps
	// no log of its own.
	Log string
}

// Service is the daemon of a user as a service. Its methods run commands of the service
// manager, and return what that has to say in their errors.
type Service struct {
	// Name is what the manager calls it, File where its definition is installed.
	Name, File string
	// System: it is the system's.
	System bool
	// User is whose daemon it is.
	User string

	host    Host
	manager manager
}

// State is how a service is doing.
type State struct {
	// Enabled: it is started by itself, at a login or when the system starts.
	Enabled bool
	// Active is the manager's word, such as "active", "activating", "inactive" or "failed".
	Active string
	// Why says how it ended, when it does not run, or is "".
	Why string
	// PID is the daemon's, 0 if it does not run.
	PID int
	// File is the definition in force, which may be another one than Service.File.
	File string
}

// Running tells whether the daemon runs, or is being started.
func (s State) Running() bool { return s.PID != 0 }

// manager is what a service manager can do.
type manager interface {
	// kind is its name.
	kind() string
	// definition is what the file of a service has.
	definition(o Options) string
	// marks are the files of which one is there if the service is installed, be it by
	// somebody else.
	marks(s *Service) []string
	// load has the manager take in a new definition, and start the service by itself from
	// now on; unload the contrary, when the service is stopped.
	load(ctx context.Context, s *Service) error
	unload(ctx context.Context, s *Service) error
	// forget is for when the file is gone.
	forget(ctx context.Context, s *Service) error
	start(ctx context.Context, s *Service) error
	restart(ctx context.Context, s *Service) error
	state(ctx context.Context, s *Service) (State, error)
	// command is what a person types to start or restart it, logCommand to see its log.
	command(s *Service, verb string) string
	logCommand(s *Service) string
	// lastWords are what the daemon printed last, or "".
	lastWords(ctx context.Context, s *Service) string
}

// Kind is the name of the service manager.
func (s *Service) Kind() string { return s.manager.kind() }

// Definition is what the service's file has with these options.
func (s *Service) Definition(o Options) string { return s.manager.definition(o) }

// StartCommand is the manager's command that starts the service, RestartCommand the one
// that restarts it, LogCommand the one that shows what it has said.
func (s *Service) StartCommand() string   { return s.manager.command(s, "start") }
func (s *Service) RestartCommand() string { return s.manager.command(s, "restart") }
func (s *Service) LogCommand() string     { return s.manager.logCommand(s) }

// NeedsRoot tells whether this user may not start, stop or change the service.
func (s *Service) NeedsRoot() bool { return s.System && s.host.UID != 0 }

// Installed tells whether the service is there: by Install, or by a package whose unit
// somebody has enabled.
func (s *Service) Installed() bool {
	for _, mark := range s.manager.marks(s) {
		if _, err := os.Lstat(s.host.path(mark)); err == nil {
			return true
		}
	}
	return false
}

// Install writes the definition and has the manager start it by itself from now on. It does
// not start it now. changed: there was another definition, or none.
func (s *Service) Install(ctx context.Context, definition string) (changed bool, err error) {
	path := s.host.path(s.File)
	if before, err := os.ReadFile(path); err != nil || string(before) != definition {
		changed = true
		if err := write(path, definition); err != nil {
			return false, fmt.Errorf("cannot write %s: %w", s.File, err)
		}
	}
	return changed, s.manager.load(ctx, s)
}

// write writes a file that is there whole or not at all, with the directories above it.
func write(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".wsync-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // no longer there, if all went well
	_, err = temporary.WriteString(content)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// Uninstall stops the service and removes its definition. One that came with a package
// stays, and is only no longer started by itself.
func (s *Service) Uninstall(ctx context.Context) error {
	if err := s.manager.unload(ctx, s); err != nil {
		return err
	}
	if err := os.Remove(s.host.path(s.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove %s: %w", s.File, err)
	}
	return s.manager.forget(ctx, s)
}

// Start starts the service and returns when the daemon answers, Restart when a new one does.
func (s *Service) Start(ctx context.Context) error   { return s.manager.start(ctx, s) }
func (s *Service) Restart(ctx context.Context) error { return s.manager.restart(ctx, s) }

// State asks the manager how the service is doing.
func (s *Service) State(ctx context.Context) (State, error) { return s.manager.state(ctx, s) }

// LastWords are what the daemon has printed last of what was wrong, or "".
func (s *Service) LastWords(ctx context.Context) string { return s.manager.lastWords(ctx, s) }
