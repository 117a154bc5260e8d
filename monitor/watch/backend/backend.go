// Package backend chooses what watches a directory.
package backend

import (
	"fmt"
	"path/filepath"

	"wsync/monitor/watch"
	"wsync/monitor/watch/notify"
)

// New makes a watcher of the directory root; Run starts it. Root may be, or lead
// through, a symbolic link; one that leads elsewhere later replaces the root. It
// need not be there yet: then it is gone until it comes.
func New(root string, opts watch.Options, sink watch.Sink) (watch.Watcher, error) {
	path, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %s: %w", root, err)
	}
	switch name := opts.Backend; {
	case name == "inotify", (name == "" || name == "auto") && hasInotify:
		return newInotify(path, opts, sink)
	case name == "notify", name == "", name == "auto":
		w, err := notify.New(path, opts, sink)
		if err != nil {
			return nil, err
		}
		return w, nil
	}
	return nil, fmt.Errorf("cannot watch %s: there is no backend %q (use auto, inotify or notify)", root, opts.Backend)
}
