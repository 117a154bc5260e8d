// Package walk looks through the entries of a workspace.
package walk

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/sparse"
)

// Tree is a workspace to look through. What cannot be read is passed over: rsync will
// say what it thinks of it.
type Tree struct {
	Root string
	// Opens reports whether to look into a directory, which it is asked each time
	// before; nil for into all. Before a directory is known to be one it may be asked
	// about something else.
	Opens func(dir string) bool
	// Listed, if not nil, is told of each directory when it has been read, before its
	// entries are visited.
	Listed func(dir string)
}

// Entries visits all entries below a directory of the workspace, dir and name being
// relative to its root, until ctx is done or visit returns false; a directory comes
// before what is in it. It reports whether it came to the end. Directories that Opens
// does not open are visited, too. unread, if not nil, is told of directories that cannot
// be read.
func (t Tree) Entries(ctx context.Context, dir string, visit func(name string, e fs.DirEntry) bool, unread func(dir string, err error)) bool {
	if t.Opens != nil && !t.Opens(dir) {
		return true
	}
	entries, err := os.ReadDir(filepath.Join(t.Root, filepath.FromSlash(dir)))
	if err != nil && unread != nil {
		unread(dir, err)
	}
	if t.Listed != nil {
		t.Listed(dir)
	}
	for _, e := range entries {
		name := relpath.Join(dir, e.Name())
		if ctx.Err() != nil || !visit(name, e) {
			return false
		}
		if e.IsDir() && !t.Entries(ctx, name, visit, unread) {
			return false
		}
	}
	return true
}

// Lstat looks at a path of the workspace.
func (t Tree) Lstat(name string) (fs.FileInfo, error) {
	return os.Lstat(filepath.Join(t.Root, filepath.FromSlash(name)))
}

// Files visits the regular files at or below a path of the workspace like Entries.
func (t Tree) Files(ctx context.Context, path string, visit func(name string, e fs.DirEntry) bool) {
	if info, err := t.Lstat(path); err == nil && info.Mode().IsRegular() {
		visit(path, fs.FileInfoToDirEntry(info))
		return
	}
	t.Entries(ctx, path, func(name string, e fs.DirEntry) bool { return !e.Type().IsRegular() || visit(name, e) }, nil)
}

// HasHoles reports whether a regular file at or below one of paths has holes.
func (t Tree) HasHoles(ctx context.Context, paths []string) (holes bool) {
	for _, path := range paths {
		t.Files(ctx, path, func(_ string, e fs.DirEntry) bool {
			info, err := e.Info()
			holes = err == nil && sparse.Has(info)
			return !holes
		})
		if holes {
			return true
		}
	}
	return false
}

// ChangedSince returns the regular files whose inode changed at or
// after since. complete is false when there are more than limit.
func (t Tree) ChangedSince(ctx context.Context, since time.Time, limit int) (paths []string, complete bool) {
	complete = true
	t.Files(ctx, "", func(name string, e fs.DirEntry) bool {
		info, err := e.Info()
		if err != nil {
			return true // gone: there will be an event
		}
		if ChangeTime(info).Before(since) {
			return true
		}
		if complete = len(paths) < limit; complete {
			paths = append(paths, name)
		}
		return complete
	})
	return paths, complete
}
