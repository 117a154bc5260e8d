package worker

import (
	"time"

	"go.uber.org/zap"
)

// A file beside the stamp remembers until when requests may be under way on a line that
// broke.
func latePath(stamp string) string { return stamp + ".late" }

// readLate returns that time, zero for none, or if the file cannot be read.
func readLate(world World, stamp string) time.Time {
	data, err := world.Read(latePath(stamp))
	if err != nil {
		return time.Time{}
	}
	until, err := time.Parse(time.RFC3339Nano, string(data))
	if err != nil {
		return time.Time{}
	}
	return until
}

// writeLate replaces the file, or removes it.
func writeLate(world World, stamp string, until time.Time) error {
	if until.IsZero() {
		return world.Remove(latePath(stamp))
	}
	return world.Write(latePath(stamp), []byte(until.Format(time.RFC3339Nano)))
}

// rememberLate has the next monitor know of requests that may be under way; the caller holds
// mu.
func (w *Worker) rememberLate() {
	is := w.machine.LateUntil()
	if is.Equal(w.late) {
		return
	}
	w.late = is
	if err := writeLate(w.World, w.Stamp, is); err != nil {
		w.Log.Warn("Cannot remember what may be under way", zap.Error(err))
	}
}
