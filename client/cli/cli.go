// Package cli is the command line: it turns words into requests to the daemon
// and answers into lines. A noun has a file; everything that people read is
// worded in output.go and status_output.go, and what a script reads, the exit
// codes, stands in exitcodes.go.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/client/service"
	"wsync/config"
	"wsync/monitor/report"
)

// Deps is what the command line gets from main. RunDaemon, RunMonitor and Examine
// are handed in so that this package depends on neither.
type Deps struct {
	Args           []string // os.Args
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(string) string // os.Getenv
	Version        string

	// RunDaemon is the daemon in the foreground. It returns when the context
	// is done or a client stops the daemon, and reads its settings anew with a HUP
	// signal. The lines of its log are also written to also.
	RunDaemon func(ctx context.Context, settings config.Settings, version string, also ...io.Writer) error
	// RunMonitor is the monitor of the workspace name.
	RunMonitor func(ctx context.Context, name string, in io.Reader, out io.Writer) error
	// Host is the machine with its services, nil for this one.
	Host *service.Host
	// Examine carries out an examination, and calls tell with each result.
	Examine func(ctx context.Context, e report.Examination, tell func(report.Check)) error
}

// Main carries out one command and returns the exit code.
func Main(deps Deps) int {
	var signals []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		// A signal that the caller had ignored, nohup's for one, stays ignored.
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	if len(signals) > 0 { // none given would mean all of them
		ctx, stop = signal.NotifyContext(ctx, signals...)
	}
	defer stop()
	return run(ctx, deps)
}

// run is Main without the signals.
func run(ctx context.Context, deps Deps) int {
	c := &command{deps: deps, printer: newPrinter(deps.Stdout, deps.Stderr, deps.Env)}
	err := c.underService(ctx, c.run(ctx))
	if err == nil {
		err = c.unwritten
	}
	if err != nil {
		c.printer.failure(err)
	}
	return exitCode(err)
}

// command is one run of the command line.
type command struct {
	deps Deps
	*printer
}

// run finds the command that the arguments name and carries it out.
func (c *command) run(ctx context.Context) error {
	commands := c.commands()
	line, err := parse(commands, c.deps.Args[1:])
	c.errorsInJSON = line != nil && line.json
	if err != nil {
		return err
	}
	switch {
	case line.version:
		c.print("wsync " + c.deps.Version + "\n")
		return nil
	case line.help, line.command == nil:
		c.print(helpText(commands, line.path))
		return nil
	}
	// The daemon knows another use of it.
	if !slices.Equal(line.path, []string{"daemon", "run"}) && !signal.Ignored(syscall.SIGHUP) {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	app := &cli.App{
		Name:     "wsync",
		Commands: commands,
		Writer:   c.deps.Stdout, ErrWriter: c.deps.Stderr,
		// What follows turns off what urfave/cli does of its own accord: help
		// with another layout, exits from within, usage errors on stdout and
		// values that are split at commas.
		HideHelp: true, HideVersion: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              onUsageError,
		DisableSliceFlagSeparator: true,
	}
	walk(commands, nil, func(_ []string, command *cli.Command) {
		command.HideHelp = true
		command.OnUsageError = onUsageError
	})
	return app.RunContext(ctx, line.arguments())
}

// The sections of the help, in its order.
const (
	sectionDaemon     = "The daemon"
	sectionWorkspaces = "Workspaces"
	sectionRemotes    = "Remotes"
	sectionStatus     = "What is going on"
	sectionOther      = "Other"
)

// commands returns all commands in the order of the help.
func (c *command) commands() []*cli.Command {
	return []*cli.Command{
		c.daemonCommand(), c.serviceCommand(),
		c.addCommand(), c.removeCommand(), c.listCommand(), c.infoCommand(), c.ignoreCommand(), c.renameCommand(),
		c.attachCommand(), c.detachCommand(), c.setCommand(),
		c.pauseCommand(), c.resumeCommand(), c.resyncCommand(), c.approveCommand(), c.restartCommand(),
		c.statusCommand(), c.explainCommand(), c.diffCommand(), c.verifyCommand(), c.waitCommand(),
		c.webCommand(), c.logCommand(), c.eventsCommand(), c.logsCommand(), c.doctorCommand(),
		c.demoCommand(), c.helpCommand(), c.completionCommand(), c.versionCommand(), c.monitorCommand(), c.completeCommand(),
	}
}

// walk calls visit for each command and its subcommands, with the words that
// name it.
func walk(commands []*cli.Command, above []string, visit func(path []string, command *cli.Command)) {
	for _, command := range commands {
		path := append(above[:len(above):len(above)], command.Name)
		visit(path, command)
		walk(command.Subcommands, path, visit)
	}
}

// connect returns a client for the daemon of the settings. It does not reach
// out yet.
func (c *command) connect() (*client.Client, error) {
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return nil, err
	}
	return c.clientOf(settings), nil
}

func (c *command) clientOf(settings config.Settings) *client.Client {
	return &client.Client{Socket: settings.DaemonCommandSocketPath, Lock: settings.LockPath(), AuthSock: c.deps.Env("SSH_AUTH_SOCK"), Version: c.deps.Version}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON"}
}

func (c *command) helpCommand() *cli.Command {
	return &cli.Command{
		Name:        "help",
		Category:    sectionOther,
		Usage:       "explain a command or a topic",
		ArgsUsage:   "[COMMAND [SUBCOMMAND]]",
		Description: "Prints how a command is used, or a text about a topic; without one, all commands.\n" + topicsSentence() + ".",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "man", Usage: "print the manual page of wsync, in roff"}},
		Action: func(cCtx *cli.Context) error {
			if cCtx.Bool("man") {
				c.print(manPage(c.commands(), c.deps.Version, dateOfBuild()))
				return nil
			}
			if name := cCtx.Args().First(); slices.Contains(topicNames(), name) {
				text, err := topicText(name, cCtx.Args().Get(1), isTerminal(c.out))
				if err == nil {
					c.print(text)
				}
				return err
			}
			line, err := parse(c.commands(), append(cCtx.Args().Slice(), "--help"))
			if err != nil {
				return err
			}
			c.print(helpText(c.commands(), line.path))
			return nil
		},
	}
}

// monitorCommand is how the daemon starts its monitors.
func (c *command) monitorCommand() *cli.Command {
	return &cli.Command{
		Name:        "__monitor",
		Hidden:      true,
		Usage:       "mirror one workspace, for the daemon",
		ArgsUsage:   "NAME",
		Description: "Reads definitions from standard input and writes reports to standard output.",
		Action: func(cCtx *cli.Context) error {
			name := cCtx.Args().First()
			nameProcess("wsync-monitor")
			if err := c.deps.RunMonitor(cCtx.Context, name, c.deps.Stdin, c.deps.Stdout); err != nil {
				return fmt.Errorf("cannot monitor %s: %w", name, err)
			}
			return nil
		},
	}
}

// target names a workspace, or one remote of it, in a message.
func target(names ...string) string {
	return strings.TrimSuffix(strings.Join(names, "/"), "/")
}
