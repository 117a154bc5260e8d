package exclude

import (
	"os"
	"path/filepath"
	"time"
)

// A directory that is removed with all that is in it loses its rule files at some time
// before it goes itself: long before, if there is much in it. What they ignored is not
// to be released meanwhile: it would be sent while it goes, and what a remote alone has
// of it would be deleted there. So where a file has gone, nothing is released as long as
// entries come or go in the directory or below it.

const (
	// goingLimit is how long that is waited for at most.
	goingLimit = 2 * time.Minute
	// goingSkew is how far in the future a directory's time may be that counts: that of
	// a file server may be. What is further was set by somebody, and says nothing.
	goingSkew = 10 * time.Second
	// goingEntries is how many entries are looked at, those further up first.
	goingEntries = 5000
)

// changesBelow reports whether an entry has come or gone since, until now, in a directory
// or in those below it.
func changesBelow(top string, since, now time.Time) bool {
	left := goingEntries
	for dirs := []string{top}; len(dirs) > 0 && left > 0; dirs = dirs[1:] {
		f, err := os.Open(dirs[0])
		if err != nil {
			continue // it is gone, or nobody's business
		}
		info, err := f.Stat()
		if err == nil && info.ModTime().After(since) && info.ModTime().Before(now.Add(goingSkew)) {
			f.Close()
			return true
		}
		entries, _ := f.ReadDir(left)
		f.Close()
		left -= len(entries)
		for _, e := range entries {
			if e.IsDir() {
				dirs = append(dirs, filepath.Join(dirs[0], e.Name()))
			}
		}
	}
	return false
}
