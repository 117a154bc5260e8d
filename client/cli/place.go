package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"wsync/config"
	"wsync/daemon/api"
)

// The keys of wsync set that are no options: where a workspace is, and a remote.
const (
	pathKey        = "path"
	destinationKey = "destination"
)

const placesHelp = `
Places, each by itself:
  path              the directory of the workspace, if it has moved: it is compared with the remotes anew, and
                    what they have and it does not is held
  destination       where the remote is, as DEST of wsync attach, and with the same care; user, port and files
                    with keys stay if the host does
`

// placeIn returns the key in set that says where a remote is, or without one the
// workspace; "" if there is none.
func placeIn(set []config.Assignment, remote string) string {
	key := pathKey
	if remote != "" {
		key = destinationKey
	}
	for _, a := range set {
		if a.Name == key {
			return key
		}
	}
	return ""
}

// setPath has another directory be the workspace's.
func (c *command) setPath(cCtx *cli.Context, workspace, path string) error {
	cannot := func(err error) error { return fmt.Errorf("cannot set the path of %s: %w", workspace, err) }
	path, err := absolutePath(path)
	if err != nil {
		return &usageError{message: cannot(err).Error()}
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	status, err := daemon.SetPath(cCtx.Context, workspace, api.SetPath{LocalPath: path})
	if err != nil {
		return cannot(err)
	}
	c.result("set %s: %s", workspace, status.Workspace.LocalPath)
	for _, note := range status.Notes {
		c.note("%s", note)
	}
	return nil
}

// setDestination has a remote be at another destination.
func (c *command) setDestination(cCtx *cli.Context, workspace, remote, dest string) error {
	cannot := func(err error) error {
		return fmt.Errorf("cannot set the destination of %s: %w", target(workspace, remote), err)
	}
	dest, err := withLocalPath(dest)
	if err != nil {
		return &usageError{message: cannot(err).Error()}
	}
	to, err := config.ParseDestination(dest)
	if err != nil {
		return &usageError{message: cannot(err).Error()}
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	to.Name = remote
	end := c.looking(to.Destination())
	status, err := daemon.Move(cCtx.Context, workspace, remote, api.AttachRemote{
		Remote: to, DeleteExisting: cCtx.Bool("delete-existing"), OverwriteExisting: cCtx.Bool("overwrite-existing"),
		Offline: cCtx.Bool("offline"), Settle: settleTimeout,
	})
	end()
	if err != nil {
		if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Held != nil {
			c.held(refused.Held)
		}
		return cannot(err)
	}
	c.result("set %s: %s", target(workspace, remote), destination(status.Workspace, remote))
	return nil
}
