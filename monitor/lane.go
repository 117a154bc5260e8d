package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/dirty"
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

	progress rsync.Progress
	deleted  int // entries deleted because paths are gone
	drift    int
	strategy []string
}

// lane transfers batches to one remote with rsync. transfer is called from one
// goroutine at a time; reset from any.
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
	// known is what was found out since the last failure, nil at first.
	known atomic.Pointer[knowledge]
}

// reset forgets what is known about the remote, and its connection.
func (l *lane) reset() {
	l.known.Store(nil)
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
	if t.out.err != nil {
		// Whatever it was, the remote may be another one when it is back.
		l.known.Store(nil)
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
	} else if remote.Connection.Kind() == config.KindLocal {
		// Not rsync, which makes only the last directory of the path.
		if err := os.MkdirAll(filepath.Dir(remote.RemotePath), 0o777); err != nil {
			return endpoint, &outcome{err: fmt.Errorf("cannot make the destination: %w", err), attention: true}
		}
	}
	return endpoint, nil
}

// knowledge is what was found out about a remote.
type knowledge struct {
	version  rsync.Version
	strategy rsync.Strategy
	// probed: strategy was tried, not guessed.
	probed bool
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
	strategy, err := rsync.Probe(ctx, *endpoint, l.scratch, l.environment())
	var failure *rsync.ProbeError
	if ctx.Err() != nil || errors.As(err, &failure) && failure.Unreachable {
		return nil
	}
	k = &knowledge{version: k.version, strategy: strategy, probed: true}
	tried := *endpoint
	tried.Strategy = strategy
	k.notes = append([]string{"here " + l.local.String() + ", there " + k.version.String()}, tried.Describe()...)
	if l.connection != nil {
		offered := "sftp is not offered"
		if l.connection.OffersSFTP(ctx, l.environment()) {
			offered = "sftp is offered"
		}
		k.notes = append(k.notes, offered)
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
