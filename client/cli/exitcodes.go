package cli

import (
	"context"
	"errors"
	"fmt"

	"wsync/client"
	"wsync/daemon/api"
)

// The exit codes, for scripts.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2 // what was typed makes no sense
	exitNoDaemon  = 3
	exitNotInSync = 4 // or timed out
	exitHeld      = 5 // a guard against deletion
	exitStaysDown = 6 // the daemon cannot run until somebody does something: no use in starting it again
)

// exitMeanings say what each exit code means.
var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitDone, "done"},
	{exitFailed, "it failed; wsync doctor: a check failed; wsync ignore --check: nothing is left out"},
	{exitUsage, "wrong usage, and nothing was done"},
	{exitNoDaemon, "no daemon runs: wsync daemon start"},
	{exitNotInSync, "not in sync, different, or timed out (wsync wait, diff, verify, status --check)"},
	{exitHeld, "held by a guard: see GUARDS"},
	{exitStaysDown, "wsync daemon run: it cannot run before somebody does something, as another daemon runs or a file of its own is wrong"},
}

// refusalCodes are the exit codes of what the daemon refuses.
var refusalCodes = map[api.ErrorKind]int{
	api.Invalid:  exitUsage,
	api.NotFound: exitFailed,
	api.Exists:   exitFailed,
	api.Held:     exitHeld,
	api.Conflict: exitFailed,
	api.Failed:   exitFailed,
	api.Internal: exitFailed,
	api.Unknown:  exitFailed,
}

// exitCode returns the exit code for the error of a command.
func exitCode(err error) int {
	var coded *codedError
	var usage *usageError
	var refused *api.Error
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, client.ErrNoDaemon):
		return exitNoDaemon
	case errors.As(err, &refused):
		if code, known := refusalCodes[refused.Kind]; known {
			return code
		}
	}
	return exitFailed
}

// usageError is a command line that makes no sense.
type usageError struct {
	message string
	usage   string // how it would make sense, or ""
	hint    string // or ""
}

func (e *usageError) Error() string { return e.message }

// codedError is an error with an exit code of its own. Without err the
// command has already said why it failed.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *codedError) Unwrap() error { return e.err }

// hintedError is an error with a next step.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// withHint adds a next step to err.
func withHint(err error, format string, a ...any) error {
	return &hintedError{err: err, hint: fmt.Sprintf(format, a...)}
}

// hintOf returns the next step after err, or "".
func hintOf(err error) string {
	var hinted *hintedError
	var usage *usageError
	var refused *api.Error
	var late *client.NoAnswerError
	var other *client.OtherVersionError
	switch {
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, &usage):
		return usage.hint
	case errors.Is(err, client.ErrNoDaemon):
		return "wsync daemon start"
	case errors.As(err, &late) && late.PID == 0:
		return "if it stays so: end its process, then wsync daemon start"
	case errors.As(err, &late):
		return fmt.Sprintf("if it stays so: kill -9 %d, then wsync daemon start", late.PID)
	case errors.As(err, &refused) && refused.Hint != "":
		return refused.Hint
	case errors.As(err, &other):
		return "after wsync daemon restart the daemon is this version, too"
	}
	return ""
}

// failure is the error that ends a command, as a script reads it.
type failure struct {
	Error string `json:"error"`
	// Hint is a next step, and Usage how the command is used, "" for none.
	Hint  string `json:"hint,omitempty"`
	Usage string `json:"usage,omitempty"`
	// ExitStatus is that of the process.
	ExitStatus int `json:"exit_status"`
}

// failureOf is what there is to say of err.
func failureOf(err error) failure {
	var usage *usageError
	f := failure{Error: err.Error(), Hint: hintOf(err), ExitStatus: exitCode(err)}
	switch {
	case errors.Is(err, context.Canceled):
		f.Error = "interrupted"
	case errors.As(err, &usage):
		f.Usage = usage.usage
	}
	return f
}
