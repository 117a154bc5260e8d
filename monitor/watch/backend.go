package watch

import (
	"fmt"
	"os"
	"path/filepath"
)

// New makes a watcher of the directory root; Run starts it. A root that is a
// symbolic link is resolved here, once: retargeting it later goes unnoticed
// until a new watcher is made.
func New(root string, opts Options, sink Sink) (Watcher, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %s: %w", root, err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %s: %w", root, err)
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %s: %w", root, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("cannot watch %s: it is not a directory", root)
	}
	backend := opts.Backend
	if backend == "" || backend == "auto" {
		backend = defaultBackend
	}
	switch backend {
	case "inotify":
		return newInotify(resolved, opts, sink)
	case "notify":
		return newNotify(resolved, opts, sink)
	}
	return nil, fmt.Errorf("cannot watch %s: there is no backend %q (use auto, inotify or notify)", root, opts.Backend)
}
