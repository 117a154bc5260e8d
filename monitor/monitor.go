// Package monitor mirrors one workspace to its remotes. It runs as a process
// of its own, `wsync __monitor NAME`, that the daemon starts and talks to in
// the language of package report.
//
// Data flows one way: the watcher marks paths in the dirty set of each remote's
// worker; a worker takes batches from it and hands them to its lane, which
// transfers them; what is not acknowledged goes back into the set.
package monitor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/config/logfile"
	"wsync/monitor/direct"
	"wsync/monitor/guard"
	"wsync/monitor/journal"
	"wsync/monitor/links"
	"wsync/monitor/mounts"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/transfer"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
	"wsync/monitor/watch/backend"
)

// reportInterval is the least time between two reports, reportDelay that between
// a change and a report; neither is for reports that somebody waits for.
const (
	reportInterval = 100 * time.Millisecond
	reportDelay    = 10 * time.Millisecond
)

// Run mirrors the workspace called name until in ends or ctx is done: both mean
// that nobody wants it any more. It reads definitions from in and writes
// reports to out. When it returns, no process that it started is left.
func Run(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	definitions := json.NewDecoder(bufio.NewReader(in))
	var first report.Definition
	if err := definitions.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("cannot read the definition of workspace %s: %w", name, err)
	}
	if first.Workspace.Name != name {
		return fmt.Errorf("cannot monitor workspace %s: the definition is of %q", name, first.Workspace.Name)
	}
	log, file := logfile.Open(first.Settings.LogFile, first.Settings.LogMaxSize, first.Settings.LogLevel)
	defer file.Close()
	log = log.Named("monitor").With(zap.String("workspace", name))
	log.Info("Monitor started", zap.Int("pid", os.Getpid()))

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := newMirror(first, log)
	if err != nil {
		log.Error("Cannot start", zap.Error(err))
		return err
	}
	m.start(ctx, first)
	defer m.ruling.live.Save() // lanes have told what keeps it from that
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	failed := make(chan error, 2)
	tasks.Go(func() { failed <- m.run(ctx) })
	tasks.Go(func() { m.reportTo(ctx, out) })
	go func() { // ends with the process: a read from a pipe cannot be interrupted
		failed <- m.follow(definitions, file)
	}()
	err = <-failed
	log.Info("Monitor stops", zap.Error(err))
	return err
}

// follow takes in definitions until their end; the log goes to file.
func (m *mirror) follow(definitions *json.Decoder, file *logfile.File) error {
	for {
		var d report.Definition
		if err := definitions.Decode(&d); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read a definition: %w", err)
		}
		if d.Workspace.LocalPath != m.root {
			return nil // another monitor is for another directory
		}
		file.SetPath(d.Settings.LogFile)
		file.SetLevel(d.Settings.LogLevel)
		m.define(d)
	}
}

// reportTo writes a report whenever something changed, the newest only. Most
// changes are on their way and done within reportDelay, during which the
// processor has better things to do.
func (m *mirror) reportTo(ctx context.Context, out io.Writer) {
	encoder := json.NewEncoder(out)
	pause := time.NewTimer(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.answers:
		case <-m.changes:
			pause.Reset(reportDelay)
			select {
			case <-ctx.Done():
				return
			case <-m.answers:
			case <-pause.C:
			}
		}
		if err := encoder.Encode(m.report(time.Now())); err != nil {
			m.log.Warn("Cannot report", zap.Error(err))
		}
		pause.Reset(reportInterval)
		select {
		case <-ctx.Done():
			return
		case <-m.answers:
			m.changed(true) // somebody waits for it
		case <-pause.C:
		}
	}
}

// newMirror prepares the mirror of a workspace; nothing runs yet.
func newMirror(d report.Definition, log *zap.Logger) (*mirror, error) {
	cookies := filepath.Join(d.Settings.RunDirectory, "cookies")
	if err := os.MkdirAll(cookies, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make a directory for cookies: %w", err)
	}
	scratch, err := transfer.NewScratch(d.Settings.RunDirectory)
	if err != nil {
		return nil, err
	}
	if err := transfer.NewComparisons(d.Settings.RunDirectory); err != nil {
		return nil, err
	}
	pool, err := ssh.NewPool(d.Settings.RunDirectory)
	if err != nil {
		return nil, err
	}
	pool.LimitLogins(filepath.Dir(d.Settings.RunDirectory)) // which all monitors share
	local, _ := rsync.LocalVersion(context.Background())    // unknown if there is none
	m := &mirror{
		log:     log,
		root:    d.Workspace.LocalPath,
		scratch: scratch,
		pool:    pool,
		local:   local,
		changes: make(chan struct{}, 1),
		answers: make(chan struct{}, 1),
		workers: make(map[string]*runningWorker),
		mounted: mounts.New(d.Workspace.LocalPath),
	}
	m.journal = journal.NewWriter(filepath.Join(d.Settings.RunDirectory, journal.Directory), journal.SeriesOf, journal.DefaultBounds)
	m.ruling = m.newRuling(d.Workspace)
	if err := m.ruling.live.Remember(filepath.Join(d.Settings.RunDirectory, "rules")); err != nil {
		log.Warn("What was ignored in directories that are gone is not known", zap.Error(err))
	}
	m.files = direct.NewFiles(m.root, m.seq.Load)
	m.links = m.newLinks()
	m.tools = guard.NewTools(m.root)
	m.links.Seen = m.tools.Look
	m.watcher, err = backend.New(m.root, watch.Options{
		Backend:       d.Settings.Watcher,
		CookieDir:     cookies,
		MaxWatches:    d.Settings.MaxWatches,
		PollInterval:  d.Settings.PollInterval,
		MountsChanged: m.mountsChanged,
		Enter:         m.enter,
	}, m)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return m, nil
}

// newLinks returns an index of the workspace's files that have several names.
func (m *mirror) newLinks() *links.Index {
	tree := walk.Tree{Root: m.root, Opens: m.ruling.live.Opens}
	return links.New(tree, func(name string) bool { return m.rules().Excludes(name, false) }, m.tellLinks)
}
