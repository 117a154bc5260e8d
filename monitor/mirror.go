package monitor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/guard"
	"wsync/monitor/hook"
	"wsync/monitor/journal"
	"wsync/monitor/links"
	"wsync/monitor/mounts"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/requests"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/transfer"
	"wsync/monitor/watch"
	"wsync/monitor/worker"
)

// mirror is a workspace at work: it hands what the watcher sees to the workers
// of all remotes. It implements watch.Sink.
type mirror struct {
	log  *zap.Logger
	root string
	pool *ssh.Pool
	// scratch is a directory for what is of use for a moment.
	scratch string
	local   rsync.Version
	watcher watch.Watcher
	files   *direct.Files
	links   *links.Index
	ruling  ruling
	// searching: search runs.
	searching atomic.Bool
	searchMu  sync.Mutex // held while the workers are told of questions
	mounted   *mounts.Table
	turns     worker.Turns
	tools     *guard.Tools
	// changes and answers have one token each: a report is due soon, or at once.
	changes, answers chan struct{}

	// seq numbers the marks.
	seq atomic.Uint64
	// requests are what waits for the watcher's barriers, in their order.
	requests requests.Queue
	journal  *journal.Writer
	// pong is the last ping that the watcher has come to.
	pong atomic.Uint64
	// looks are those of workers at the root.
	looks guard.Looks
	// authSock is the ssh agent's socket, a string.
	authSock atomic.Value
	// sources are the directories of all workspaces, a slice of strings.
	sources atomic.Value

	// working are the workers that have not ended.
	working sync.WaitGroup

	mu         sync.RWMutex // guards everything below
	definition report.Definition
	workers    map[string]*runningWorker
	ctx        context.Context // of the workers; nil until start
	armed      bool
	halt       string
	haltSince  time.Time
	overflows  int
	lossy      watch.Lossy
	lookAgain  *time.Timer // looks at a halted workspace again; nil if not set
}

// runningWorker is a worker and how to end it.
type runningWorker struct {
	*worker.Worker
	stop context.CancelFunc // ends Run
}

// run mirrors until ctx is done.
func (m *mirror) run(ctx context.Context) error {
	defer m.pool.Close()
	defer m.mounted.Close()
	defer m.journal.Close()
	defer m.endWorkers()
	err := m.watcher.Run(ctx, m.arm)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// start makes the workers of the first definition. They live until ctx is done,
// and begin when the tree is armed.
func (m *mirror) start(ctx context.Context, d report.Definition) {
	m.mu.Lock()
	m.ctx = ctx
	m.mu.Unlock()
	m.define(d)
}

// arm lets the workers begin.
func (m *mirror) arm() {
	m.mu.Lock()
	m.armed = true
	workers := m.list()
	m.mu.Unlock()
	stats := m.watcher.Stats()
	m.log.Info("Watching", zap.String("backend", stats.Backend), zap.Int("directories", stats.Directories), zap.Int("polled", stats.Polled))
	// What a rule file said before its directory was watched may be out of date.
	m.ruling.live.Refresh(time.Now())
	m.ruling.settler.Later()
	for _, w := range workers {
		w.Arm()
	}
	m.changed(false)
}

// endWorkers ends all workers and waits for them.
func (m *mirror) endWorkers() {
	m.mu.Lock()
	workers := m.list()
	m.workers = make(map[string]*runningWorker)
	m.mu.Unlock()
	for _, w := range workers {
		w.stop()
	}
	m.working.Wait() // also for those whose remotes were detached a moment ago
}

// context is that of the workers.
func (m *mirror) context() context.Context {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.ctx
}

// define brings the workers in line with a definition.
func (m *mirror) define(d report.Definition) {
	m.authSock.Store(d.SSHAuthSock)
	m.sources.Store(d.Sources)
	m.mu.Lock()
	barrier := d.Barrier != m.definition.Barrier // also that of the first definition
	ping := d.Ping != m.definition.Ping
	m.definition = d
	m.assign(d.Workspace.Remotes)
	for _, r := range d.Workspace.Remotes {
		m.defineRemote(r)
	}
	m.mu.Unlock()
	m.recheck()
	m.ruling.settler.Define(d.Workspace)
	if barrier {
		m.afterChanges(func() { m.reached(d.Barrier) })
	}
	if ping {
		m.answer(d.Ping)
	}
	m.changed(false)
}

// assign gives each remote its worker, if there is one: that of its identity, since its
// name may be another than before, or else of its name. The other workers end. The caller
// holds mu.
func (m *mirror) assign(remotes []config.Remote) {
	before, assigned := m.workers, make(map[string]*runningWorker)
	take := func(r config.Remote, name string) {
		if _, ok := assigned[r.Name]; !ok {
			assigned[r.Name] = before[name]
			delete(before, name)
		}
	}
	for _, r := range remotes {
		for name, w := range before {
			if r.ID != "" && w.ID() == r.ID {
				take(r, name)
			}
		}
	}
	for _, r := range remotes {
		if _, ok := before[r.Name]; ok {
			take(r, r.Name)
		}
	}
	for _, w := range before {
		w.stop()
	}
	m.workers = assigned
}

// defineRemote starts or updates the worker of a remote; the caller holds mu.
func (m *mirror) defineRemote(r config.Remote) {
	if m.ctx.Err() != nil {
		return // all are ending
	}
	now := time.Now()
	d := remote.DefinitionOf(m.definition, r)
	w, ok := m.workers[r.Name]
	if ok && w.Serves(r) {
		w.Hook.Define(hook.DefinitionOf(m.definition, r))
		w.Define(d, m.seq.Add(1), now)
		return
	}
	if ok {
		w.stop()
	}
	worker, release := m.newWorker(r)
	w = &runningWorker{Worker: worker}
	w.Hook.Define(hook.DefinitionOf(m.definition, r))
	w.Define(d, m.seq.Add(1), now)
	w.Everything(remote.PassStart, m.seq.Add(1), now, now)
	if m.armed {
		w.Arm()
	}
	if m.halt != "" {
		w.Halt(m.halt, m.seq.Add(1), now)
	}
	var ctx context.Context
	ctx, w.stop = context.WithCancel(m.ctx)
	m.workers[r.Name] = w
	m.working.Go(func() {
		w.Run(ctx)
		release()
	})
}

// newWorker makes the worker of a remote, to be released when it has ended; the
// caller holds mu.
func (m *mirror) newWorker(r config.Remote) (w *worker.Worker, release func()) {
	log, settings := m.log.With(zap.String("remote", r.Name)), m.definition.Settings
	var connection *ssh.Connection
	release = func() {}
	if r.Connection.Kind() == config.KindSSH {
		connection = m.pool.Connection(ssh.HostOf(r))
		release = func() { m.pool.Release(connection) }
	}
	lane := transfer.New(transfer.Options{
		Log: log, Root: m.root, Local: m.local, Environment: m.environment, Connection: connection, Scratch: m.scratch,
		Sources: m.allSources, Exclude: m.ruling.live, Files: m.files, Links: m.links, Tools: m.tools,
		Workspace: m.name, Directory: filepath.Dir(filepath.Dir(settings.RunDirectory)), FullPassInterval: settings.FullPassInterval,
	})
	stamp := worker.StampPath(settings.RunDirectory, r)
	return worker.New(worker.Options{
		Hook: hook.New(hook.Options{Log: log, Connection: connection, Environment: m.environment, Changed: m.changed, Happened: m.happened, File: stamp + ".hook"}),
		Log:  log, Root: m.root, Carrier: lane,
		Guard:        m.checkAndHalt,
		NextMark:     func() uint64 { return m.seq.Add(1) },
		LastMark:     m.seq.Load,
		AfterEvents:  m.afterEvents,
		AfterChanges: m.afterChanges,
		Changed:      m.changed,
		Mounts:       m.mounted,
		Happened:     m.happened,
		Identity:     m.definition.Workspace.Root,
		Stamp:        stamp,
		Comparisons:  filepath.Join(settings.RunDirectory, report.ComparisonDirectory),
		Turns:        &m.turns,
		LookInterval: remote.LookInterval(r.Connection.Kind()),
	}, r), release
}

// environment is the environment of rsync and ssh.
func (m *mirror) environment() []string {
	authSock, _ := m.authSock.Load().(string)
	return rsync.Environment(authSock)
}

// name is that of the workspace, as of now.
func (m *mirror) name() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.definition.Workspace.Name
}

// happened writes an event to the journal, soon.
func (m *mirror) happened(e report.Event) {
	e.Workspace = m.name()
	m.journal.Write(e)
}

// allSources are the directories of all workspaces.
func (m *mirror) allSources() []string {
	sources, _ := m.sources.Load().([]string)
	return sources
}

// list returns the workers; the caller holds mu.
func (m *mirror) list() []*runningWorker {
	var all []*runningWorker
	for _, w := range m.workers {
		all = append(all, w)
	}
	return all
}

// changed makes a report due, at once or soon; it never blocks.
func (m *mirror) changed(atOnce bool) {
	due := m.changes
	if atOnce {
		due = m.answers
	}
	select {
	case due <- struct{}{}:
	default:
	}
}

// report is the whole state.
func (m *mirror) report(now time.Time) report.Report {
	pong := m.pong.Load() // before what it vouches for is looked at
	stats := m.watcher.Stats()
	m.mu.RLock()
	defer m.mu.RUnlock()
	r := report.Report{
		Version: report.Version,
		PID:     os.Getpid(),
		Pong:    pong,
		Journal: m.journal.Problem(),
		Watch: report.Watch{
			Armed:         m.armed,
			Backend:       stats.Backend,
			Lossless:      stats.Lossless,
			Directories:   stats.Directories,
			Polled:        stats.Polled,
			Silent:        stats.Silent,
			SilentTypes:   stats.SilentTypes,
			PollInterval:  stats.PollInterval,
			Problem:       stats.Problem,
			Overflows:     m.overflows,
			LinkedOutside: m.links.Outside(),
		},
	}
	m.ignoreProblems(&r.Watch)
	if m.halt != "" {
		r.Halted = &report.Halt{Reason: m.halt, Since: m.haltSince}
	} else if id, err := config.IdentifyRoot(m.root); err == nil {
		r.Root = &id
	}
	for _, remote := range m.definition.Workspace.Remotes {
		if w, ok := m.workers[remote.Name]; ok {
			r.Remotes = append(r.Remotes, w.Status(now))
		}
	}
	return r
}
