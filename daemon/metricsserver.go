package daemon

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/daemon/api"
)

// listenInterval is how often an address is tried that cannot be had: that of a network that
// is not up yet, or one that another program has.
const listenInterval = 10 * time.Second

// maxScrapers is how many connections there are at most for the metrics: anybody may make
// some.
const maxScrapers = 20

// metricsServer serves the metrics, and nothing else, at an address of the network.
type metricsServer struct {
	log    *zap.Logger
	wanted string

	mu      sync.Mutex // guards everything below
	is      string     // the address, "" if there is none yet
	problem string     // why not, or ""
}

// newMetricsServer returns the server that the settings ask for, nil for none.
func newMetricsServer(settings config.Settings, log *zap.Logger) *metricsServer {
	if settings.MetricsListen == "" {
		return nil
	}
	return &metricsServer{log: log.Named("metrics"), wanted: settings.MetricsListen}
}

// address is where it serves, "" for nowhere.
func (m *metricsServer) address() string {
	if m == nil {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.is
}

// why says why it does not serve, "" if it does, or is not to.
func (m *metricsServer) why() string {
	if m == nil {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.problem
}

// run serves until ctx is done.
func (m *metricsServer) run(ctx context.Context, serve http.HandlerFunc) {
	if m == nil {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api.MetricsPath, serve)
	const enough = 10 * time.Second
	for ctx.Err() == nil {
		listener, err := net.Listen("tcp", m.wanted)
		m.found(listener, err)
		if err == nil {
			server := &http.Server{
				Handler: mux, ErrorLog: zap.NewStdLog(m.log), MaxHeaderBytes: 16 << 10,
				ReadTimeout: enough, WriteTimeout: enough, IdleTimeout: 2 * time.Minute,
			}
			stop := context.AfterFunc(ctx, func() { server.Close() })
			bounded := newListener(listener, m.log, maxScrapers)
			bounded.anybody = true
			err = server.Serve(bounded)
			stop()
			if ctx.Err() == nil {
				m.found(nil, err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenInterval):
		}
	}
}

// found takes in whether it can listen.
func (m *metricsServer) found(listener net.Listener, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.problem
	if err == nil {
		m.is, m.problem = listener.Addr().String(), ""
		m.log.Info("Metrics are served", zap.String("address", m.is))
		return
	}
	m.is, m.problem = "", err.Error()
	if m.problem != before {
		m.log.Warn("Cannot serve the metrics", zap.Error(err))
	}
}
