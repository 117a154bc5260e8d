package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"wsync/config"
)

const (
	// logAge is how long the log of a workspace is kept that is none any more.
	logAge = 30 * 24 * time.Hour
	// logAgeInterval is how often old logs are looked for.
	logAgeInterval = 24 * time.Hour
)

// forgetLogs removes the logs of workspaces that were removed long ago, at once and then
// at an interval, until ctx is done.
func (d *Daemon) forgetLogs(ctx context.Context) {
	ticker := time.NewTicker(logAgeInterval)
	defer ticker.Stop()
	for {
		var names []string
		d.lock.Do(func() { names = append(names, d.order...) })
		dir := filepath.Dir(d.settings.WorkspaceLogPath("any"))
		for _, path := range oldLogs(dir, names, time.Now().Add(-logAge)) {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				d.log.Warn("Cannot remove an old log", zap.Error(err))
				continue
			}
			d.log.Info("The log of a removed workspace was removed", zap.String("file", path))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// oldLogs are the files in dir of the logs of workspaces that have none of the names and
// wrote nothing since. What looks like a log and has no line of a monitor is somebody
// else's.
func oldLogs(dir string, names []string, since time.Time) (old []string) {
	living := make(map[string]bool, len(names))
	for _, name := range names {
		living[name] = true
	}
	type log struct {
		files  []string
		last   time.Time
		isOurs bool
	}
	logs := make(map[string]*log)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name, ok := config.LogOf(e.Name())
		info, err := e.Info()
		if !ok || living[name] || err != nil || !info.Mode().IsRegular() {
			continue
		}
		l := logs[name]
		if l == nil {
			l = new(log)
			logs[name] = l
		}
		path := filepath.Join(dir, e.Name())
		l.files = append(l.files, path)
		l.isOurs = l.isOurs || isMonitorLog(path)
		if info.ModTime().After(l.last) {
			l.last = info.ModTime()
		}
	}
	for _, l := range logs {
		if l.isOurs && l.last.Before(since) {
			old = append(old, l.files...)
		}
	}
	return old
}

// isMonitorLog reports whether one of the first lines of a file is a monitor's.
func isMonitorLog(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	const enough = 64 << 10
	head, _ := io.ReadAll(io.LimitReader(file, enough))
	return bytes.Contains(head, []byte(`"logger":"monitor"`))
}
