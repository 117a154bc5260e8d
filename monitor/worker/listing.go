package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/report"
)

// makeListings begins to write the lists of what is open that somebody waits for. The
// caller holds mu.
func (w *Worker) makeListings(now time.Time) {
	for _, id := range w.machine.BeginListings() {
		w.listings[id] = true
		open := w.machine.Open(now)
		w.goes(func() {
			status := report.ListingStatus{ID: id}
			if err := writeListing(w.listingPath(id), open); err != nil {
				w.Log.Warn("Cannot list what is open", zap.Error(err))
				status.Error = err.Error()
			}
			w.mu.Lock()
			w.machine.Listed(status)
			w.mu.Unlock()
			w.wakeUp()
			w.Changed(true)
		})
	}
}

// dropListings removes the lists that nobody waits for any more, or all of them. The caller
// holds mu.
func (w *Worker) dropListings(all bool) {
	for id := range w.listings {
		if all || !w.machine.Lists(id) {
			_ = os.Remove(w.listingPath(id)) // or the next monitor does
			delete(w.listings, id)
		}
	}
}

func (w *Worker) listingPath(id string) string { return filepath.Join(w.Comparisons, id) }

// writeListing writes a list, an element in JSON a line.
func writeListing(path string, open []report.OpenPath) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for i := range open {
		if err = lines.Encode(&open[i]); err != nil {
			break
		}
	}
	return errors.Join(err, out.Flush(), file.Close())
}
