package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
	"wsync/daemon/api"
)

// settleTimeout is how long attach waits to see what becomes of a new remote.
const settleTimeout = 3 * time.Second

// looksLong is how long a look at a destination may take before a person is told of it.
const looksLong = 5 * time.Second

// looking tells on standard error, if the look at a destination takes long, what is
// waited for. The function that it returns ends that, and must be called.
func (c *command) looking(destination string) (end func()) {
	looked, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-looked:
		case <-time.After(looksLong):
			c.note("comparing what is at %s with the workspace, before anything is sent there", destination)
		}
	}()
	return func() { close(looked); <-ended }
}

func (c *command) attachCommand() *cli.Command {
	return &cli.Command{
		Name:      "attach",
		Category:  sectionRemotes,
		Usage:     "mirror a workspace to a remote",
		ArgsUsage: "NAME REMOTE DEST",
		Description: `Mirrors the workspace NAME to DEST from now on, under the name REMOTE. DEST is one of
  [user@]host:/path                         by ssh; host may be an alias of ~/.ssh/config
  ssh://[user@]host[:port]/path             the same
  rsync://[user@]host[:port]/module[/path]  by an rsync daemon
  [user@]host::module[/path]                the same
  /path                                     a directory of this machine`,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "port", Usage: "the port `N` of the host"},
			&cli.StringFlag{Name: "user", Usage: "log in as `USER`"},
			&cli.StringFlag{Name: "identity-file", Usage: "the ssh key is in `FILE`"},
			&cli.StringFlag{Name: "password-file", Usage: "the password for the rsync daemon is in `FILE`"},
			&cli.BoolFlag{Name: "delay-updates", Usage: "let the files of one transfer appear together, at its end"},
			&cli.StringFlag{Name: "trash", Usage: "keep what is deleted or overwritten for `DURATION`, such as 7d"},
			&cli.BoolFlag{Name: "skip-unsupported", Usage: "be in sync without what the file system of DEST cannot hold"},
			setFlag(),
			&cli.BoolFlag{Name: "delete-existing", Usage: "delete what is in DEST and not in the workspace"},
			&cli.BoolFlag{Name: "overwrite-existing", Usage: "overwrite what is in DEST with other contents"},
			&cli.BoolFlag{Name: "offline", Usage: "attach DEST although no connection can be made now"},
			&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "only say what would be sent, deleted and overwritten; exit 5 if options must allow it"},
		},
		Action: c.attach,
	}
}

func (c *command) attach(cCtx *cli.Context) error {
	ctx, workspace, name := cCtx.Context, cCtx.Args().Get(0), cCtx.Args().Get(1)
	cannot := func(err error) error { return fmt.Errorf("cannot attach %s: %w", target(workspace, name), err) }

	remote, err := newRemote(cCtx)
	if err != nil {
		return cannot(err)
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	// Before anybody is asked for a passphrase.
	if _, err := daemon.Workspace(ctx, workspace); err != nil {
		return cannot(err)
	}
	c.warnMissing("rsync")
	if remote.Connection.Kind() == config.KindSSH {
		c.warnMissing("ssh")
		if isTerminal(c.deps.Stdin) && isTerminal(c.err) {
			c.firstConnection(ctx, remote)
		}
	}
	attach := api.AttachRemote{
		Remote: remote, DeleteExisting: cCtx.Bool("delete-existing"), OverwriteExisting: cCtx.Bool("overwrite-existing"),
		Offline: cCtx.Bool("offline"), Settle: settleTimeout,
	}
	if cCtx.Bool("dry-run") {
		end := c.looking(remote.Destination())
		found, err := daemon.Look(ctx, workspace, attach)
		end()
		if err != nil {
			return cannot(err)
		}
		return c.looked(found, attach)
	}
	end := c.looking(remote.Destination())
	status, err := daemon.Attach(ctx, workspace, attach)
	end()
	if err != nil {
		if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Held != nil {
			c.held(refused.Held)
		}
		return cannot(err)
	}
	for _, s := range status.Remotes {
		if s.Name == name {
			c.attached(workspace, remote.Destination(), s)
		}
	}
	return nil
}

// newRemote returns the remote that the command line describes.
func newRemote(cCtx *cli.Context) (config.Remote, error) {
	dest, err := withLocalPath(cCtx.Args().Get(2))
	if err != nil {
		return config.Remote{}, &usageError{message: err.Error()}
	}
	remote, err := config.ParseDestination(dest)
	if err != nil {
		return remote, &usageError{message: err.Error()}
	}
	remote.Name = cCtx.Args().Get(1)
	if err := setByFlags(cCtx, &remote); err != nil {
		return remote, &usageError{message: err.Error(), hint: "wsync set --help has the options"}
	}
	flags := config.DestinationFlags{Port: cCtx.Int("port"), User: cCtx.String("user")}
	if cCtx.IsSet("port") && flags.Port == 0 {
		return remote, &usageError{message: "--port is 0: expected a number from 1 to 65535"}
	}
	if flags.IdentityFile, err = absoluteFile(cCtx, "identity-file"); err != nil {
		return remote, err
	}
	if flags.PasswordFile, err = absoluteFile(cCtx, "password-file"); err != nil {
		return remote, err
	}
	if err := remote.Apply(flags); err != nil {
		return remote, &usageError{message: err.Error()}
	}
	if file := flags.PasswordFile; file != "" {
		// rsync refuses such a file, but only when it is too late to say so here.
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o006 != 0 {
			return remote, withHint(fmt.Errorf("others may read or write the password file %s", file), "chmod 600 %s", file)
		}
	}
	return remote, nil
}

// setByFlags gives a new remote its options. Those that have a flag of their own may be
// given either way.
func setByFlags(cCtx *cli.Context, remote *config.Remote) error {
	var flags []config.Assignment
	for _, name := range []string{"delay-updates", "skip-unsupported"} {
		if cCtx.Bool(name) {
			flags = append(flags, config.Assignment{Name: name, Value: "on"})
		}
	}
	if cCtx.IsSet("trash") {
		flags = append(flags, config.Assignment{Name: "trash", Value: cCtx.String("trash")})
	}
	if err := remote.SetOptions(flags); err != nil {
		return fmt.Errorf("--%w", err)
	}
	set, err := assignments(cCtx.StringSlice("set"))
	if err == nil {
		err = remote.SetOptions(set)
	}
	if err != nil {
		return fmt.Errorf("--set: %w", err)
	}
	return nil
}

// absoluteFile returns the absolute path of the file that an option names, ""
// if it is not set.
func absoluteFile(cCtx *cli.Context, option string) (string, error) {
	path := cCtx.String(option)
	if path == "" {
		return "", nil
	}
	path, err := absolutePath(path)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", option, err)
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("--%s: %s does not exist", option, path)
	case err != nil:
		return "", fmt.Errorf("--%s: %w", option, err)
	case info.IsDir():
		return "", fmt.Errorf("--%s: %s is a directory", option, path)
	}
	return path, nil
}

// firstConnection lets ssh ask the user what it may have to ask, about an
// unknown host key or for a passphrase: the daemon has no terminal. A failure
// only warns, since the host may just be down.
func (c *command) firstConnection(ctx context.Context, remote config.Remote) {
	ssh := exec.CommandContext(ctx, "ssh", sshArguments(remote)...)
	ssh.Stdin, ssh.Stdout, ssh.Stderr = c.deps.Stdin, c.err, c.err
	err := ssh.Run()
	const sshFailed = 255 // any other code is that of the command, which ran or was not allowed to
	var exit *exec.ExitError
	switch {
	case err == nil, ctx.Err() != nil:
	case !errors.As(err, &exit):
		c.note("cannot run ssh: %v", err)
	case exit.ExitCode() == sshFailed:
		c.note("the first connection failed, for the reason that ssh gives above")
	}
}

// sshArguments connects as the monitor will, and does nothing there. Settings
// of the user's that would get in the way of that are turned off: connections
// that are shared say nothing.
func sshArguments(remote config.Remote) []string {
	connection := remote.Connection
	var args []string
	for _, option := range remote.SSHOptions {
		args = append(args, "-o", option)
	}
	args = append(args, "-T", "-o", "ConnectTimeout=10", "-o", "ControlPath=none", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none")
	if alias := connection.HostAlias; alias != nil {
		return append(args, "--", alias.HostAlias, "true")
	}
	host := connection.SSH
	if host.Port != 0 {
		args = append(args, "-p", strconv.Itoa(host.Port))
	}
	if host.Username != "" {
		args = append(args, "-l", host.Username)
	}
	if host.IdentityFile != "" {
		args = append(args, "-i", host.IdentityFile)
	}
	return append(args, "--", host.Host, "true")
}

func (c *command) detachCommand() *cli.Command {
	return &cli.Command{
		Name:        "detach",
		Category:    sectionRemotes,
		Usage:       "stop mirroring to a remote",
		ArgsUsage:   "NAME REMOTE",
		Description: "Stops mirroring the workspace NAME to REMOTE and forgets it; what it holds stays.",
		Action: func(cCtx *cli.Context) error {
			workspace, remote := cCtx.Args().Get(0), cCtx.Args().Get(1)
			daemon, err := c.connect()
			if err != nil {
				return err
			}
			if err := daemon.Detach(cCtx.Context, workspace, remote); err != nil {
				return fmt.Errorf("cannot detach %s: %w", target(workspace, remote), err)
			}
			c.result("detached %s", target(workspace, remote))
			return nil
		},
	}
}
