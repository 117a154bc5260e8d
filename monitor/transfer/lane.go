// Package transfer carries out orders: it brings one remote in line with the
// workspace for a batch of paths, small changes directly, all others with rsync, and
// says what became of each.
//
// A Lane is what lasts: the connection, what was found out about the remote, and
// the direct lane. A transfer is one order on its way, and builds up the Outcome.
package transfer

import (
	"context"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/direct"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/marks"
	"wsync/monitor/relay"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// Options are what a Lane is made of. What they point to is shared with others.
type Options struct {
	Log *zap.Logger
	// Root is the workspace's directory.
	Root string
	// Local is the version of this machine's rsync.
	Local rsync.Version
	// Environment returns the environment of children; from any goroutine.
	Environment func() []string
	// Connection is nil unless the remote is reached by ssh.
	Connection *ssh.Connection
	// Scratch is an existing directory for what is of use for a moment.
	Scratch string
	// Sources returns the directories of all workspaces, nil for not known; from any
	// goroutine.
	Sources func() []string
	Files   *direct.Files
	Links   *links.Index
	Tools   *guard.Tools
	// Exclude are the workspace's rules.
	Exclude *exclude.Live
	// Workspace returns its name, and Directory is the daemon's own directory: for
	// other mirrors that meet this one.
	Workspace func() string
	Directory string
	// FullPassInterval is the time between two full passes.
	FullPassInterval time.Duration
}

// Lane transfers batches to one remote.
//
// Transfer is called from one goroutine at a time, but for orders that go beside
// another one: of these there is one at a time as well, from a goroutine of their
// own. Leave and Close are called when no transfer is under way. All other methods
// may be called from any goroutine.
type Lane struct {
	log         *zap.Logger
	root        string
	environment func() []string
	connection  *ssh.Connection // nil unless the remote is reached by ssh
	local       rsync.Version
	scratch     string
	sources     func() []string // nil for none
	files       *direct.Files
	links       *links.Index
	tools       *guard.Tools
	exclude     *exclude.Live

	// line is what was measured of the line since the connection was made.
	line line
	// pace is that of the direct lane.
	pace pace
	// stale: what is known is to be forgotten by the next transfer.
	stale atomic.Bool
	// known is what was found out since the last failure, nil at first. Only
	// transfers that do not go beside another store it.
	known atomic.Pointer[knowledge]
	// directMu is held while the direct lane that known leads to is used, and while
	// known is taken from those who may use it.
	directMu sync.Mutex

	// last is what now has returned last, in microseconds since 1970.
	last atomic.Int64

	// What follows belongs to the transfer that does not go beside another.

	// siblings are for a remote that folds names.
	siblings siblings
	// relay leads to an rsync daemon, nil for other remotes or until it is used.
	relay *relay.Relay
	// standby is a run of rsync that waits for the next small change, nil for
	// none, and standbyBegan the time that names what it puts into the trash, which is
	// that of the transfer that finds it.
	standby      *rsync.Standby
	standbyBegan time.Time
	marks        *marks.Marks
	// looked: marks were looked for since the connection was made.
	looked bool
}

// New returns a lane that knows nothing of its remote yet.
func New(o Options) *Lane {
	return &Lane{
		log: o.Log, root: o.Root, environment: o.Environment, connection: o.Connection, local: o.Local,
		scratch: o.Scratch, sources: o.Sources, files: o.Files, links: o.Links, tools: o.Tools, exclude: o.Exclude,
		marks: marks.New(marks.Options{
			Log: o.Log, Scratch: o.Scratch, Environment: o.Environment, Connection: o.Connection,
			Workspace: o.Workspace, Directory: o.Directory, Interval: o.FullPassInterval,
		}),
	}
}

// Transfer brings the remote in line with the workspace for an order. The asker's
// methods are called from this goroutine, but for Progress.
func (l *Lane) Transfer(ctx context.Context, order remote.Order, asker remote.Asker) remote.Outcome {
	t := &transfer{Order: order, asker: asker, lane: l, ctx: ctx}
	if order.Remote.OnSync != "" || order.Remote.OnSyncRemote != "" {
		t.record.MaxSent = report.MaxDeletedPaths
	}
	if order.Beside { // which removes nothing
		t.beside()
		t.finish()
		return t.out
	}
	if l.stale.Swap(false) {
		l.Close()
	}
	if err := l.exclude.Save(); err != nil {
		l.log.Warn("What stays on remotes will not be known to the next monitor", zap.Error(err))
	}
	var failure *remote.Failure
	if t.endpoint, failure = l.connect(ctx, order.Remote); failure != nil {
		return remote.Outcome{Failure: failure}
	}
	t.limit(&t.endpoint)
	l.compression(&t.endpoint)
	t.do()
	t.finish()
	if l.relay != nil {
		l.relay.Release()
	}
	if t.mute && l.connection != nil && ctx.Err() == nil {
		l.findOut(ctx, &t.out)
	}
	if t.out.Failure != nil {
		// Whatever it was, the remote may be another one when it is back.
		l.Close()
		return t.out
	}
	if d := l.directLane(); d != nil {
		l.exclusively(d, func() {
			d.RememberTimes()
			if order.Confirm || order.Batch.Everything != nil { // small changes have no time for that
				d.AwaitTimes()
			}
		})
	}
	if l.standby == nil {
		l.prepare(t.endpoint)
	}
	return t.out
}

// finish completes the outcome.
func (t *transfer) finish() {
	t.out.Record = t.record
	t.out.Files, t.out.Bytes = t.counter.Files, t.counter.Bytes
}

// Close ends the use of the remote: what is known about it is forgotten.
func (l *Lane) Close() {
	l.closeDirect()
	l.line.do(func(m *measures) { *m = measures{} })
	if l.standby != nil {
		l.standby.Close()
		l.standby = nil
	}
	if l.relay != nil {
		l.relay.Close()
		l.relay = nil
	}
	l.looked = false
}

// Reset forgets what is known about the remote; with failing also its connection,
// which others may use: as long as it serves, it is not broken under them.
func (l *Lane) Reset(failing bool) {
	l.stale.Store(true)
	if l.connection != nil && failing {
		go l.connection.Reset()
	}
}

// Direct reports whether there is a way for small changes without rsync, by which
// renames can be repeated.
func (l *Lane) Direct() bool {
	k := l.known.Load()
	return k != nil && k.direct != nil && !k.keeps
}

// Beside reports whether there is a way for small changes while rsync runs for others: the
// direct lane, or another run of rsync.
func (l *Lane) Beside() bool {
	k := l.known.Load()
	return k != nil && k.besides()
}

// Drifted reports whether somebody else has made or removed something at the top of
// the destination since the last transfer, as far as is known. What it says while a
// transfer is under way says nothing.
func (l *Lane) Drifted() (drifted bool) {
	if d := l.directLane(); d != nil {
		l.exclusively(d, func() { drifted = d.Drifted() })
	}
	return drifted
}

// Lstat looks at a path of the workspace.
func (l *Lane) Lstat(name string) (fs.FileInfo, error) {
	info, err := rsync.LstatIn(l.root)(name)
	if err == nil && info.Mode().IsRegular() {
		l.tools.Look(name)
	}
	return info, err
}

// Walk visits what is at a path of the workspace, and below it.
func (l *Lane) Walk(path string, visit func(name string, dir bool)) {
	_ = filepath.WalkDir(filepath.Join(l.root, filepath.FromSlash(path)), func(at string, e fs.DirEntry, _ error) error {
		if e == nil {
			return nil // it is gone
		}
		if name, err := filepath.Rel(l.root, at); err == nil {
			visit(filepath.ToSlash(name), e.IsDir())
		}
		return nil
	})
}

// Workspace is the workspace for the guard.
func (l *Lane) Workspace() guard.Workspace {
	return guard.Directory{Root: l.root, Tools: l.tools, Rules: l.exclude.Rules()}
}
