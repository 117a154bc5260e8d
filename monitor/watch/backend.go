package watch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// New makes a watcher of the directory root; Run starts it. Root may be, or lead
// through, a symbolic link; one that leads elsewhere later replaces the root. It
// need not be there yet: then it is gone until it comes.
func New(root string, opts Options, sink Sink) (Watcher, error) {
	path, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %s: %w", root, err)
	}
	backend := opts.Backend
	if backend == "" || backend == "auto" {
		backend = defaultBackend
	}
	switch backend {
	case "inotify":
		return newInotify(path, opts, sink)
	case "notify":
		return newNotify(path, opts, sink)
	}
	return nil, fmt.Errorf("cannot watch %s: there is no backend %q (use auto, inotify or notify)", root, opts.Backend)
}

// findRoot returns the directory that path leads to now, with no symbolic link
// in its own path, and its identity.
func findRoot(path string) (dir string, id identity, err error) {
	dir, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", identity{}, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", identity{}, err
	}
	if !info.IsDir() {
		return "", identity{}, &fs.PathError{Op: "watch", Path: dir, Err: syscall.ENOTDIR}
	}
	return dir, idOf(info), nil
}
