package cli

import (
	"fmt"
	"net"
	"strconv"

	"github.com/urfave/cli/v2"

	"wsync/client/web"
)

func (c *command) webCommand() *cli.Command {
	return &cli.Command{
		Name:      "web",
		Category:  sectionStatus,
		Usage:     "show what is going on in a browser",
		ArgsUsage: "[NAME [REMOTE]]",
		Description: `Prints a link, and shows the status live in the browser that opens it, as wsync status --watch does on a terminal, until
it is interrupted. The link is for this machine, and lets one browser in, once; then the next one is printed. By ssh it
works from elsewhere: with --port 8384, ssh -L 8384:127.0.0.1:8384 HOST there. The browser only shows, unless there is
--control: then it can pause, resume, resync, verify and, when what is held was listed, approve.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "control", Usage: "also do what is asked for in the browser"},
			&cli.IntFlag{Name: "port", Usage: "listen on port `N` of 127.0.0.1 (default: any that is free)"},
		},
		Action: c.web,
	}
}

func (c *command) web(cCtx *cli.Context) error {
	name, remote, port := cCtx.Args().Get(0), cCtx.Args().Get(1), cCtx.Int("port")
	if port < 0 || port > 65535 {
		return &usageError{message: fmt.Sprintf("cannot listen on port %d: expected 1 to 65535", port)}
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	if _, err := daemon.Status(cCtx.Context, name, remote, 0); err != nil {
		return statusError(target(name, remote), err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return withHint(fmt.Errorf("cannot listen: %w", err), "without --port it takes any port that is free")
	}
	first := true
	link := func(link string) {
		if !first {
			c.note("a browser is in; the link for another one is")
		}
		first = false
		c.result("%s", link)
	}
	backend := &liveBackend{command: c, daemon: daemon, workspace: name, remote: remote}
	if err := web.Serve(cCtx.Context, listener, backend, web.Options{Control: cCtx.Bool("control"), Link: link}); err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	return nil
}
