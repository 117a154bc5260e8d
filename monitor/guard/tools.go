package guard

import (
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

const (
	gitName    = ".git"
	tagName    = "CACHEDIR.TAG"
	installed  = "node_modules"
	registered = "/worktrees/"
)

// tagSignature is how a CACHEDIR.TAG begins (https://bford.info/cachedir/).
const tagSignature = "Signature: 8a477f597d28d172789f06886806bc55"

// Tools knows the parts of a workspace that tools keep there, clear away and make
// anew. The guard is for people's files, so that these do not count, neither as gone
// nor as left:
//
//   - what is in a directory called .git, as long as the directory itself is there:
//     git deletes what it no longer needs;
//   - the working tree of a git worktree, when git has also struck it from its
//     list, which is in the repository;
//   - a directory called node_modules, or one with a CACHEDIR.TAG in it.
//
// Of what is gone nobody can say whether there was such a tag, so that it is
// remembered. Its methods may be called from any goroutine.
type Tools struct {
	root string

	mu sync.Mutex // guards everything below
	// caches are the directories that had a tag when they were last looked at, and
	// worktrees where git has put down the directories that are working trees.
	caches    map[string]bool
	worktrees map[string]string
}

// toolsLimit bounds the directories that are remembered: of more, the rest counts
// as people's.
const toolsLimit = 10000

// NewTools returns what is known of the workspace at root, which is nothing yet.
func NewTools(root string) *Tools {
	return &Tools{root: root, caches: make(map[string]bool), worktrees: make(map[string]string)}
}

// Look takes in a regular file of the workspace that somebody has come upon. It
// reads those that tell of a tool.
func (t *Tools) Look(name string) {
	dir, ok := strings.CutSuffix(name, "/"+tagName)
	if ok {
		if string(t.begin(name, len(tagSignature))) == tagSignature {
			t.mu.Lock()
			if len(t.caches) < toolsLimit {
				t.caches[dir] = true
			}
			t.mu.Unlock()
		}
		return
	}
	if dir, ok = strings.CutSuffix(name, "/"+gitName); !ok {
		return
	}
	line, _, _ := bytes.Cut(t.begin(name, 4096), []byte("\n"))
	place, ok := strings.CutPrefix(string(line), "gitdir: ")
	if !ok || !strings.Contains(place, registered) {
		return // that of a submodule, perhaps
	}
	if !filepath.IsAbs(place) {
		place = filepath.Join(t.abs(dir), place)
	}
	t.mu.Lock()
	if len(t.worktrees) < toolsLimit {
		t.worktrees[dir] = place
	}
	t.mu.Unlock()
}

// begin is the beginning of a file, nil if it cannot be read.
func (t *Tools) begin(name string, n int) []byte {
	f, err := os.Open(t.abs(name))
	if err != nil {
		return nil
	}
	defer f.Close()
	beginning := make([]byte, n)
	n, _ = io.ReadFull(f, beginning)
	return beginning[:n]
}

func (t *Tools) abs(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// cache reports whether dir is, or was, a directory that tools make anew.
func (t *Tools) cache(dir string) bool {
	if path.Base(dir) == installed {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.caches[dir]
}

// removed reports whether dir was a working tree that git has struck from its list.
// The repository must still be there: the list may have gone with it.
func (t *Tools) removed(dir string) bool {
	t.mu.Lock()
	place, ok := t.worktrees[dir]
	t.mu.Unlock()
	repository := place[:max(strings.LastIndex(place, registered), 0)]
	return ok && isGone(place) && !isGone(repository) && isGone(t.abs(dir))
}

func isGone(path string) bool {
	_, err := os.Lstat(path)
	return os.IsNotExist(err)
}

// IsTools reports whether a name lies in a directory that is a tool's by its own name.
func IsTools(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if base := path.Base(dir); base == gitName || base == installed {
			return true
		}
	}
	return false
}

// Count returns how to ask of names that are gone, one after the other, whether they
// count. What it finds out about directories holds for all of them.
func (t *Tools) Count() func(name string) bool {
	free := make(map[string]bool) // what is known of directories: all below it is a tool's
	var isFree func(dir string) bool
	isFree = func(dir string) bool {
		if dir == "." || dir == "" {
			return false
		}
		known, ok := free[dir]
		if !ok {
			known = isFree(path.Dir(dir)) || t.cache(dir) || t.removed(dir) || path.Base(dir) == gitName && !isGone(t.abs(dir))
			free[dir] = known
		}
		return known
	}
	return func(name string) bool {
		return !isFree(path.Dir(name)) && !t.cache(name) && !t.removed(name)
	}
}
