package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/report"
	"wsync/monitor/ssh"
)

// Options are what a Runner is made with.
type Options struct {
	Log *zap.Logger
	// Connection is the one to the remote, nil if it is not reached by ssh.
	Connection *ssh.Connection
	// Environment is that of ssh.
	Environment func() []string
	// Changed has the status reported.
	Changed func(atOnce bool)
	// Happened takes in events for the journal.
	Happened func(report.Event)
	// File keeps what is still to be told for the next monitor.
	File string
}

// Runner runs the commands of one remote. Its methods may be called from any goroutine.
type Runner struct {
	Options
	wake chan struct{} // one token: there may be something to run

	mu         sync.Mutex // guards everything below
	definition Definition
	queue      queue
	status     report.HookStatus
	giveUp     context.CancelFunc // ends the run under way, nil without one
}

// New returns a Runner that runs nothing before Run, and nothing that is not defined.
func New(o Options) *Runner {
	r := &Runner{Options: o, wake: make(chan struct{}, 1)}
	if text, err := os.ReadFile(o.File); err == nil {
		r.queue.take(ReadLines(string(text)), true)
		os.Remove(o.File)
	}
	return r
}

// DefinitionOf is what the definition of a workspace says about the commands of one of its
// remotes.
func DefinitionOf(d report.Definition, r config.Remote) Definition {
	here, there := r.HookCommands(d.Workspace)
	return Definition{
		Workspace: d.Workspace.Name, Directory: d.Workspace.LocalPath, Remote: r, Local: here, There: there,
		Timeout: d.Settings.OnSyncTimeout, Retry: d.Orders[r.Name].Retry,
	}
}

// Define takes in what is to be run from now on.
func (r *Runner) Define(d Definition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Local != r.definition.Local || d.There != r.definition.There {
		// They were those of another command. What was told one that failed, this one is told.
		r.status.Error, r.status.Ended, r.status.Took = "", nil, 0
		r.queue.retry()
		if r.giveUp != nil {
			r.giveUp()
		}
	}
	if first := r.definition.Workspace == ""; !first && d.Retry != r.definition.Retry {
		r.queue.retry()
	}
	r.definition = d
	if !d.Wanted() {
		r.queue = queue{running: r.queue.running, busy: r.queue.busy}
	}
	r.wakeUp()
}

func (r *Runner) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Take takes in what a transfer has changed on the remote, and whether it was acknowledged. It
// does not block.
func (r *Runner) Take(paths Paths, acknowledged bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.definition.Wanted() {
		r.queue.take(paths, acknowledged)
		r.wakeUp()
	}
}

// Status is how the commands fare, nil if there are none.
func (r *Runner) Status() *report.HookStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.definition.Wanted() {
		return nil
	}
	s := r.status
	s.Waiting = r.queue.left().Len()
	return &s
}

// Run runs commands until ctx is done; then none is left.
func (r *Runner) Run(ctx context.Context) {
	defer r.keep()
	for ctx.Err() == nil {
		r.mu.Lock()
		d := r.definition
		paths, ok := r.queue.begin()
		began := time.Now()
		running, giveUp := context.WithCancel(ctx)
		if ok {
			r.status.Running, r.giveUp = &began, giveUp
		}
		r.mu.Unlock()
		if !ok {
			select {
			case <-ctx.Done():
			case <-r.wake:
			}
			giveUp()
			continue
		}
		r.Changed(false)
		err := r.runAll(running, d, paths)
		givenUp := running.Err() != nil && ctx.Err() == nil
		giveUp()
		if givenUp {
			r.givenUp()
		} else {
			r.ended(ctx, d, paths, began, err)
		}
	}
}

// givenUp takes in that a run was given up, because there is another command.
func (r *Runner) givenUp() {
	r.mu.Lock()
	if r.queue.giveUp(); !r.definition.Wanted() {
		r.queue = queue{}
	}
	r.status.Running, r.giveUp = nil, nil
	r.mu.Unlock()
	r.Changed(false)
}

// ended takes in how a run has ended.
func (r *Runner) ended(ctx context.Context, d Definition, paths Paths, began time.Time, err error) {
	ended := time.Now()
	r.mu.Lock()
	r.queue.end(err != nil)
	s := &r.status
	s.Running, s.Ended, s.Took, s.Error = nil, &ended, ended.Sub(began), ""
	r.giveUp = nil
	s.Runs++
	if err != nil {
		s.Failures++
		s.Error = err.Error()
	}
	r.mu.Unlock()
	r.Changed(false)
	fields := []zap.Field{zap.Int("paths", paths.Len()), zap.Duration("took", ended.Sub(began)), zap.Error(err)}
	switch {
	case err == nil:
		r.Log.Debug("on-sync done", fields...)
	case ctx.Err() == nil: // or else it was ended with the monitor, and the next one tells
		r.Log.Warn("on-sync failed", fields...)
		r.Happened(report.Event{Time: ended, Remote: d.Remote.Name, RemoteID: d.Remote.ID, Kind: report.EventHookFailed, Error: err.Error(), Took: ended.Sub(began)})
	}
}

// runAll runs the command over there and then the one here, whether or not that was well. What
// was not begun, because ctx was done, has failed.
func (r *Runner) runAll(ctx context.Context, d Definition, paths Paths) error {
	var errs []error
	if d.There != "" {
		if err := r.runThere(ctx, d, paths); err != nil {
			errs = append(errs, fmt.Errorf("on-sync-remote: %w", err))
		}
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(append(errs, err)...)
	}
	if d.Local != "" {
		if err := r.runHere(ctx, d, paths); err != nil {
			errs = append(errs, fmt.Errorf("on-sync: %w", err))
		}
	}
	return errors.Join(errs...)
}

// runHere runs the command in the workspace's directory.
func (r *Runner) runHere(ctx context.Context, d Definition, paths Paths) error {
	home, _ := os.UserHomeDir()
	args := config.CommandArgs(d.Local, home)
	limited, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, args[0], args[1:]...)
	cmd.Dir = d.Directory
	cmd.Env = append(hereEnvironment(r.Environment()), d.variables(paths)...)
	return tooLong(run(limited, cmd, paths), d.Timeout, "it was ended")
}

// hereEnvironment is the environment of the command here: this process's own, with ssh's
// agent as of now, and not in the locale of ssh.
func hereEnvironment(ofSSH []string) []string {
	env := os.Environ()
	for _, v := range ofSSH {
		if strings.HasPrefix(v, "SSH_AUTH_SOCK=") {
			env = append(env, v)
		}
	}
	return env
}

// thereGrace is how much longer than the command over there its connection may take.
const thereGrace = 10 * time.Second

// runThere runs the command in the destination, by ssh.
func (r *Runner) runThere(ctx context.Context, d Definition, paths Paths) error {
	if r.Connection == nil {
		return errors.New("the remote is not reached by ssh")
	}
	release, err := r.Connection.AcquireSpare(ctx)
	if err != nil {
		return err
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, d.Timeout+thereGrace)
	defer cancel()
	env := r.Environment()
	if err := r.Connection.Ensure(limited, env); err != nil {
		return err
	}
	argv := append(r.Connection.Command(), "--", r.Connection.Host(), d.thereLine(paths))
	cmd := exec.CommandContext(limited, argv[0], argv[1:]...)
	cmd.Env = env
	err = run(limited, cmd, paths)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == timeoutStatus {
		err = context.DeadlineExceeded
	}
	return tooLong(err, d.Timeout, "it was ended")
}

// tooLong says in words that a command took too long.
func tooLong(err error, limit time.Duration, what string) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s, because it took longer than %s (OnSyncTimeout)", what, config.FormatDuration(limit))
	}
	return err
}

// keep leaves what is still to be told to the next monitor.
func (r *Runner) keep() {
	r.mu.Lock()
	left := r.queue.left()
	r.mu.Unlock()
	if left.Len() == 0 || r.File == "" {
		return
	}
	err := os.WriteFile(r.File, []byte(left.Lines()), 0o600)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // the workspace was removed
		r.Log.Warn("Cannot remember what on-sync is to be told", zap.Error(err))
	}
}
