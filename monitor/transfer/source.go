package transfer

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remotefs"
)

// source is the workspace for a plan, without what the remote cannot hold of a
// directory.
type source struct {
	*Lane
	excluded     exclude.Rules
	capabilities remotefs.Capabilities
}

func (t *transfer) source() source { return source{t.lane, t.excluded(), t.capabilities()} }

// ReadDir lists a directory of the workspace.
func (s source) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, filepath.FromSlash(name)))
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return s.excluded.Excludes(relpath.Join(name, e.Name()))
	})
	for _, u := range unfitOf(s.capabilities, name, entries) {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return relpath.Join(name, e.Name()) == u.path })
	}
	return entries, err
}
