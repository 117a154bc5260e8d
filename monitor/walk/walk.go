// Package walk looks through the files of a workspace.
package walk

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"wsync/monitor/sparse"
)

// Files visits the regular files below a directory of the workspace, dir and
// name being relative to its root, until ctx is done or visit returns false. What
// cannot be read is passed over: rsync will say what it thinks of it.
func Files(ctx context.Context, root, dir string, visit func(name string, e fs.DirEntry) bool) {
	filepath.WalkDir(filepath.Join(root, filepath.FromSlash(dir)), func(path string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return filepath.SkipAll
		}
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return nil
		}
		if !visit(filepath.ToSlash(name), e) {
			return filepath.SkipAll
		}
		return nil
	})
}

// HasHoles reports whether a regular file at or below one of dirs has holes.
func HasHoles(ctx context.Context, root string, dirs []string) (holes bool) {
	for _, dir := range dirs {
		Files(ctx, root, dir, func(_ string, e fs.DirEntry) bool {
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

// ChangedSince returns the regular files below root whose inode changed at or
// after since. complete is false when there are more than limit.
func ChangedSince(ctx context.Context, root string, since time.Time, limit int) (paths []string, complete bool) {
	complete = true
	Files(ctx, root, "", func(name string, e fs.DirEntry) bool {
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
