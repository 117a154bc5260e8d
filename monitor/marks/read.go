package marks

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/rsync"
)

// foundMark is a mark in a directory of the remote.
type foundMark struct {
	config.Mark
	level string
}

// pullMarks reads the marks in directories of the remote.
func (m *Marks) pullMarks(ctx context.Context, endpoint rsync.Endpoint, levels []string) (found []foundMark) {
	if session := m.witnessed(ctx, endpoint); session != nil {
		if found, ok := pullBySFTP(session, levels); ok {
			return found
		}
	}
	dir, err := os.MkdirTemp(m.scratch, "marks-")
	if err != nil {
		m.log.Warn("Cannot look for other mirrors", zap.Error(err))
		return nil
	}
	defer os.RemoveAll(dir)
	if isLocal(endpoint) {
		pullLocalMarks(levels, dir)
	} else if !m.runMark(ctx, dir, rsync.PullMarks(endpoint, levels, dir)) {
		m.runMark(ctx, dir, rsync.PullOwnMarks(endpoint, dir))
	}
	filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		var mark config.Mark
		data, err := os.ReadFile(name)
		if err != nil || json.Unmarshal(data, &mark) != nil || mark.ID == "" || path.Base(config.MarkPrefix)+mark.ID != e.Name() {
			return nil
		}
		relative, err := filepath.Rel(dir, filepath.Dir(filepath.Dir(name)))
		if err != nil {
			return nil
		}
		found = append(found, foundMark{mark, levelAt(filepath.ToSlash(relative), levels)})
		return nil
	})
	return found
}

// levelAt is the level whose marks were brought to a directory of that name, the
// first one if it does not tell.
func levelAt(relative string, levels []string) string {
	for _, level := range levels {
		_, inModule, _ := strings.Cut(level, "/")
		if name := strings.Trim(level, "/"); name == relative || name == "" && relative == "." || !path.IsAbs(level) && inModule == relative {
			return level
		}
	}
	return levels[0]
}

// markOf is the mark of a remote.
func (m *Marks) markOf(r config.Remote) config.Mark {
	mark := m.self
	if m.workspace != nil {
		mark.Workspace = m.workspace()
	}
	mark.ID, mark.Remote, mark.Destination, mark.Until = r.ID, r.Name, r.Destination(), time.Now().Add(markTime+2*r.FullPass.Or(m.interval))
	return mark
}

// nameOf says whose a mark is.
func (m *Marks) nameOf(mark config.Mark) string {
	name := fmt.Sprintf("remote %s of workspace %s", mark.Remote, mark.Workspace)
	switch self := m.self; {
	case mark.User != self.User || mark.Host != self.Host:
		return fmt.Sprintf("%s of %s@%s (%s)", name, mark.User, mark.Host, mark.Destination)
	case mark.Directory != self.Directory:
		return fmt.Sprintf("%s of the wsync in %s (%s)", name, mark.Directory, mark.Destination)
	}
	return fmt.Sprintf("%s (%s)", name, mark.Destination)
}

func isLocal(e rsync.Endpoint) bool { return e.Remote.Connection.Kind() == config.KindLocal }
