package guard

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Directory is a Workspace on disk. SkipGit: entries called .git are not mirrored,
// and count as little as if they were not there.
type Directory struct {
	Root    string
	Tools   *Tools
	SkipGit bool
}

// Empty implements Workspace.
func (w Directory) Empty() (bool, error) {
	d, err := os.Open(w.Root)
	if err != nil {
		return false, err
	}
	defer d.Close()
	names, err := d.Readdirnames(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return len(names) == 0 || w.SkipGit && len(names) == 1 && names[0] == gitName, nil
}

// Left implements Workspace.
func (w Directory) Left(limit int) int {
	n := 0
	filepath.WalkDir(w.Root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == w.Root {
			return nil
		}
		git := e.Name() == gitName
		if git && w.SkipGit || w.Tools.cache(filepath.ToSlash(strings.TrimPrefix(p[len(w.Root):], string(filepath.Separator)))) {
			return skip(e)
		}
		if n++; n >= limit {
			return filepath.SkipAll
		}
		if git {
			return skip(e) // what is in it does not count
		}
		return nil
	})
	return n
}

// skip passes over an entry of a walk and what is in it.
func skip(e fs.DirEntry) error {
	if e.IsDir() {
		return filepath.SkipDir
	}
	return nil
}
