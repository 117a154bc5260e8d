package transfer

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
	"syscall"
	"time"

	"wsync/config"
	"wsync/monitor/relay"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// connect makes the connection that the remote needs before rsync can run, and makes way
// for a local destination.
func (l *Lane) connect(ctx context.Context, r config.Remote) (rsync.Endpoint, *remote.Failure) {
	endpoint, failure := l.reach(ctx, r)
	if failure == nil && r.Connection.Kind() == config.KindLocal {
		failure = makeParent(r)
	}
	return endpoint, failure
}

// reach is connect that changes nothing at the destination.
func (l *Lane) reach(ctx context.Context, r config.Remote) (rsync.Endpoint, *remote.Failure) {
	endpoint := rsync.Endpoint{Remote: r, Began: l.now()}
	switch r.Connection.Kind() {
	case config.KindRsyncDaemon:
		failure := l.connectDaemon(ctx, &endpoint)
		return endpoint, failure
	case config.KindLocal:
		return endpoint, nil
	}
	if err := l.connection.Ensure(ctx, l.environment()); err != nil {
		return endpoint, connectFailure(err)
	}
	endpoint.SSH = l.connection.Command()
	return endpoint, nil
}

// now is the time as it names what goes into the trash: it has not been returned before,
// whatever becomes of the clock.
func (l *Lane) now() time.Time {
	for {
		last := l.last.Load()
		now := max(time.Now().UnixMicro(), last+1)
		if l.last.CompareAndSwap(last, now) {
			return time.UnixMicro(now)
		}
	}
}

// makeParent makes the directory that a local destination is in, not by rsync, which
// makes only the last directory of the path.
func makeParent(r config.Remote) *remote.Failure {
	err := os.MkdirAll(filepath.Dir(r.RemotePath), 0o777)
	if err == nil {
		return nil
	}
	return failed(remote.Attention, fmt.Errorf("cannot make the destination: %w", err), parentHint(err))
}

// parentHint is what to do where the directory above a local destination cannot be made,
// "" where nobody knows.
func parentHint(err error) string {
	var where *fs.PathError
	switch {
	case !errors.As(err, &where):
	case errors.Is(err, fs.ErrPermission):
		return "the user who runs the daemon must be able to write into " + filepath.Dir(where.Path)
	case errors.Is(err, syscall.ENOTDIR):
		return "move " + where.Path + " away, or attach with another directory"
	case errors.Is(err, syscall.EROFS):
		return "mount it writable; wsync goes on by itself"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room there; wsync goes on by itself"
	}
	return ""
}

// rsyncPort is an rsync daemon's if none is named (services(5)).
const rsyncPort = 873

// connectDaemon leads to the daemon by a relay, and makes the connection that
// the next run is to use.
func (l *Lane) connectDaemon(ctx context.Context, endpoint *rsync.Endpoint) *remote.Failure {
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
			return failed(remote.Trouble, err, "")
		}
		l.relay = opened
	}
	endpoint.Relay = l.relay.Address()
	if s := l.standby; s != nil {
		if s.Ready() {
			endpoint.Began = l.standbyBegan
			return nil // it is connected
		}
		s.Close() // it may only be about to end
		l.standby = nil
	}
	began := time.Now()
	if err := l.relay.Connect(ctx); err != nil {
		return failed(remote.Offline, err, daemonHint(err))
	}
	l.line.do(func(m *measures) { m.roundTripTook(time.Since(began)) })
	return nil
}

// daemonHint is what to do where an rsync daemon cannot be connected to, "" where nobody
// knows.
func daemonHint(err error) string {
	var unresolved *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &unresolved) && unresolved.IsNotFound:
		return "check the host's name"
	case errors.As(err, &unresolved):
		return "the name server does not answer: check the network; wsync goes on by itself"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start the rsync daemon, or check the port"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.As(err, &network) && network.Timeout():
		return "check the network, and that the host is up; wsync goes on by itself"
	}
	return ""
}

// connectFailure knows a missing ssh from a remote that is away.
func connectFailure(err error) *remote.Failure {
	var failure *ssh.ConnectError
	switch {
	case errors.As(err, &failure):
		said := rsync.ParseStderr(failure.Stderr, "", "")
		message, hint := rsync.Words(255, said)
		return &remote.Failure{Kind: remote.Offline, Cure: rsync.CureOf(rsync.Unreachable, said), Message: message, Hint: hint}
	case errors.Is(err, exec.ErrNotFound):
		return failed(remote.Attention, errors.New("there is no ssh in PATH"), "install the OpenSSH client")
	}
	return failed(remote.Offline, err, "")
}
