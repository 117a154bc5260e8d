package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"wsync/client"
	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestExitCode(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("cannot x: %w", err) }
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"anything else", errors.New("x"), 1},
		{"interrupted", context.Canceled, 1},
		{"usage", wrapped(&usageError{message: "x"}), 2},
		{"invalid", wrapped(&api.Error{Kind: api.Invalid}), 2},
		{"not found", wrapped(&api.Error{Kind: api.NotFound}), 1},
		{"exists", wrapped(&api.Error{Kind: api.Exists}), 1},
		{"conflict", wrapped(&api.Error{Kind: api.Conflict}), 1},
		{"internal", wrapped(&api.Error{Kind: api.Internal}), 1},
		{"a kind of a newer daemon", wrapped(&api.Error{Kind: "new"}), 1},
		{"no daemon", wrapped(client.ErrNoDaemon), 3},
		{"no daemon, with a hint", wrapped(withHint(client.ErrNoDaemon, "x")), 3},
		{"not in sync", &codedError{code: exitNotInSync}, 4},
		{"held by the daemon", wrapped(&api.Error{Kind: api.Held}), 5},
		{"held by attach", wrapped(&codedError{code: exitHeld, err: errors.New("x")}), 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(test.err); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// TestStaysDown: a service manager is told whether it helps to start the daemon again.
func TestStaysDown(t *testing.T) {
	home := home(t)
	for content, want := range map[string]int{"nonsense": exitStaysDown, "": exitFailed} {
		if err := os.WriteFile(filepath.Join(home, ".wsync/wsync.config"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		code := run(t.Context(), Deps{
			Args: []string{"wsync", "daemon", "run"}, Stdout: t.Output(), Stderr: t.Output(),
			Env: func(name string) string { return map[string]string{"HOME": home}[name] },
			RunDaemon: func(context.Context, config.Settings, string, ...io.Writer) error {
				return errors.New("the disk is full")
			},
		})
		if code != want {
			t.Errorf("settings %q: exit code %d, expected %d", content, code, want)
		}
	}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("x"), false},
		{fmt.Errorf("cannot x: %w", &api.Error{Kind: api.Internal}), false},
		{fmt.Errorf("cannot x: %w", &api.Error{Kind: api.Conflict}), true},
		{fmt.Errorf("cannot x: %w", config.ErrMalformed), true},
	} {
		if staysDown(test.err) != test.want {
			t.Errorf("%v: expected %v", test.err, test.want)
		}
	}
}

func TestHintOfNoAnswer(t *testing.T) {
	for pid, want := range map[int]string{
		0:  "if it stays so: end its process, then wsync daemon start",
		12: "if it stays so: kill -9 12, then wsync daemon start",
	} {
		if got := hintOf(fmt.Errorf("cannot x: %w", &client.NoAnswerError{PID: pid})); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHintOfOtherVersion(t *testing.T) {
	refused := &api.Error{Kind: api.Unknown, Message: "m"}
	err := fmt.Errorf("cannot x: %w", &client.OtherVersionError{Err: refused, Daemon: "v1", Client: "v2"})
	if got, want := hintOf(err), "after wsync daemon restart the daemon is this version, too"; got != want || exitCode(err) != exitFailed {
		t.Errorf("got %q with %d, want %q", got, exitCode(err), want)
	}
	refused.Hint = "its own"
	if got := hintOf(err); got != refused.Hint {
		t.Errorf("got %q, want %q", got, refused.Hint)
	}
}

func TestWaitCode(t *testing.T) {
	behind := func(states ...report.State) *api.WaitResult {
		result := &api.WaitResult{}
		for _, state := range states {
			result.Behind = append(result.Behind, api.BehindRemote{Remote: report.RemoteStatus{State: state}})
		}
		return result
	}
	tests := []struct {
		name   string
		result *api.WaitResult
		want   int
	}{
		{"in sync", &api.WaitResult{InSync: true}, 0},
		{"timed out", &api.WaitResult{TimedOut: true}, 4},
		{"paused", behind(report.Paused), 4},
		{"halted", behind(report.Halted, report.Halted), 5},
		{"halted and offline", behind(report.Halted, report.Offline), 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := waitCode(test.result); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
