package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wsync/config"
)

// daemonSource is what the lines of the daemon's log are of.
const daemonSource = "daemon"

// logSource is a log.
type logSource struct {
	path, name string
	about      string // only lines about this workspace are wanted, "" for all
}

// logSources are the logs that there may be: of the daemon and all workspaces, or of a
// workspace with what the daemon says about it.
func logSources(settings config.Settings, workspace string, onlyDaemon bool) []logSource {
	sources := []logSource{{settings.DaemonLogPath(), daemonSource, workspace}}
	if onlyDaemon {
		return sources
	}
	if workspace != "" {
		return append(sources, logSource{path: settings.WorkspaceLogPath(workspace), name: workspace})
	}
	entries, _ := os.ReadDir(filepath.Dir(settings.WorkspaceLogPath("any")))
	seen := make(map[string]bool)
	for _, e := range entries {
		if name, ok := config.LogOf(e.Name()); ok && !seen[name] {
			seen[name] = true
			sources = append(sources, logSource{path: settings.WorkspaceLogPath(name), name: name})
		}
	}
	return sources
}

// logMerger shows lines of several logs by their time.
type logMerger struct {
	filter  logFilter
	sources func() []logSource
	show    func(logLine)
	readers []*logReader
}

// logReader is a log that is read.
type logReader struct {
	logSource
	*logFiles
	before time.Time // of the last line
}

// begin shows the last lines that are there. With follow, others may come.
func (m *logMerger) begin(follow bool) error {
	found := 0
	for _, s := range m.sources() {
		r, err := openReader(s)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		m.readers = append(m.readers, r)
		r.ends = !follow
		n, err := r.seekBack(m.filter)
		if err != nil {
			return err
		}
		found += n
	}
	skip := 0
	if m.filter.last >= 0 {
		skip = max(found-m.filter.last, 0)
	}
	return m.merge(func(l logLine) {
		if skip--; skip < 0 {
			m.show(l)
		}
	})
}

// openReader opens a log, nil if it does not exist.
func openReader(s logSource) (*logReader, error) {
	files, err := openLog(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &logReader{logSource: s, logFiles: files}, nil
}

// next shows what was logged since, also to logs that are new.
func (m *logMerger) next() error {
	for _, r := range m.readers {
		if err := r.renew(); err != nil {
			return err
		}
	}
	for _, s := range m.sources() {
		if m.has(s.path) {
			continue
		}
		r, err := openReader(s)
		if err != nil {
			return err
		}
		if r != nil {
			m.readers = append(m.readers, r)
		}
	}
	return m.merge(m.show)
}

// merge has show called with all wanted lines that are left, by their time.
func (m *logMerger) merge(show func(logLine)) error {
	heads := make([]*logLine, len(m.readers))
	for i, r := range m.readers {
		var err error
		if heads[i], err = r.nextWanted(m.filter); err != nil {
			return err
		}
	}
	for {
		first := -1
		for i, l := range heads {
			if l != nil && (first < 0 || l.at.Before(heads[first].at)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		show(*heads[first])
		var err error
		if heads[first], err = m.readers[first].nextWanted(m.filter); err != nil {
			return err
		}
	}
}

// nextWanted is the next line that is wanted, nil if there is none.
func (r *logReader) nextWanted(f logFilter) (*logLine, error) {
	for {
		text, err := r.logFiles.next()
		if text == nil || err != nil {
			return nil, err
		}
		l := parseLogLine(text, r.name, r.before)
		r.before = l.at
		if !l.at.Before(f.since) && f.wants(l, r.about) {
			return &l, nil
		}
	}
}

// seekBack moves to where the last wanted lines begin, and returns how many there are.
func (r *logReader) seekBack(f logFilter) (found int, err error) {
	untimed := 0 // wanted lines of which the time is that of a line before
	err = r.back(func(text []byte) (goOn bool) {
		if f.last >= 0 && found >= f.last {
			return false
		}
		l := parseLogLine(text, r.name, time.Time{})
		if l.at.IsZero() {
			if f.wants(l, r.about) {
				untimed++
			}
			return true
		}
		if l.at.Before(f.since) {
			untimed = 0 // as old as this one
			return false
		}
		found, untimed = found+untimed, 0
		if f.wants(l, r.about) {
			found++
		}
		return true
	})
	if f.since.IsZero() {
		found += untimed
	}
	return found, err
}

// has reports whether a log is read, and none whether none is.
func (m *logMerger) has(path string) bool {
	return slices.ContainsFunc(m.readers, func(r *logReader) bool { return r.logSource.path == path })
}

func (m *logMerger) none() bool { return len(m.readers) == 0 }

func (m *logMerger) close() {
	for _, r := range m.readers {
		r.logFiles.close()
	}
}
