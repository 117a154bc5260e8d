package daemon

import (
	"bytes"
	"net/http"
	"os"
	"time"

	"wsync/daemon/metrics"
)

// serveMetrics handles GET /metrics.
func (d *Daemon) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	s := metrics.Snapshot{Now: time.Now(), Processes: make(map[int]metrics.Process), WatchLimit: watchLimit()}
	d.lock.Do(func() {
		s.Daemon, s.Workspaces, s.MaxWatches = d.daemonStatus(), d.workspaceStatuses(), d.settings.MaxWatches
	})
	pids := []int{os.Getpid()}
	for _, workspace := range s.Workspaces {
		pids = append(pids, workspace.Monitor.PID)
	}
	for _, pid := range pids {
		if p, ok := processOf(pid); ok {
			s.Processes[pid] = p
		}
	}
	var text bytes.Buffer
	if err := metrics.Write(&text, s); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", metrics.ContentType)
	w.Write(text.Bytes()) // a client that is gone needs no answer
}
