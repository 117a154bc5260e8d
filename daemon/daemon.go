// Package daemon owns the workspaces: it keeps their file, answers the API on
// a unix socket, and has a watchdog.Supervisor run a monitor for each of them.
// It is the only writer of state, and there is one per user.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"wsync/config"
	"wsync/config/logfile"
	"wsync/daemon/api"
	"wsync/monitor/journal"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// stopTime bounds the orderly end of the daemon; a monitor that needs longer
// follows by the end of its standard input.
const stopTime = 15 * time.Second

// Run is the daemon: it returns when ctx is done, a TERM or INT signal
// arrives, or a client asks it to stop. With a HUP signal it reads the settings
// anew. The lines of its log are also written to also, and a service manager that
// listens is told that it is ready, that it is well, and that it ends. The error is an
// *api.Error of kind Conflict if there is another daemon.
func Run(ctx context.Context, settings config.Settings, version string, also ...io.Writer) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	if err := settings.MakeDirectories(); err != nil {
		return err
	}
	unlock, err := lock(settings.LockPath())
	if err != nil {
		return err
	}
	defer unlock()
	workspaces, err := config.LoadWorkspaces(settings.WorkspaceConfigFilePath)
	if err != nil {
		return err
	}
	log, file := logfile.Open(settings.DaemonLogPath(), settings.LogMaxSize, settings.LogLevel, also...)
	defer file.Close()
	log = log.Named("daemon")

	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	listener, err := listen(settings.DaemonCommandSocketPath)
	if err != nil {
		return err
	}
	d := &Daemon{
		log:      log,
		logFile:  file,
		settings: settings,
		version:  version,
		since:    time.Now(),
		stop:     cancel,
		authSock: firstAgent(settings),
		launch:   launcher(settings),
		entries:  make(map[string]*entry),
		leaving:  make(map[string]bool),
		changed:  make(chan struct{}),
	}
	d.metricsServer = newMetricsServer(settings, log)
	d.journal = journal.NewWriter(d.ownJournal(), journal.One(journal.SeriesDaemon), journal.DefaultBounds)
	defer d.journal.Close()
	d.lock = watchdog.NewLock(log, func(reason string) {
		os.Remove(settings.DaemonCommandSocketPath)
		file.Close()
		fmt.Fprintf(os.Stderr, "wsync: the daemon ends itself: %s\n", reason)
		os.Exit(1)
	})
	watching, unwatch := context.WithCancel(context.Background())
	defer unwatch() // not earlier: the end of the daemon needs the lock too
	go d.lock.Watch(watching, settings.StateLockLimit)
	log.Info("Daemon started", zap.String("version", version), zap.Int("pid", os.Getpid()), zap.Int("workspaces", len(workspaces)))
	d.journal.Write(report.Event{Kind: report.EventDaemonStarted, PID: os.Getpid(), Detail: version})
	d.restore(workspaces)
	go d.watchMonitors(ctx, pingInterval)
	go d.chronicle(ctx)
	go d.forgetLogs(ctx)
	go d.reloadAt(ctx, hangups)
	go d.tellManager(ctx)
	go d.metricsServer.run(ctx, d.serveMetrics)
	defer d.startNotifier(ctx)() // not earlier: its command may take a moment to end
	err = d.serve(ctx, newListener(listener, log, maxConnections))
	d.close()
	d.journal.Write(report.Event{Kind: report.EventDaemonStopped, PID: os.Getpid()})
	log.Info("Daemon stopped", zap.Error(err))
	return err
}

// lock makes this the only daemon of the user until unlock or the end of the
// process.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock file: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		pid := make([]byte, 32)
		n, _ := f.Read(pid)
		if who := strings.TrimSpace(string(pid[:n])); who != "" {
			return nil, &api.Error{Kind: api.Conflict, Message: fmt.Sprintf("another daemon is already running (pid %s)", who)}
		}
		return nil, &api.Error{Kind: api.Conflict, Message: "another daemon is already running"}
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return func() { f.Close() }, nil
}

// listen opens the socket. The caller holds the lock, so that a socket that is
// there was left by a daemon that is gone.
func listen(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("cannot make the socket %s: there is something else with that name", path)
	}
	os.Remove(path)
	// Private from its first moment: its directory need not be.
	defer unix.Umask(unix.Umask(0o177))
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot make the socket %s: %w", path, err)
	}
	return listener, nil
}

// launcher returns how the monitor of a workspace is started: from the
// daemon's own binary, which on Linux is still the same one after an upgrade.
func launcher(settings config.Settings) watchdog.Launch {
	executable := settings.MonitorExecutablePath
	switch {
	case executable != "":
	case runtime.GOOS == "linux":
		executable = "/proc/self/exe"
	default:
		executable, _ = os.Executable()
	}
	return func(d report.Definition) (watchdog.Process, error) {
		// By the name of now: it may be another than that of the monitor before.
		name := d.Workspace.Name
		log := settings.WorkspaceLogPath(name)
		os.MkdirAll(filepath.Dir(log), 0o700) // its failure is the log's problem, and said there
		return watchdog.Exec(executable, []string{"wsync", "__monitor", name}, log)(d)
	}
}

// Daemon is the state and all that works on it.
type Daemon struct {
	log      *zap.Logger
	logFile  *logfile.File
	settings config.Settings // what reload changes of it is guarded by lock
	version  string
	since    time.Time
	stop     context.CancelFunc // ends Run
	launch   watchdog.Launch
	notifier *notifier // nil if nobody is to be told of trouble
	// metricsServer serves the metrics beside the socket, nil if it is not to.
	metricsServer *metricsServer
	journal       *journal.Writer // of what is about no workspace

	// lock guards everything below.
	lock     *watchdog.Lock
	authSock string
	// order is the names of the workspaces as they stand in the file.
	order   []string
	entries map[string]*entry
	// leaving are the states (config.Workspace.State) of removed workspaces whose monitor
	// is not gone yet.
	leaving map[string]bool
	// revision counts the changes of what status shows; changed is closed at
	// the next one.
	revision uint64
	changed  chan struct{}
}

// errStopped is the cause of the end of a request's context when the daemon ends; when
// the client has left, there is none but that it was cancelled.
var errStopped = errors.New("the daemon was stopped meanwhile")

// serve answers requests until ctx is done.
func (d *Daemon) serve(ctx context.Context, listener net.Listener) error {
	base, end := context.WithCancelCause(context.Background())
	defer end(errStopped)
	server := &http.Server{
		Handler:           d.handler(),
		ReadHeaderTimeout: requestTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          zap.NewStdLog(d.log),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
		end(errStopped)
	}
	shutdown, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(shutdown) != nil {
		server.Close()
	}
	return nil
}

// close ends all monitors.
func (d *Daemon) close() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	var supervisors []*watchdog.Supervisor
	d.lock.Do(func() {
		for _, e := range d.entries {
			supervisors = append(supervisors, e.supervisor)
		}
	})
	var closing sync.WaitGroup
	for _, s := range supervisors {
		closing.Go(func() { s.Close(ctx) })
	}
	closing.Wait()
	d.lock.Do(func() {
		for _, e := range d.entries {
			closing.Go(e.journal.Close)
		}
	})
	closing.Wait()
}

// missingPrograms says what a remote of this kind needs and PATH has not.
func missingPrograms(kind config.Kind) (program, hint string) {
	if _, err := exec.LookPath("rsync"); err != nil {
		return "rsync", "install rsync"
	}
	if kind == config.KindSSH {
		if _, err := exec.LookPath("ssh"); err != nil {
			return "ssh", "install the OpenSSH client"
		}
	}
	return "", ""
}
