package monitor

import (
	"context"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/relay"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/walk"
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
	// that it holds may be deleted. adopted is called when it holds nothing
	// foreign, or what it holds may be deleted, before anything is sent.
	adopt   bool
	adopted func()
	limits  guard.Limits
	// recent is the number of deletions of the last moments. settled tells that
	// no more of them are to be expected right now.
	recent  deletions
	settled func() calm
	// approved are deletions that the user has approved, nil for none.
	approved *guard.Names
	// holding: deletions are being held, so that none may slip through.
	holding bool
	// takeOver are the other mirrors whose marks are to be removed.
	takeOver []string
	// bounds say what the direct lane may take, but for deletions.
	bounds direct.Limits
	// mark is the number of the last mark that the batch may have.
	mark uint64
	// confirm: the batch was brought in line by the direct lane, and rsync is to
	// prove it.
	confirm bool
	// away are the paths at which file systems were mounted of which the remote
	// may hold something, and are not any more. awayHeld: that is held already.
	away     []string
	awayHeld bool
	// announced reports whether a path that is new on the remote is so because it, or
	// a directory above it, is new here: of that there may be a mark since the batch
	// was taken, or one that is about to come.
	announced func(ctx context.Context, path string) bool
	// root looks at the workspace's root once more, which the worker has done
	// before the batch; why nothing may be sent, or "".
	root func() string
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
	// mute: nothing on the remote answered as an rsync does.
	mute bool
	// again is to be done again at once, later in a moment.
	again, later dirty.Batch
	// failed are the paths that could not be brought in line; their Problem
	// says why.
	failed []*dirty.Entry
	// lost: the remote had lost something that nothing announced; drifted: somebody
	// else has changed it; replaced: it has lost all, because the destination is
	// another directory than before, in which may be what is somebody else's.
	// misspelt: the remote may have an entry under a name that differs in case only.
	lost, drifted, replaced, misspelt bool
	// hold are deletions that wait for approval.
	hold *hold
	// unreachable is what was set apart, nil for nothing; reachable are the paths
	// of the request's away of which the remote holds nothing.
	unreachable *unreachable
	reachable   []string
	// met is another mirror at the destination, for which err is set; nil for none.
	met *meeting
	// obstacles stand in the way to paths of the batch, and are on the remote now
	// where it may have had directories before.
	obstacles []*dirty.Entry
	// direct are the paths that went by the direct lane, to be confirmed.
	direct []*dirty.Entry
	// late are the paths of a flight of the direct lane that broke: requests may
	// still be carried out.
	late []*dirty.Entry

	// sent is when the last request of the direct lane had left, visible when its
	// last reply was there, proven when rsync was done; zero if the batch did
	// not go that way.
	sent, visible, proven time.Time

	progress rsync.Progress
	deleted  deletions // because paths are gone
	created  int       // entries that were new, as far as is known
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
	// exclude are the workspace's rules.
	exclude exclude.Rules
	// known is what was found out since the last failure, nil at first; stale,
	// that it is to be forgotten.
	known atomic.Pointer[knowledge]
	stale atomic.Bool
	files *direct.Files
	links *links.Index
	// siblings are for a remote that folds names.
	siblings siblings
	tools    *guard.Tools
	// relay leads to an rsync daemon, nil for other remotes or until it is used.
	relay *relay.Relay
	// standby is a run of rsync that waits for the next small change, nil for
	// none.
	standby *rsync.Standby
	// marks are used by the goroutine that transfers.
	marks ownMarks
}

// run runs a job of rsync, by the standby if that is for it; ahead tells that it
// was. There is never more than one connection.
func (l *lane) run(ctx context.Context, job rsync.Job, progress func(rsync.Progress)) (r rsync.Result, ahead bool, err error) {
	if s := l.standby; s != nil {
		l.standby = nil
		if result, ok, err := s.Run(ctx, job, progress); ok {
			return result, true, err
		}
	}
	release, err := l.session(ctx)
	if err != nil {
		return rsync.Result{}, false, err
	}
	defer release()
	r, err = rsync.Run(ctx, l.root, l.environment(), job, progress)
	return r, false, err
}

// session waits until one more command may run on the connection, and returns
// the function that says it has ended. The direct lane does without: it has the
// one session that all remotes of a host share, so that no run of rsync keeps a
// small change waiting.
func (l *lane) session(ctx context.Context) (release func(), err error) {
	if l.connection == nil {
		return func() {}, nil
	}
	return l.connection.Acquire(ctx)
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
	l.marks.looked = false
}

// reset forgets what is known about the remote; with failing also its connection,
// which others may use: as long as it serves, it is not broken under them.
func (l *lane) reset(failing bool) {
	l.stale.Store(true)
	if l.connection != nil && failing {
		go l.connection.Reset()
	}
}

// lstat looks at a path of the workspace.
func (l *lane) lstat(name string) (fs.FileInfo, error) {
	info, err := rsync.LstatIn(l.root)(name)
	if err == nil && info.Mode().IsRegular() {
		l.tools.Look(name)
	}
	return info, err
}

// workspace is the workspace for the guard.
func (l *lane) workspace() guard.Directory {
	return guard.Directory{Root: l.root, Tools: l.tools, Exclude: l.exclude}
}

// lookThrough looks for files with several names in directories of the workspace
// that are sent with all below them, because of marks from seq on.
func (l *lane) lookThrough(ctx context.Context, dirs []string, seq uint64, since time.Time) {
	for _, dir := range dirs {
		walk.Files(ctx, l.root, dir, func(name string, e fs.DirEntry) bool {
			l.tools.Look(name)
			if info, err := e.Info(); err == nil {
				l.links.Look(name, info, seq, since)
			}
			return true
		})
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
	t := &transfer{request: req, lane: l, ctx: ctx, endpoint: endpoint, report: progress}
	t.do()
	if l.relay != nil {
		l.relay.Release()
	}
	if t.out.mute && l.connection != nil && ctx.Err() == nil {
		l.findOut(ctx, &t.out)
	}
	if t.out.err != nil {
		// Whatever it was, the remote may be another one when it is back.
		l.close()
		return t.out
	}
	if d := l.directly(); d != nil {
		d.Settle()
	}
	if l.standby == nil {
		l.prepare(t.endpoint)
	}
	return t.out
}
