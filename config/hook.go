package config

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// HookOff is the value of an option for a command by which there is none.
const HookOff = "off"

// HookCommands are the command lines that are run here and over there after the remote,
// which is one of w, was sent something, "" for none.
func (r Remote) HookCommands(w Workspace) (here, there string) {
	here = hookCommand(r.OnSync, w.OnSync)
	if r.Connection.Kind() == KindSSH {
		there = hookCommand(r.OnSyncRemote, w.OnSyncRemote)
	}
	return here, there
}

func hookCommand(ofRemote, ofWorkspace string) string {
	switch ofRemote {
	case "":
		return ofWorkspace
	case HookOff:
		return ""
	}
	return ofRemote
}

// HasHooks reports whether the workspace file has the workspace, or a remote of it, run
// commands.
func (w Workspace) HasHooks() bool {
	for _, r := range w.Remotes {
		if here, there := r.HookCommands(w); here != "" || there != "" {
			return true
		}
	}
	return w.OnSync != "" || w.OnSyncRemote != ""
}

// hookOption is an option whose value is a command; off is what it is with HookOff.
func hookOption[T any](field func(*T) *string, off string) optionKind[T] {
	const expected = HookOff + ", or " + expectedCommand
	return newOption(field, expected, func(value string) (string, error) {
		switch {
		case value == HookOff:
			return off, nil
		case !isCommand(value):
			return "", fmt.Errorf("expected %s, found %q", expected, value)
		}
		return value, nil
	}, func(value string) string { return value })
}

// checkWriters refuses a workspace file that has commands and that others may have written:
// they are run as the user.
func checkWriters(path string, workspaces []Workspace) error {
	hooks := false
	for _, w := range workspaces {
		hooks = hooks || w.HasHooks()
	}
	if !hooks {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return cause(err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("it has commands (on_sync), and others may write it: take that from them with chmod go-w")
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("it has commands (on_sync), and is not yours, but that of the user %d", stat.Uid)
	}
	return nil
}
