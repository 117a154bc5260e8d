package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ofPath are paths as pathFinder takes them: relative to the current directory if that leads
// into the workspace, or else to the workspace.
func (c completer) ofPath(workspace, current string) completion {
	root := c.workspace(workspace).LocalPath
	elsewhere := current != "" && strings.Contains("/~$", current[:1]) || current == ".." || strings.HasPrefix(current, "../")
	if root == "" || elsewhere { // as a shell understands it
		return completion{files: anyPath}
	}
	paths, err := newPathFinder(root)
	if err != nil {
		return completion{}
	}
	dir, _ := splitPath(current)
	if paths.cwd == "" {
		return inWorkspace(paths, "", current)
	}
	if _, ok := paths.below(filepath.Join(paths.cwd, dir)); ok {
		return completion{files: anyPath}
	}
	all := inWorkspace(paths, "", current)
	// The way from here to the workspace, up to its next slash, may be meant, too.
	if way, err := filepath.Rel(paths.cwd, root); err == nil && filepath.IsLocal(way) && strings.HasPrefix(way, current) {
		next, _, _ := strings.Cut(way[len(dir):], "/")
		if word := dir + next + "/"; isTypable(word) && !all.has(word) {
			all.add(word, "")
		}
	}
	return all
}

// ofName are paths that are always relative to the workspace, and nothing that a shell would
// suggest if that is known.
func (c completer) ofName(workspace, prefix, current string) completion {
	root := c.workspace(workspace).LocalPath
	if root == "" {
		return completion{files: anyPath}
	}
	paths, err := newPathFinder(root)
	if err != nil {
		return completion{}
	}
	return inWorkspace(paths, prefix, current)
}

// ofPattern are paths that are patterns, too, those of the workspace's own directory. One
// may begin with an exclamation mark, and with the slash that says where it is.
func (c completer) ofPattern(workspace, current string) completion {
	name := strings.TrimPrefix(strings.TrimPrefix(current, "!"), "/")
	all := c.ofName(workspace, strings.TrimSuffix(current, name), name)
	plain := all.suggestions[:0]
	for _, s := range all.suggestions {
		if !strings.ContainsAny(s.word, `*?[]\ `) && !strings.HasPrefix(s.word, "#") {
			plain = append(plain, s)
		}
	}
	all.suggestions = plain
	return all
}

// inWorkspace are the entries of a workspace that begin like a name in it, behind a prefix
// that is part of the word.
func inWorkspace(paths *pathFinder, prefix, current string) (all completion) {
	all.files = namedPaths
	dir, base := splitPath(current)
	at := filepath.Clean("./" + dir)
	if strings.HasPrefix(dir, "/") || !filepath.IsLocal(at) || paths.linkAbove(at, true) != "" {
		return all
	}
	entries, err := os.ReadDir(filepath.Join(paths.root, at))
	if err != nil {
		return all
	}
	for _, entry := range entries {
		name := entry.Name()
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".")
		// In another case, too: the shell knows whether the user wants that.
		if hidden || !strings.HasPrefix(strings.ToLower(name), strings.ToLower(base)) || !isTypable(name) {
			continue
		}
		if entry.Type() == fs.ModeDir {
			name += "/"
		}
		all.add(prefix+dir+name, "")
	}
	return all
}

// splitPath is a path up to its last slash, and the rest.
func splitPath(path string) (dir, base string) {
	at := strings.LastIndexByte(path, '/') + 1
	return path[:at], path[at:]
}

// isTypable reports whether the scripts can tell a word to a shell as it is.
func isTypable(word string) bool { return oneLine(plain(word)) == word }

func (all completion) has(word string) bool {
	for _, s := range all.suggestions {
		if s.word == word {
			return true
		}
	}
	return false
}

// within is what complete finds, nothing if that takes longer than limit, as where a file
// system hangs.
func within(limit time.Duration, complete func() completion) completion {
	found := make(chan completion, 1)
	go func() { found <- complete() }()
	select {
	case all := <-found:
		return all
	case <-time.After(limit):
		return completion{}
	}
}
