package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remotefs"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
)

// errExcluded: a directory is not mirrored.
var errExcluded = errors.New("it is ignored")

// source is the workspace for a plan, without what the remote cannot hold of a
// directory.
type source struct {
	*Lane
	remote       config.Remote
	excluded     exclude.Rules
	capabilities remotefs.Capabilities
}

func (t *transfer) source() source {
	return source{Lane: t.lane, remote: t.Remote, capabilities: t.capabilities()}
}

// ReadDir lists what is mirrored of a directory of the workspace.
func (s source) ReadDir(name string) ([]fs.DirEntry, error) {
	if !s.exclude.Opens(name) {
		return nil, errExcluded // since a moment ago
	}
	entries, err := os.ReadDir(filepath.Join(s.root, filepath.FromSlash(name)))
	s.exclude.Catch(name, time.Now())
	s.excluded = s.exclude.Rules().At(s.remote)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return s.excluded.Excludes(relpath.Join(name, e.Name()), e.IsDir())
	})
	for _, u := range unfitOf(s.capabilities, name, entries) {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return relpath.Join(name, e.Name()) == u.path })
	}
	return entries, err
}

// Carries reports whether the direct lane loses nothing of what is at a path: extended
// attributes and access control lists only rsync can send, and take away, and several
// names of a file.
func (s source) Carries(name string, info fs.FileInfo, change watch.Change) bool {
	switch {
	case s.remote.HardLinks && isLinked(info):
		return false // each name would be a file of its own
	case !s.remote.ACLs && !s.remote.Xattrs:
		return true
	}
	if change&^watch.Meta == 0 {
		return false // they may have been it
	}
	return !walk.HasXattrs(filepath.Join(s.root, filepath.FromSlash(name)), s.remote.Xattrs, s.remote.ACLs)
}
