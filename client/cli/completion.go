package cli

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// The scripts ask `wsync __complete` for what to suggest, so that they need no change when
// commands do.
var (
	//go:embed completion/wsync.bash
	bashScript string
	//go:embed completion/_wsync
	zshScript string
	//go:embed completion/wsync.fish
	fishScript string
)

var scriptOf = map[string]*string{"bash": &bashScript, "zsh": &zshScript, "fish": &fishScript}

// completionTimeout is how long somebody who presses Tab waits for the daemon at most, and
// then as long for the workspace's file system.
const completionTimeout = 500 * time.Millisecond

func (c *command) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Category:  sectionOther,
		Usage:     "print what makes a shell complete wsync",
		ArgsUsage: "bash|zsh|fish",
		Description: `Prints a script with which a shell completes commands, options, their values, the names of workspaces and
remotes, and paths, in the workspace where a command takes such. Packages install it; otherwise one of these lines
does, in the file beside it:
  source <(wsync completion bash)    ~/.bashrc
  source <(wsync completion zsh)     ~/.zshrc, after compinit
  wsync completion fish | source     ~/.config/fish/config.fish`,
		Action: func(cCtx *cli.Context) error {
			shell := cCtx.Args().First()
			script := scriptOf[shell]
			if script == nil {
				return &usageError{
					message: fmt.Sprintf("cannot complete in %s: there is no script for it", shell),
					hint:    "there is one for " + strings.Join(shellScripts(), ", "),
				}
			}
			c.print(*script)
			return nil
		},
	}
}

// completeCommand is what the scripts ask. It says nothing of what goes wrong: whoever
// presses Tab is in the middle of something else.
func (c *command) completeCommand() *cli.Command {
	return &cli.Command{
		Name:        "__complete",
		Hidden:      true,
		Usage:       "complete a command line, for a shell",
		ArgsUsage:   "[WORD...]",
		Description: "Prints which paths may follow (files, directories, the words, or none), and words, with their meanings behind a tab.",
		Action: func(cCtx *cli.Context) error {
			words := cCtx.Args().Slice()
			if len(words) == 0 {
				words = []string{""}
			}
			known := sync.OnceValue(func() []config.Workspace { return c.knownWorkspaces(cCtx.Context) })
			all := within(2*completionTimeout, func() completion { return completer{c.commands(), known}.complete(words) })
			c.print(all.lines())
			return nil
		},
	}
}

// knownWorkspaces are the workspaces of the daemon, none if it does not say.
func (c *command) knownWorkspaces(ctx context.Context) []config.Workspace {
	daemon, err := c.connect()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	daemon.AuthSock = "" // nobody has asked for anything yet
	workspaces, err := daemon.Workspaces(ctx)
	if err != nil {
		return nil
	}
	return workspaces
}
