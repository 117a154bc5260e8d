package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/relay"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// connect makes the connection that the remote needs before rsync can run.
func (l *lane) connect(ctx context.Context, remote config.Remote) (rsync.Endpoint, *outcome) {
	endpoint := rsync.Endpoint{Remote: remote, Exclude: l.exclude, Began: time.Now()}
	switch remote.Connection.Kind() {
	case config.KindRsyncDaemon:
		failure := l.connectDaemon(ctx, &endpoint)
		return endpoint, failure
	case config.KindLocal:
		// Not rsync, which makes only the last directory of the path.
		if err := os.MkdirAll(filepath.Dir(remote.RemotePath), 0o777); err != nil {
			failure := &outcome{err: fmt.Errorf("cannot make the destination: %w", err), attention: true}
			var where *fs.PathError
			if errors.As(err, &where) && errors.Is(err, fs.ErrPermission) {
				failure.hint = "the user who runs the daemon must be able to write into " + filepath.Dir(where.Path)
			}
			return endpoint, failure
		}
	default:
		if err := l.connection.Ensure(ctx, l.environment()); err != nil {
			return endpoint, connectFailure(err)
		}
		endpoint.SSH = l.connection.Command()
	}
	return endpoint, nil
}

// rsyncPort is an rsync daemon's if none is named (services(5)).
const rsyncPort = 873

// connectDaemon leads to the daemon by a relay, and makes the connection that
// the next run is to use.
func (l *lane) connectDaemon(ctx context.Context, endpoint *rsync.Endpoint) *outcome {
	if os.Getenv("RSYNC_PROXY") != "" || os.Getenv("RSYNC_CONNECT_PROG") != "" {
		return nil // the user has another way, which rsync itself must go
	}
	if l.relay == nil {
		d := endpoint.Remote.Connection.RsyncDaemon
		port := d.Port
		if port == 0 {
			port = rsyncPort
		}
		opened, err := relay.New(net.JoinHostPort(strings.Trim(d.Host, "[]"), strconv.Itoa(port)))
		if err != nil {
			return &outcome{err: err}
		}
		l.relay = opened
	}
	endpoint.Relay = l.relay.Address()
	if s := l.standby; s != nil {
		if s.Ready() {
			return nil // it is connected
		}
		s.Close() // it may only be about to end
		l.standby = nil
	}
	if err := l.relay.Connect(ctx); err != nil {
		return &outcome{err: err, offline: true}
	}
	return nil
}

// connectFailure tells a missing ssh from a remote that is away.
func connectFailure(err error) *outcome {
	var failure *ssh.ConnectError
	switch {
	case errors.As(err, &failure):
		message, hint := rsync.Words(255, rsync.ParseStderr(failure.Stderr, "", ""))
		return &outcome{err: errors.New(message), hint: hint, offline: true}
	case errors.Is(err, exec.ErrNotFound):
		return &outcome{err: errors.New("there is no ssh in PATH"), hint: "install the OpenSSH client", attention: true}
	}
	return &outcome{err: err, offline: true}
}
