package transfer

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wsync/monitor/remotefs"
)

// siblings knows which names of a directory of the workspace are one file at a
// destination that folds names. A directory is read again when its time has
// changed. The zero value is empty; it is used by one goroutine at a time.
type siblings struct {
	known map[string]directoryNames
	names int // in all of known
}

// directoryNames are the names of a directory by what they fold to, each sorted.
type directoryNames struct {
	modified time.Time
	folded   map[string][]string
}

// What is kept is bounded, and what was changed a moment before it was read is
// not: the next change may have the same time.
const (
	siblingsLimit = 200_000
	siblingsAge   = 2 * time.Second
)

// in returns the names in the directory dir below root, by what they fold to, in
// byte order. Those that cannot be read are none: whatever is to be done with them
// will fail, too.
func (s *siblings) in(root, dir string, c remotefs.Capabilities) map[string][]string {
	path := filepath.Join(root, filepath.FromSlash(dir))
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return nil
	}
	if known, ok := s.known[dir]; ok && known.modified.Equal(info.ModTime()) {
		return known.folded
	}
	began := time.Now()
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	read := directoryNames{modified: info.ModTime(), folded: fold(entries, c)}
	s.forget(dir)
	if began.Sub(read.modified) > siblingsAge {
		s.keep(dir, read, len(entries))
	}
	return read.folded
}

// fold sorts names by what they fold to.
func fold(entries []fs.DirEntry, c remotefs.Capabilities) map[string][]string {
	folded := make(map[string][]string, len(entries))
	for _, e := range entries {
		f := c.Fold(e.Name())
		folded[f] = append(folded[f], e.Name())
	}
	for _, names := range folded {
		slices.Sort(names)
	}
	return folded
}

func (s *siblings) forget(dir string) {
	for _, names := range s.known[dir].folded {
		s.names -= len(names)
	}
	delete(s.known, dir)
}

func (s *siblings) keep(dir string, names directoryNames, n int) {
	if s.known == nil || s.names+n > siblingsLimit {
		s.known, s.names = make(map[string]directoryNames), 0
	}
	if n <= siblingsLimit {
		s.known[dir] = names
		s.names += n
	}
}
