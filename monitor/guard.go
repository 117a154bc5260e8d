package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"wsync/config"
)

// checkRoot says why the workspace's directory must not be mirrored now, or "".
// expected is its identity as the workspace file has it, nil when unknown.
func checkRoot(path string, expected *config.RootIdentity) string {
	found, err := config.IdentifyRoot(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s is gone", path)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Sprintf("%s is not a directory any more", path)
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	case expected != nil && !found.SameFileSystem(*expected):
		return fmt.Sprintf("%s is on another file system than when it was added: a disk was mounted or unmounted there", path)
	case expected != nil && !found.Same(*expected):
		return fmt.Sprintf("%s is another directory than the one that was added: it was replaced", path)
	}
	d, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	}
	defer d.Close()
	if _, err := d.Readdirnames(1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Sprintf("%s cannot be read: %v", path, err)
	}
	return ""
}

// looks shares looks at the root between the workers, which have the same change
// to send at the same time. Its method may be called from any goroutine.
type looks struct {
	mu    sync.Mutex // held while looking; guards everything below
	found string
	mark  uint64    // the last mark before the look
	at    time.Time // when it began
}

// lookTime is how long a look is good for others: no longer than it may take to
// plan a batch, which comes between its look and its first request.
const lookTime = 2 * time.Millisecond

// after returns what a look has found that began after a mark was set, and not
// long ago; it looks if there was none. lastMark is called before look.
func (l *looks) after(mark uint64, lastMark func() uint64, look func() string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() || l.mark < mark || time.Since(l.at) > lookTime {
		l.mark, l.at = lastMark(), time.Now()
		l.found = look()
	}
	return l.found
}

// believesGone tells, after paths were found to be gone, that they are: while they
// were looked at, the root was still the one that the guard saw. If it was not, the
// transfer ends as one that was cancelled.
func (t *transfer) believesGone() bool {
	if t.ctx.Err() == nil && t.root() == "" {
		return true
	}
	t.out.err = context.Canceled
	return false
}

// isEmpty tells that the directory at path holds nothing; with skipGit, nothing
// but .git.
func isEmpty(path string, skipGit bool) (bool, error) {
	d, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer d.Close()
	names, err := d.Readdirnames(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return len(names) == 0 || skipGit && len(names) == 1 && names[0] == ".git", nil
}

// tooMany tells that so many deletions look like an accident: more than count,
// and more than share (0 to 1) of the entries that were there before. remaining
// is the number of entries that are left.
func tooMany(deletions, remaining int, share float64, count int) bool {
	return deletions > count && float64(deletions) > share*float64(deletions+remaining)
}

// countEntries counts what is below the directory at path, up to limit, with
// skipGit without what is called .git.
func countEntries(path string, limit int, skipGit bool) int {
	n := 0
	filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if skipGit && err == nil && p != path && e.Name() == ".git" {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if err == nil && p != path {
			n++
		}
		if n >= limit {
			return filepath.SkipAll
		}
		return nil
	})
	return n
}

// deletionLimits are the settings of the guard against mass deletion.
type deletionLimits struct {
	share      float64
	count      int
	allowEmpty bool
	// skipGit: entries called .git do not count.
	skipGit bool
}

// judgeRoot says why nothing may be deleted, however little it is, or "": the
// workspace holds nothing, or nobody knows what it holds.
func (l deletionLimits) judgeRoot(root string) string {
	switch empty, err := isEmpty(root, l.skipGit); {
	case err != nil:
		return fmt.Sprintf("the workspace cannot be read: %v", err)
	case empty && !l.allowEmpty:
		return "the workspace is empty, and was not before"
	}
	return ""
}

// judge says why deletions must be held, or "". deletions is their number,
// those of the last moments included.
func (l deletionLimits) judge(root string, deletions int) string {
	if deletions == 0 {
		return ""
	}
	if reason := l.judgeRoot(root); reason != "" {
		return reason
	}
	if deletions <= l.count {
		return ""
	}
	// Counting may stop where the answer is known.
	enough := deletions
	if l.share > 0 {
		enough = int(float64(deletions)*(1-l.share)/l.share) + 1
	}
	if remaining := countEntries(root, enough, l.skipGit); tooMany(deletions, remaining, l.share, l.count) {
		return fmt.Sprintf("%d entries would be deleted at once, and %d are left", deletions, remaining)
	}
	return ""
}
