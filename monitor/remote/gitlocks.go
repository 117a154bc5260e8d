package remote

import (
	"strings"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// gitLockLimit is how long changes below a .git directory wait for git to
// remove its lock, from the first of them on. Almost every command of git is
// done long before; a lock that a crashed one left must not hold anything up
// for good.
const gitLockLimit = 5 * time.Second

// Repositories are git's in the workspace; the directories are those that git keeps
// its own files in.
type Repositories interface {
	// IsRepository reports whether a directory is that of a repository
	// (gitrepository-layout(5)).
	IsRepository(dir string) bool
	// Locked reports whether git is changing the repository whose directory it is.
	Locked(dir string) bool
}

// gitDir is the repository's directory that a path is or lies in: up to the
// last component ".git", or that of a submodule below it; "" for a path of no
// repository. A submodule's name may have slashes: isRepository tells where it
// ends.
func gitDir(path string, isRepository func(dir string) bool) string {
	i := strings.LastIndex(path, ".git")
	for ; i >= 0; i = strings.LastIndex(path[:i], ".git") {
		end := i + len(".git")
		if (i == 0 || path[i-1] == '/') && (end == len(path) || path[end] == '/') {
			top := path[:end]
			if strings.HasPrefix(path[end:], "/modules/") {
				for dir := path; len(dir) > end+len("/modules"); dir = relpath.Parent(dir) {
					if isRepository(dir) {
						return dir
					}
				}
			}
			return top
		}
	}
	return ""
}

// gitLocks are the repositories whose changes are held back, with when that
// began. One whose time is over stays in until its lock is gone, so that the
// next change does not begin to wait anew.
type gitLocks map[string]time.Time

// split divides a batch into what may be sent now and what has to wait, each
// until the time that its repository has in the result. freed are the
// repositories that had to wait and no longer are locked: what else waits for
// them may be sent, too. repository is gitDir, locked looks at what it returns.
func (g gitLocks) split(entries []*dirty.Entry, now time.Time, repository func(path string) string, locked func(dir string) bool) (free []*dirty.Entry, held map[string][]*dirty.Entry, freed []string) {
	waits := make(map[string]bool) // what was found out about a repository
	for i, e := range entries {
		dir := repository(e.Path)
		if dir == "" {
			if held != nil {
				free = append(free, e)
			}
			continue
		}
		wait, known := waits[dir]
		if !known {
			if locked(dir) {
				if _, ok := g[dir]; !ok {
					g[dir] = now
				}
				wait = now.Before(g[dir].Add(gitLockLimit))
			} else if _, ok := g[dir]; ok {
				delete(g, dir)
				freed = append(freed, dir)
			}
			waits[dir] = wait
		}
		if !wait {
			if held != nil {
				free = append(free, e)
			}
			continue
		}
		if held == nil {
			// Only from here on is there a difference to entries.
			held = make(map[string][]*dirty.Entry)
			free = append(free, entries[:i]...)
		}
		held[dir] = append(held[dir], e)
	}
	if held == nil {
		free = entries
	}
	return free, held, freed
}

// holdLocked takes out of a batch what has to wait for git, and adds what has
// waited. What waits stays in the set, so that everybody who asks knows of it.
// The end of the wait needs no timer: the removal of a lock marks its path. The
// batch is just from the set, from which take takes.
func (m *Machine) holdLocked(batch dirty.Batch, git Repositories, now time.Time, take func() dirty.Batch) dirty.Batch {
	repository := func(path string) string { return gitDir(path, git.IsRepository) }
	free, held, freed := m.git.split(batch.Entries, now, repository, git.Locked)
	batch.Entries = free
	for dir, entries := range held {
		m.set.Restore(dirty.Batch{Entries: entries}, m.git[dir].Add(gitLockLimit))
	}
	for _, dir := range freed {
		m.set.Hasten(func(path string) bool { return repository(path) == dir }, now)
	}
	if len(freed) > 0 {
		batch.Entries = append(batch.Entries, take().Entries...)
	}
	return batch
}
