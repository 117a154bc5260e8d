package worker

import (
	"os"
	"path/filepath"
	"strings"
)

// repositories are those in the workspace at a root; it implements
// remote.Repositories.
type repositories string

// IsRepository implements remote.Repositories.
func (r repositories) IsRepository(dir string) bool {
	_, err := os.Lstat(filepath.Join(string(r), filepath.FromSlash(dir), "HEAD"))
	return err == nil
}

// Locked implements remote.Repositories: the repository, or the directory of one of
// its worktrees, holds a lock.
func (r repositories) Locked(dir string) bool {
	dir = filepath.Join(string(r), filepath.FromSlash(dir))
	if holdsLock(dir) {
		return true
	}
	worktrees, _ := os.ReadDir(filepath.Join(dir, "worktrees")) // mostly there are none
	for _, w := range worktrees {
		if holdsLock(filepath.Join(dir, "worktrees", w.Name())) {
			return true
		}
	}
	return false
}

// holdsLock reports whether there is a file *.lock in a directory. What cannot be
// read is not locked: rsync will say what it thinks of it.
func holdsLock(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		if strings.HasSuffix(name, ".lock") {
			return true
		}
	}
	return false
}
