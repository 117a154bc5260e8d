package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/relay"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// request is what a worker asks of its lane.
type request struct {
	batch  dirty.Batch
	remote config.Remote
	// except are paths that a full pass leaves alone, because they fail and
	// are tried on their own.
	except []string
	// failing are the entries that fail on their own.
	failing []*dirty.Entry
	// since: a full pass must look into files that may have changed later than
	// this; zero if sizes and times are enough.
	since time.Time
	// adopt: the destination is used for the first time, and nothing foreign
	// that it holds may be deleted.
	adopt  bool
	limits deletionLimits
	// recent is the number of deletions of the last moments. settled: no more
	// of them are to be expected right now.
	recent  int
	settled bool
	// holding: deletions are being held, so that none may slip through.
	holding bool
	// bounds say what the direct lane may take, but for deletions.
	bounds direct.Limits
	// mark is the number of the last mark that the batch may have.
	mark uint64
	// confirm: the batch was brought in line by the direct lane, and rsync is to
	// prove it.
	confirm bool
}

// outcome is how a transfer ended. When err is nil, everything in the batch is
// proven but what again, later, failed and hold have of it.
type outcome struct {
	// err is that nothing is proven. offline: the remote was not reached.
	// attention: somebody must do something first.
	err  error
	hint string
	// broken: a transfer was interrupted, and may have left something behind.
	offline   bool
	attention bool
	broken    bool
	// again is to be done again at once, later in a moment.
	again, later dirty.Batch
	// failed are the paths that could not be brought in line; their Problem
	// says why.
	failed []*dirty.Entry
	// accepted: the destination holds nothing foreign, or what it holds may be
	// deleted.
	accepted bool
	// lost: the remote had lost something that nothing announced. linked: a
	// file was sent that has other names.
	lost, linked bool
	// hold are deletions that wait for approval.
	hold *hold
	// direct are the paths that went by the direct lane, to be confirmed.
	direct []*dirty.Entry

	// sent is when the last request of the direct lane had left, visible when its
	// last reply was there, proven when rsync was done; zero if the batch did
	// not go that way.
	sent, visible, proven time.Time

	progress rsync.Progress
	deleted  int // entries deleted because paths are gone
	drift    int
	strategy []string
}

// lane transfers batches to one remote: small changes directly, all others with
// rsync. transfer and close are called from one goroutine at a time; reset from
// any.
type lane struct {
	log  *zap.Logger
	root string
	// environment returns the environment of children; any goroutine.
	environment func() []string
	connection  *ssh.Connection // nil unless the remote is reached by ssh
	local       rsync.Version
	// scratch is an existing directory for what a probe needs.
	scratch string
	// skipGit: nothing called .git is sent or deleted.
	skipGit bool
	// known is what was found out since the last failure, nil at first; stale,
	// that it is to be forgotten.
	known atomic.Pointer[knowledge]
	stale atomic.Bool
	files *direct.Files
	// relay leads to an rsync daemon, nil for other remotes or until it is used.
	relay *relay.Relay
	// standby is a run of rsync that waits for the next small change, nil for
	// none.
	standby *rsync.Standby
}

// run runs a job of rsync, by the standby if that is for it. There is never more
// than one connection.
func (l *lane) run(ctx context.Context, job rsync.Job, progress func(rsync.Progress)) (rsync.Result, error) {
	if s := l.standby; s != nil {
		l.standby = nil
		if result, ok, err := s.Run(ctx, job); ok {
			return result, err
		}
	}
	return rsync.Run(ctx, l.root, l.environment(), job, progress)
}

// prepare makes the next small change quick that has to go by rsync. To connect
// to a daemon and agree with it takes most of the time.
func (l *lane) prepare(endpoint rsync.Endpoint) {
	r := endpoint.Remote
	if r.Connection.Kind() != config.KindRsyncDaemon || endpoint.Strategy.Basic || r.Trash != 0 {
		return
	}
	standby, err := rsync.Prepare(l.root, l.environment(), rsync.Paths(endpoint, nil, true).Limit(endpoint, 0))
	if err != nil {
		l.log.Debug("Cannot prepare a run of rsync", zap.Error(err))
		return
	}
	l.standby = standby
}

// directly is the lane for small changes, nil where there is none.
func (l *lane) directly() *direct.Lane {
	if k := l.known.Load(); k != nil {
		return k.direct
	}
	return nil
}

// close ends the use of the remote: what is known about it is forgotten.
func (l *lane) close() {
	if d := l.directly(); d != nil && d.Err() == nil {
		d.Close()
	}
	if l.standby != nil {
		l.standby.Close()
		l.standby = nil
	}
	if l.relay != nil {
		l.relay.Close()
		l.relay = nil
	}
	l.known.Store(nil)
}

// reset forgets what is known about the remote, and its connection.
func (l *lane) reset() {
	l.stale.Store(true)
	if l.connection != nil {
		go l.connection.Reset()
	}
}

// realRoot is the root as rsync names it: without symbolic links.
func (l *lane) realRoot() string {
	if real, err := filepath.EvalSymlinks(l.root); err == nil {
		return real
	}
	return l.root
}

// transfer brings the remote in line with the workspace for a batch.
func (l *lane) transfer(ctx context.Context, req request, progress func(rsync.Progress)) outcome {
	if l.stale.Swap(false) {
		l.close()
	}
	endpoint, failure := l.connect(ctx, req.remote)
	if failure != nil {
		return *failure
	}
	if l.connection != nil {
		release, err := l.connection.Acquire(ctx)
		if err != nil {
			return outcome{err: err}
		}
		defer release()
	}
	t := &transfer{request: req, lane: l, ctx: ctx, endpoint: endpoint, report: progress}
	t.do()
	if l.relay != nil {
		l.relay.Release()
	}
	if t.out.err != nil {
		// Whatever it was, the remote may be another one when it is back.
		l.close()
	} else if l.standby == nil {
		l.prepare(t.endpoint)
	}
	return t.out
}

// connect makes the shared connection.
func (l *lane) connect(ctx context.Context, remote config.Remote) (rsync.Endpoint, *outcome) {
	endpoint := rsync.Endpoint{Remote: remote, SkipGit: l.skipGit, Began: time.Now()}
	if l.connection != nil {
		if err := l.connection.Ensure(ctx, l.environment()); err != nil {
			return endpoint, connectFailure(err)
		}
		endpoint.SSH = l.connection.Command()
	} else if remote.Connection.Kind() == config.KindRsyncDaemon {
		if failure := l.connectDaemon(ctx, &endpoint); failure != nil {
			return endpoint, failure
		}
	} else if remote.Connection.Kind() == config.KindLocal {
		// Not rsync, which makes only the last directory of the path.
		if err := os.MkdirAll(filepath.Dir(remote.RemotePath), 0o777); err != nil {
			return endpoint, &outcome{err: fmt.Errorf("cannot make the destination: %w", err), attention: true}
		}
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
	if l.standby != nil {
		return nil // it is connected
	}
	if err := l.relay.Connect(ctx); err != nil {
		return &outcome{err: err, offline: true}
	}
	return nil
}

// knowledge is what was found out about a remote.
type knowledge struct {
	version  rsync.Version
	strategy rsync.Strategy
	// probed: strategy was tried, not guessed.
	probed bool
	// direct is the lane for small changes, nil where there is none.
	direct *direct.Lane
	// notes say it in words.
	notes []string
}

// learn finds out about the remote unless that is known, and returns it in
// words. With probe it also tries what it finds, which writes to the
// destination; it returns nil when the connection broke meanwhile.
func (l *lane) learn(ctx context.Context, endpoint *rsync.Endpoint, probe bool) []string {
	k := l.known.Load()
	if k == nil {
		version := l.remoteVersion(ctx, endpoint.Remote)
		k = &knowledge{version: version, strategy: rsync.Choose(l.local, version)}
		l.known.Store(k)
	}
	endpoint.Strategy = k.strategy
	if !probe || k.probed {
		return k.notes
	}
	var small *direct.Lane
	var refusal string
	strategy, err := rsync.Probe(ctx, *endpoint, l.scratch, l.environment(), func(witness string) {
		small, refusal = l.openDirect(ctx, endpoint.Remote, witness)
	})
	var failure *rsync.ProbeError
	if ctx.Err() != nil || errors.As(err, &failure) && failure.Unreachable {
		return nil
	}
	k = &knowledge{version: k.version, strategy: strategy, probed: true, direct: small}
	tried := *endpoint
	tried.Strategy = strategy
	k.notes = append([]string{"here " + l.local.String() + ", there " + k.version.String()}, tried.Describe()...)
	switch {
	case small == nil:
		k.notes = append(k.notes, "all changes travel by rsync: "+refusal)
	case l.connection != nil:
		k.notes = append(k.notes, "small changes travel by sftp, and are confirmed by rsync")
	default:
		k.notes = append(k.notes, "small changes are made directly, and confirmed by rsync")
	}
	if err != nil {
		l.log.Warn("Cannot probe the remote", zap.Error(err))
		k.notes = append(k.notes, "this could not be tried out: "+err.Error())
	}
	l.known.Store(k)
	endpoint.Strategy = strategy
	return k.notes
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

// remoteVersion asks for the version of the remote's rsync. It is unknown where
// only rsync itself may be run.
func (l *lane) remoteVersion(ctx context.Context, remote config.Remote) rsync.Version {
	if remote.Connection.Kind() == config.KindLocal {
		return l.local
	}
	if l.connection == nil {
		return rsync.Version{}
	}
	argv := append(l.connection.Command(), "--", l.connection.Host(), "rsync --version")
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = l.environment()
	output, err := rsync.Output(cmd)
	version, ok := rsync.ParseVersion(output)
	if !ok {
		l.log.Debug("Cannot learn the remote's version of rsync", zap.Error(err))
	}
	return version
}
