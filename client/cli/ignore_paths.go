package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A pathFinder finds what paths on the command line are in a workspace.
type pathFinder struct {
	root string      // the workspace's directory
	info fs.FileInfo // of root
	cwd  string      // the current directory, "" if it is not known
	// links are directories of the workspace of which is known that they are no
	// symbolic links, nor below one.
	noLinks map[string]bool
}

func newPathFinder(root string) (*pathFinder, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		cwd = "" // it was removed, and nothing is relative to it
	}
	return &pathFinder{root: root, info: info, cwd: cwd, noLinks: map[string]bool{".": true}}, nil
}

// find returns the name in the workspace of a path that may not exist,
// slash-separated and clean, "" for the workspace's directory itself, and whether it
// is one of a directory.
func (f *pathFinder) find(path string) (name string, dir bool, err error) {
	if path == "" {
		return "", false, errors.New("a path is empty")
	}
	name, ok := f.within(path)
	if !ok {
		return "", false, fmt.Errorf("%s is not in %s", path, f.root)
	}
	slash := strings.HasSuffix(path, "/")
	if link := f.linkAbove(name, slash); link != "" {
		return "", false, fmt.Errorf("%s is behind %s, a symbolic link, which is mirrored as one", path, link)
	}
	if name == "." {
		return "", true, nil
	}
	info, err := os.Lstat(filepath.Join(f.root, name))
	return filepath.ToSlash(name), slash || err == nil && info.IsDir(), nil
}

// within returns what is left of a path below the root, clean.
func (f *pathFinder) within(path string) (rest string, ok bool) {
	if filepath.IsAbs(path) {
		return f.below(filepath.Clean(path))
	}
	if f.cwd != "" {
		if rest, ok := f.below(filepath.Join(f.cwd, path)); ok {
			return rest, true
		}
	}
	rest = filepath.Clean(path)
	return rest, filepath.IsLocal(rest)
}

// below returns what is left of an absolute path behind the directory that is the root,
// by whatever name.
func (f *pathFinder) below(path string) (rest string, ok bool) {
	if rest, err := filepath.Rel(f.root, path); err == nil && filepath.IsLocal(rest) {
		return rest, true
	}
	for end := 1; ; end++ {
		next := strings.IndexByte(path[end:], '/')
		if next < 0 {
			next = len(path) - end
		}
		end += next
		info, err := os.Stat(path[:end])
		switch {
		case err != nil:
			return "", false
		case os.SameFile(info, f.info):
			return filepath.Clean("." + path[end:]), true
		case end == len(path):
			return "", false
		}
	}
}

// linkAbove returns the symbolic link that a name is behind, "" for none. self: the
// name itself must be none either.
func (f *pathFinder) linkAbove(name string, self bool) string {
	if !self {
		name = filepath.Dir(name)
	}
	if f.noLinks[name] {
		return ""
	}
	if link := f.linkAbove(name, false); link != "" {
		return link
	}
	if info, err := os.Lstat(filepath.Join(f.root, name)); err == nil && info.Mode().Type() == fs.ModeSymlink {
		return name
	}
	f.noLinks[name] = true
	return ""
}
